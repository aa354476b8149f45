#!/usr/bin/env bash
# Measures what the agent must hold and prints one table; no part of the tests. Needs root, a quarter of an hour,
# 10 GB of disk and a quiet machine.
set -euo pipefail
bench=$(cd "$(dirname "$0")" && pwd)
cd "$bench/../.."

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

echo "| what (beside what) | agent | other | held | target | |"
echo "|---|---:|---:|---:|---:|---|"
for measurement in ping memory idle start list metrics logs load build files upload client_upload; do
    bash "$bench/$measurement.sh"
done
