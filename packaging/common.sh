# For the scripts that make packages: what goes into them, and when it is from. Sourced, in the project's directory.
# shellcheck shell=bash

static=target/dist/node-agent-x86_64-linux
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)

# Everything in a package is as old as the commit, so that two builds of it are the same bytes.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
fi
export SOURCE_DATE_EPOCH
export LC_ALL=C TZ=UTC
umask 022

# The binary to pack: $1, or the static one, which is built when it is not there.
binary() {
    if [ -n "${1:-}" ]; then
        echo "$1"
        return
    fi
    [ -e "$static" ] || packaging/build-static.sh >&2
    echo "$static"
}

# A directory of this build's own, gone when the script ends.
scratch() {
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory as it is now
    trap "rm -rf '$work'" EXIT
}

# Gives everything below $1 the commit's time.
set_times() {
    find "$1" -print0 | xargs -0 touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
}

# Puts $1 in the place of $2, whole or not at all, with its checksum beside it.
publish() {
    mkdir -p "$(dirname "$2")"
    cp "$1" "$2.new"
    mv "$2.new" "$2"
    (cd "$(dirname "$2")" && sha256sum "$(basename "$2")" > "$(basename "$2").sha256")
    echo "$2"
}
