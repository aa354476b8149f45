#!/usr/bin/env bash
# build.sh RELEASE: makes the image of a Docker engine, the one of that release of Debian, and prints its name. It is made
# once for each version of this file: the image stays in the machine's engine, the packages in target/engines.
set -euo pipefail
cd "$(dirname "$0")/../.."

release=$1
packages=docker.io,ca-certificates,iproute2,iptables,git
label=node-agent.engine-image
image=node-agent-engine:$release-$(sha256sum tests/engines/build.sh | cut -c1-12)
cache=$PWD/target/engines

# The distribution's mirror that this machine's apt uses; it has the other releases too.
mirror() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "main" && !any { any = $2 } END { print any }'
}

# The cgroups and /proc/sys are read-only in a container; the engine inside writes to them.
configure() {
    cat > "$1/sbin/engine" <<'INIT'
#!/bin/sh
for at in $(awk '$2 ~ "^/sys/fs/cgroup" || $2 == "/proc/sys" { print $2 }' /proc/mounts); do
    mount -o remount,rw,bind "$at"
done
exec dockerd --storage-driver=vfs --host "unix://$1"
INIT
    chmod 755 "$1/sbin/engine"
    rm -rf "$1"/usr/share/{doc,man,info,locale} "$1"/var/cache/apt "$1"/var/lib/apt/lists
}

make() {
    local root from
    from=$(mirror)
    if [ -z "$from" ]; then
        echo "apt has no source on this machine; the engines need a mirror of Debian" >&2
        exit 1
    fi
    root=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory as it is now
    trap "if mountpoint --quiet '$root'; then umount '$root'; fi; rm -rf --one-file-system '$root'" EXIT
    # dpkg waits for the disk after each file: in memory where there is plenty.
    if [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -gt 6000000 ]; then
        mount -t tmpfs -o size=2g engine "$root"
    fi
    mkdir -p "$cache/packages-$release"
    if ! debootstrap --variant=minbase --cache-dir="$cache/packages-$release" --include="$packages" \
        "$release" "$root" "$from" > "$cache/debootstrap-$release.log" 2>&1; then
        tail -n 20 "$cache/debootstrap-$release.log" "$root/debootstrap/debootstrap.log" >&2 || true
        exit 1
    fi
    configure "$root"
    tar -C "$root" --one-file-system -c . |
        docker import --change 'ENTRYPOINT ["/sbin/engine"]' --change "LABEL $label=1" - "$image" >/dev/null
    # Those of earlier recipes; not of the last day, which somebody may be working with.
    docker image prune --all --force --filter "label=$label" --filter until=24h >/dev/null
}

mkdir -p "$cache"
exec 9> "$cache/lock-$release"
flock 9
if ! docker image inspect "$image" >/dev/null 2>&1; then
    make 9>&-
fi
echo "$image"
