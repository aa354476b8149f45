#!/usr/bin/env bash
# Builds target/dist/node-agent-VERSION-x86_64-linux.tar.gz, and its sha256 beside it: all that a site without a network
# needs. From the static binary, or the one that is named. Two builds of the same commit and binary give the same bytes.
# usage: packaging/build-tarball.sh [BINARY]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/common.sh
. packaging/common.sh

program=$(binary "${1:-}")
scratch
name=node-agent-$version
root=$work/$name
mkdir "$root"
install -m 755 "$program" "$root/node-agent"
install -m 755 packaging/tarball/install.sh "$root/install.sh"
install -m 644 packaging/node-agent.service packaging/node-agent.env packaging/CHANGELOG.md README.md LICENSE "$root/"
# What is not there yet is not packed.
for file in packaging/node-agent.socket packaging/node-agent.1 packaging/man/*.1; do
    [ -e "$file" ] && install -m 644 "$file" "$root/"
done
if [ -d packaging/completions ]; then
    mkdir "$root/completions"
    install -m 644 packaging/completions/* "$root/completions/"
fi
(cd "$root" && find . -type f -printf '%P\0' | sort --zero-terminated | xargs -0 sha256sum) > "$work/sums"
mv "$work/sums" "$root/SHA256SUMS"
set_times "$root"
tar -C "$work" --create --sort=name --format=ustar --owner=0 --group=0 --numeric-owner "$name" |
    gzip -9n > "$work/package.tar.gz"
publish "$work/package.tar.gz" "target/dist/$name-x86_64-linux.tar.gz"
