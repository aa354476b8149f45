#!/usr/bin/env bash
# build.sh RELEASE: makes the image of a Docker engine, the one of that release of Debian, and prints its name.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/debian-image.sh

release=$1
packages=docker.io,ca-certificates,iproute2,iptables,git
label=node-agent.engine-image
name=node-agent-engine
cache=$PWD/target/engines
change='ENTRYPOINT ["/sbin/engine"]'

configure() {
    # shellcheck disable=SC2016 # the init's own argument
    printf '%s\nexec dockerd --storage-driver=vfs --host "unix://$1"\n' "$writable_kernel" >"$1/sbin/engine"
    chmod 755 "$1/sbin/engine"
}

image_of tests/engines/build.sh
