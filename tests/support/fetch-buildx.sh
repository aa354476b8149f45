#!/usr/bin/env bash
# Fetches the docker CLI's buildx plugin into the directory given, for the tests that build with BuildKit. Debian 12 has
# no package of it; the one of Debian 13 is a single static program and runs here too. It is taken from the mirror that
# apt is set up with, through lists of its own, and not installed: the machine stays as it is.
set -euo pipefail

plugin="$1/docker-buildx"
[ -x "$plugin" ] && exit

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{sources,lists/partial,cache/archives/partial}

# Prints where apt gets Debian from, as a source of Debian 13.
source_line() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
        grep -v -m 1 security) || {
        echo "apt knows no mirror of Debian; run apt-get update" >&2
        exit 1
    }
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main"
}

source_line > "$work/sources/trixie.list"
options=(-qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" -o Dir::State="$work"
         -o Dir::State::status=/dev/null -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root)
apt-get "${options[@]}" update
cd "$work"
apt-get "${options[@]}" download docker-buildx
dpkg-deb -x docker-buildx_*.deb .
cd "$OLDPWD"
mkdir -p "$1"
# Moved in one step: a fetch that breaks off leaves nothing that looks complete.
cp "$work/usr/libexec/docker/cli-plugins/docker-buildx" "$plugin.part"
mv "$plugin.part" "$plugin"
