#!/usr/bin/env bash
# Makes the image of a droplet, a Debian with systemd, nginx, ufw, cron, git and Docker, and prints its name.
# usage: build.sh [RELEASE]; Debian 12, bookworm, if none is named.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/support/debian-image.sh

release=${1:-bookworm}
packages=systemd-sysv,dbus,nginx-light,ufw,cron,docker.io,git,openssh-server,curl,ca-certificates,iproute2,procps,iptables
# Every provider's image has it, and Ansible needs it there.
packages+=,python3
# For the tests themselves: an image's only program, and a registry.
packages+=,busybox-static,docker-registry
# Debian 12 has Docker's client in docker.io.
[ "$release" = bookworm ] || packages+=,docker-cli
label=node-agent.droplet-image
name=node-agent-droplet
cache=$PWD/target/droplet
change='CMD ["/sbin/droplet-init"]'

configure() {
    # Mounts are to be seen in the services' own namespaces, as on a machine, or credentials are not there.
    printf '%s\nmount --make-rshared /\nexec /lib/systemd/systemd\n' "$writable_kernel" >"$1/sbin/droplet-init"
    chmod 755 "$1/sbin/droplet-init"
    mkdir -p "$1/etc/docker"
    # Layers over layers do not work everywhere.
    echo '{"storage-driver": "vfs"}' >"$1/etc/docker/daemon.json"
    # The tests start registries of their own.
    ln -sf /dev/null "$1/etc/systemd/system/docker-registry.service"
}

image_of tests/droplet/build.sh
