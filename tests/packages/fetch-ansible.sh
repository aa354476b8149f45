#!/usr/bin/env bash
# Puts ansible-core from PyPI into the directory given, and nothing anywhere else. Prints nothing when it is there.
set -euo pipefail

# The last one that runs on Python 3.11, Debian 12's.
version=2.19.0

[ -e "$1/$version" ] && exit
rm -rf "$1.part"
mkdir -p "$(dirname "$1")"
python3 -m pip install --quiet --root-user-action=ignore --target "$1.part" "ansible-core==$version"
touch "$1.part/$version"
rm -rf "$1"
mv "$1.part" "$1"
