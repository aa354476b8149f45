#!/usr/bin/env bash
# Fuzzes everything that reads what others wrote. Without a number: a short run, some seconds for each target, as
# tests/run.sh does it. `run.sh MINUTES`: that many minutes for each target, one after the other; `run.sh MINUTES
# TARGET…`: these only. New inputs are kept in target/fuzz/corpus; what is committed, in seeds/, is only read.
# Installs what is missing: a C++ compiler (apt, as root), cargo-fuzz (crates.io). Needs the nightly toolchain.
set -euo pipefail
cd "$(dirname "$0")"
minutes=${1:-}
[[ $minutes =~ ^[0-9]*$ ]] || { echo "usage: $0 [MINUTES [TARGET…]]" >&2; exit 2; }
[ $# -gt 0 ] && shift
seconds=$(( ${minutes:-0} * 60 ))
[ "$seconds" -gt 0 ] || seconds=2

command -v c++ >/dev/null || { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq g++ >/dev/null; }
cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-fuzz --version 0.13.2
rustup toolchain list | grep -q ^nightly || rustup toolchain install nightly --profile minimal

export CARGO_TARGET_DIR=$PWD/../../target/fuzz
# Without a sanitizer: unsafe code is in `sys` alone, and ten times the inputs are worth more here. With checks of
# arithmetic and with debug assertions.
cargo +nightly fuzz build --fuzz-dir . -O -a -s none
programs=$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release
mkdir -p "$CARGO_TARGET_DIR/artifacts"
# Where archives are unpacked: in memory. libFuzzer ends without destructors, so it is taken away here.
TMPDIR=$(mktemp -d /dev/shm/node-agent-fuzz.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(basename -s .rs -a targets/*.rs); fi
failed=()
for target in "${targets[@]}"; do
    corpus=$CARGO_TARGET_DIR/corpus/$target
    said=$CARGO_TARGET_DIR/$target.log
    mkdir -p "$corpus"
    dictionary=()
    [ -f "dictionaries/$target" ] && dictionary=("-dict=dictionaries/$target")
    # An input that takes 5 s, or a gigabyte, is a finding.
    if "$programs/$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
        "${dictionary[@]}" -artifact_prefix="$CARGO_TARGET_DIR/artifacts/$target-" "$corpus" "seeds/$target" \
        >"$said" 2>&1; then
        printf '%-20s %12s executions\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$said")"
    else
        failed+=("$target")
        echo "$target: a finding" >&2
        tail -n 40 "$said" >&2
    fi
done
[ ${#failed[@]} -eq 0 ] || { echo "findings: ${failed[*]}; the inputs are in target/fuzz/artifacts" >&2; exit 1; }
