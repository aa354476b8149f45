#!/usr/bin/env bash
# Prints packaging/cloud-init.yaml filled in: with the address that the tarball is fetched from, or the tarball itself.
# usage: packaging/build-cloud-init.sh --url URL TARBALL | --embed TARBALL
set -euo pipefail
here=$(dirname "$0")

usage() {
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 2
}

# The tarball as a file of user data.
embedded() {
    echo "  - path: /var/lib/node-agent-install/node-agent.tar.gz"
    echo '    permissions: "0600"'
    echo "    encoding: b64"
    echo "    content: |"
    base64 --wrap=116 "$1" | sed 's/^/      /'
}

url=
extra=
case "$#${1:-}" in
    3--url) url=$2 tarball=$3 ;;
    2--embed) tarball=$2 extra=$2 ;;
    *) usage ;;
esac
case $url in
    *[\"\$\`\\]*) echo "an address without \" \$ \` \\, please: $url" >&2; exit 2 ;;
esac
sha256=$(sha256sum < "$tarball" | cut -d' ' -f1)
while IFS= read -r line; do
    case $line in
        *"#@EMBEDDED@") if [ -n "$extra" ]; then embedded "$extra"; fi ;;
        *) line=${line/@URL@/"$url"}; printf '%s\n' "${line/@SHA256@/"$sha256"}" ;;
    esac
done < "$here/cloud-init.yaml"
