#!/usr/bin/env bash
# Makes the image of a droplet, a Debian with systemd, nginx, ufw, cron, git and Docker, and prints its name. It is made
# once for each version of this file: the image stays in the Docker engine, the packages in target/droplet, so that an
# engine that has lost it gets it again without the network.
# usage: build.sh [RELEASE]; Debian 12, bookworm, if none is named.
set -euo pipefail
cd "$(dirname "$0")/../.."

release=${1:-bookworm}
packages=systemd-sysv,dbus,nginx-light,ufw,cron,docker.io,git,openssh-server,curl,ca-certificates,iproute2,procps,iptables
# Every provider's image has it, and Ansible needs it there.
packages+=,python3
# For the tests themselves: an image's only program, and a registry.
packages+=,busybox-static,docker-registry
# Debian 12 has Docker's client in docker.io.
[ "$release" = bookworm ] || packages+=,docker-cli

label=node-agent.droplet-image
image=node-agent-droplet:$release-$(sha256sum tests/droplet/build.sh | cut -c1-12)
cache=$PWD/target/droplet

# The distribution's mirror that this machine's apt uses, for this release if it has it, which is first then.
mirror() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$release" '
            $2 == "main" && !any { any = $3 }
            $2 == "main" && $1 == release && !exact { exact = $3 }
            END { print exact ? exact : any }'
}

# What no test looks at: a third of the image.
slim() {
    rm -rf "$1"/usr/share/{doc,man,info,locale} "$1"/var/cache/apt "$1"/var/lib/apt/lists
    mkdir -p "$1/var/cache/apt/archives/partial" "$1/var/lib/apt/lists/partial"
}

# A container gets the cgroups and /proc/sys read-only; the engine inside needs to write to them. And mounts are to be
# seen in the services' own namespaces, as on a machine, or credentials are not there. All that before systemd runs.
configure() {
    cat > "$1/sbin/droplet-init" <<'INIT'
#!/bin/sh
for at in $(awk '$2 ~ "^/sys/fs/cgroup" || $2 == "/proc/sys" { print $2 }' /proc/mounts); do
    mount -o remount,rw,bind "$at"
done
mount --make-rshared /
exec /lib/systemd/systemd
INIT
    chmod 755 "$1/sbin/droplet-init"
    mkdir -p "$1/etc/docker"
    # Layers over layers do not work everywhere.
    echo '{"storage-driver": "vfs"}' > "$1/etc/docker/daemon.json"
    # The tests start registries of their own.
    ln -sf /dev/null "$1/etc/systemd/system/docker-registry.service"
}

make() {
    local root from
    from=$(mirror)
    if [ -z "$from" ]; then
        echo "apt has no source on this machine; the droplet needs a mirror of Debian" >&2
        exit 1
    fi
    root=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory as it is now
    trap "if mountpoint --quiet '$root'; then umount '$root'; fi; rm -rf --one-file-system '$root'" EXIT
    # dpkg waits for the disk after each file: in memory where there is plenty.
    if [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -gt 6000000 ]; then
        mount -t tmpfs -o size=2g droplet "$root"
    fi
    mkdir -p "$cache/packages"
    if ! debootstrap --variant=minbase --cache-dir="$cache/packages" --include="$packages" "$release" "$root" "$from" \
        > "$cache/debootstrap.log" 2>&1; then
        tail -n 20 "$cache/debootstrap.log" "$root/debootstrap/debootstrap.log" >&2 || true
        exit 1
    fi
    slim "$root"
    configure "$root"
    tar -C "$root" --one-file-system -c . |
        docker import --change 'CMD ["/sbin/droplet-init"]' --change "LABEL $label=1" - "$image" >/dev/null
    # Those of earlier recipes; not of the last day, which somebody may be working with.
    docker image prune --all --force --filter "label=$label" --filter until=24h >/dev/null
}

mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9
if ! docker image inspect "$image" >/dev/null 2>&1; then
    make 9>&-
fi
echo "$image"
