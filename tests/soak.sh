#!/usr/bin/env bash
# Mixed real load on the binary that ships for HOURS (a fraction will do): uploads, follows, execs, builds, lists, wrong
# keys, disconnects. Fails when memory, descriptors or threads grow, or something is left. Prints the curve in ten lines;
# all of it is in target/soak/curve.csv.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ $# -eq 1 && $1 =~ ^([0-9]+|[0-9]*\.[0-9]+)$ ]] || { echo "usage: $0 HOURS, as 8 or 0.5" >&2; exit 2; }
export NODE_AGENT_TEST_BINARY=$PWD/target/dist/node-agent-x86_64-linux
[ -x "$NODE_AGENT_TEST_BINARY" ] || packaging/build-static.sh
NODE_AGENT_SOAK_SECONDS=$(awk -v hours="$1" 'BEGIN { printf "%d", hours * 3600 }')
export NODE_AGENT_SOAK_SECONDS
cargo test --test soak -- --nocapture
