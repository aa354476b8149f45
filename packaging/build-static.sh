#!/usr/bin/env bash
# Builds target/dist/node-agent-x86_64-linux, a static binary that runs on any x86-64 Linux, and its sha256 beside it.
# Two builds of the same commit give the same bytes, wherever they stand.
#
# std is built along: optimized for size and without the machinery that draws backtraces, it is 0.3 MB smaller than the
# one that comes with the toolchain. Cargo lets a stable compiler do that only when it is told that one knows about it
# (RUSTC_BOOTSTRAP). The toolchain is rustup's, which fetches std's source and the musl target; where it cannot,
# a Debian 13 root of our own is made with debootstrap (as root), and kept in target/static-root.
set -euo pipefail
cd "$(dirname "$0")/.."

target=x86_64-unknown-linux-musl
out=target/dist/node-agent-x86_64-linux
build_directory=target/static
std=(-Zbuild-std=std,panic_unwind -Zbuild-std-features=panic-unwind,optimize_for_size)

# The flags of both ways, as CARGO_ENCODED_RUSTFLAGS has them: parted by a byte that no path has, where a path may have
# spaces. $1: where the sources are, $2: cargo's home, $3: the compiler's root, then further flags.
flags() {
    # Relative relocations packed: 50 kB less in the file, and less to read at the start.
    local all=(-C link-arg=-Wl,-z,pack-relative-relocs
        "--remap-path-prefix=$1=/node-agent" "--remap-path-prefix=$2=/cargo" "--remap-path-prefix=$3=/rust" "${@:4}")
    local IFS=$'\x1f'
    echo "${all[*]}"
}

have_rustup_target() {
    command -v rustup >/dev/null || return 1
    rustup target list --installed | grep -qx "$target" || timeout 120 rustup target add "$target" >&2 || return 1
    [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] || timeout 120 rustup component add rust-src >&2
}

with_rustup() {
    RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$build_directory" CARGO_PROFILE_RELEASE_OPT_LEVEL=s \
        CARGO_ENCODED_RUSTFLAGS="$(flags "$PWD" "${CARGO_HOME:-$HOME/.cargo}" "$(rustc --print sysroot)")" \
        cargo build --locked --release --target "$target" "${std[@]}"
}

# The archive that apt gets Debian from.
mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
        sed -nE 's/^URIs: *([^ ]*\/debian)\/?( .*)?$/\1/p; s/^deb (\[[^]]*\] )?([^ ]*\/debian)\/? .*/\2/p' | head -1
}

# A Debian 13 with a compiler, std's source and musl. Left half-made it is made anew.
debian_root() {
    local root=$1
    [ -e "$root/complete" ] && return
    if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
        echo "needs rustup with the target $target and the component rust-src, or root and debootstrap" >&2
        exit 1
    fi
    rm -rf "$root"
    debootstrap --variant=minbase --include=gcc,libc6-dev,musl-tools,rustc-web,cargo-web,rust-web-src,ca-certificates \
        trixie "$root" "$(mirror)" >&2
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    mkdir -p "$root/node-agent" "$root/cargo" "$root/unwind"
    # std asks for -lunwind. libgcc_eh has it, but wants glibc's _dl_find_object, which musl lacks.
    cp packaging/static/find_object.c "$root/unwind/"
    chroot "$root" musl-gcc -O2 -c /unwind/find_object.c -o /unwind/find_object.o
    echo 'GROUP ( /unwind/find_object.o -lgcc_eh -lgcc -lc )' > "$root/unwind/libunwind.a"
    touch "$root/complete"
}

# In a mount namespace of its own, so that nothing stays mounted however it ends.
with_debian() {
    local root
    root=$(realpath -m target/static-root)
    mkdir -p target
    debian_root "$root"
    local home=${CARGO_HOME:-$HOME/.cargo}
    mkdir -p "$home"
    export ROOT=$root HERE=$PWD CARGO_FILES=$home TARGET=$target DIRECTORY=$build_directory STD="${std[*]}"
    FLAGS=$(flags /node-agent /cargo /usr -C link-self-contained=no -C target-feature=+crt-static -L /unwind)
    export FLAGS
    # shellcheck disable=SC2016
    unshare --mount bash -euc '
        mount --bind "$HERE" "$ROOT/node-agent"
        mount --bind "$CARGO_FILES" "$ROOT/cargo"
        mount -t proc proc "$ROOT/proc"
        cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
        exec chroot "$ROOT" /usr/bin/env -C /node-agent -i PATH=/usr/bin:/bin HOME=/root CARGO_HOME=/cargo \
            RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$DIRECTORY" CARGO_PROFILE_RELEASE_OPT_LEVEL=s \
            CARGO_ENCODED_RUSTFLAGS="$FLAGS" \
            CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=musl-gcc \
            cargo build --locked --release --target "$TARGET" $STD'
}

case ${1:-} in
    "") if have_rustup_target; then with_rustup; else with_debian; fi ;;
    --with-rustup) with_rustup ;;
    --with-debian) with_debian ;;
    *) echo "usage: $0 [--with-rustup | --with-debian]" >&2; exit 2 ;;
esac

mkdir -p "$(dirname "$out")"
cp "$build_directory/$target/release/node-agent" "$out.new"
mv "$out.new" "$out"
(cd "$(dirname "$out")" && sha256sum "$(basename "$out")" > "$(basename "$out").sha256")
ls -l "$out"
