#!/usr/bin/env bash
# Builds target/dist/node-agent_VERSION_amd64.deb, and its sha256 beside it, from the static binary (or the one that is
# named) and packaging/debian/. Two builds of the same commit and binary give the same bytes.
# usage: packaging/build-deb.sh [BINARY]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/common.sh
. packaging/common.sh

debian=packaging/debian
documents=usr/share/doc/node-agent

# $1: where from, $2: where to, below the package's root.
compressed() {
    mkdir -p "$(dirname "$root/$2")"
    # -n: without the time and the name, which would differ.
    gzip -9n < "$1" > "$root/$2"
}

# A changelog of Debian's form. A version without a hyphen has one only, named so (policy 12.7).
changelog() {
    local known
    known=$(sed -n '1s/^node-agent (\(.*\)) .*/\1/p' "$debian/changelog")
    if [ "$known" != "$version" ]; then
        echo "$debian/changelog is about $known, Cargo.toml about $version" >&2
        exit 1
    fi
    sed "s/@DATE@/$(date --rfc-email --date="@$SOURCE_DATE_EPOCH")/" "$debian/changelog" > "$work/changelog"
    compressed "$work/changelog" "$documents/changelog.gz"
}

# What is not there yet is not packed.
manual_and_completions() {
    local page
    for page in packaging/node-agent.1 packaging/man/*.1; do
        if [ -e "$page" ]; then compressed "$page" "usr/share/man/man1/$(basename "$page").gz"; fi
    done
    local from=packaging/completions
    [ -d "$from" ] || return 0
    install -Dm 644 "$from/node-agent.bash" "$root/usr/share/bash-completion/completions/node-agent"
    install -Dm 644 "$from/_node-agent" "$root/usr/share/zsh/vendor-completions/_node-agent"
    install -Dm 644 "$from/node-agent.fish" "$root/usr/share/fish/vendor_completions.d/node-agent.fish"
}

files() {
    install -Dm 755 "$program" "$root/usr/bin/node-agent"
    # /usr/local is not for packages (policy 9.1.2).
    mkdir -p "$root/lib/systemd/system"
    local unit
    for unit in packaging/node-agent.service packaging/node-agent.socket; do
        [ -e "$unit" ] || continue
        sed 's,/usr/local/bin/node-agent,/usr/bin/node-agent,g' "$unit" > "$root/lib/systemd/system/$(basename "$unit")"
    done
    install -d -m 700 "$root/etc/node-agent"
    install -m 600 packaging/node-agent.env "$root/etc/node-agent/env"
    install -Dm 644 "$debian/copyright" "$root/$documents/copyright"
    install -Dm 644 "$debian/lintian-overrides" "$root/usr/share/lintian/overrides/node-agent"
    compressed README.md "$documents/README.md.gz"
    compressed packaging/CHANGELOG.md "$documents/CHANGELOG.md.gz"
    changelog
    manual_and_completions
}

control() {
    mkdir "$root/DEBIAN"
    local size script
    size=$(du --apparent-size --block-size=1024 --summarize "$root" | cut -f1)
    sed "s/@VERSION@/$version/; s/@SIZE@/$size/" "$debian/control" > "$root/DEBIAN/control"
    install -m 644 "$debian/conffiles" "$root/DEBIAN/conffiles"
    for script in postinst prerm postrm; do
        install -m 755 "$debian/$script" "$root/DEBIAN/$script"
    done
    (cd "$root" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' |
        sort --zero-terminated | xargs -0 md5sum) > "$root/DEBIAN/md5sums"
}

program=$(binary "${1:-}")
scratch
root=$work/root
mkdir "$root"
files
control
set_times "$root"
# One thread: how many there are decides where xz cuts.
dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$root" "$work/package.deb" >/dev/null
publish "$work/package.deb" "target/dist/node-agent_${version}_amd64.deb"
