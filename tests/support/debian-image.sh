# What the images of a Debian have in common. Sourced by a script that then sets `release`, `packages` (by commas), `label`
# (of the image), `name` (the image's without its tag), `cache` (a directory) and `change` (a line of a Dockerfile),
# defines `configure ROOT`, and calls `image_of FILE…`, FILE being the script. The image is made once for each version of
# these files; it stays in the Docker engine, and the packages in the cache, so that an engine that has lost it gets it
# again without the network.

# The first lines of a container's init: it gets the cgroups and /proc/sys read-only; an engine inside writes to them.
writable_kernel='#!/bin/sh
for at in $(awk '\''$2 ~ "^/sys/fs/cgroup" || $2 == "/proc/sys" { print $2 }'\'' /proc/mounts); do
    mount -o remount,rw,bind "$at"
done'

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

make_image() {
    local root from log=$cache/debootstrap-$release.log packages_cache=$cache/packages-$release
    from=$(mirror)
    if [ -z "$from" ]; then
        echo "apt has no source on this machine; $name needs a mirror of Debian" >&2
        exit 1
    fi
    root=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory as it is now
    trap "if mountpoint --quiet '$root'; then umount '$root'; fi; rm -rf --one-file-system '$root'" EXIT
    # dpkg waits for the disk after each file: in memory where there is plenty.
    if [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -gt 6000000 ]; then
        mount -t tmpfs -o size=2g "$name" "$root"
    fi
    mkdir -p "$packages_cache"
    if ! debootstrap --variant=minbase --cache-dir="$packages_cache" --include="$packages" "$release" "$root" "$from" \
        >"$log" 2>&1; then
        # Where it stopped early there is no second log.
        tail -n 20 "$log" "$root/debootstrap/debootstrap.log" >&2 2>/dev/null || true
        exit 1
    fi
    slim "$root"
    configure "$root"
    tar -C "$root" --one-file-system -c . |
        docker import --change "$change" --change "LABEL $label=1" - "$1" >/dev/null
    # Those of earlier recipes; not of the last day, which somebody may be working with.
    docker image prune --all --force --filter "label=$label" --filter until=24h >/dev/null
}

# Makes the image if it is not there, and prints its name.
image_of() {
    local image
    image=$name:$release-$(cat "$@" tests/support/debian-image.sh | sha256sum | cut -c1-12)
    mkdir -p "$cache"
    exec 9>"$cache/lock-$release"
    flock 9
    if ! docker image inspect "$image" >/dev/null 2>&1; then
        make_image "$image" 9>&-
    fi
    echo "$image"
}
