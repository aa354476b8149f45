#!/usr/bin/env bash
# Measures what the agent must hold and prints one table; no part of the tests. Needs root, a quarter of an hour,
# 10 GB of disk and a quiet machine. With --readme the table takes the place of the one in README.md.
set -euo pipefail
bench=$(cd "$(dirname "$0")" && pwd)
cd "$bench/../.."

case ${1-} in
    "" | --readme) ;;
    *) echo "usage: $0 [--readme]" >&2; exit 2 ;;
esac

need() {
    command -v "$1" >/dev/null && return
    [ "$(id -u)" = 0 ] || { echo "please install $2" >&2; exit 1; }
    apt-get install -qy --no-install-recommends "$2" >&2
}
need nginx nginx-light
need wrk wrk
need curl curl
need openssl openssl
need python3 python3
need mkfs.ext4 e2fsprogs
# Static, so that it runs in an image of its own.
need busybox busybox-static
docker version >/dev/null

packaging/build-static.sh >&2

table=$(mktemp)
trap 'rm -f "$table"' EXIT
{
    echo "| what (beside what) | agent | other | held | target | |"
    echo "|---|---:|---:|---:|---:|---|"
    for measurement in ping memory idle start install list metrics logs load build files upload client_upload; do
        bash "$bench/$measurement.sh"
    done
} | tee "$table"

if [ "${1-}" = --readme ]; then
    # The engine and the commit are a part of what was measured.
    commit=$(git rev-parse --short HEAD)
    git diff --quiet HEAD -- src Cargo.toml Cargo.lock packaging/build-static.sh || commit="$commit and changes"
    echo "Commit $commit, $(nproc) cores, Docker $(docker version --format '{{.Server.Version}}')." >>"$table"
    awk -v table="$table" '
        /^<!-- bench: end -->$/ { inside = 0 }
        !inside { print }
        /^<!-- bench: begin -->$/ {
            inside = 1
            print ""
            while ((getline line < table) > 0) {
                if (line !~ /^\|/) print ""
                print line
            }
            print ""
        }' README.md >README.md.new
    mv README.md.new README.md
fi
