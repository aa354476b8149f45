#!/usr/bin/env bash
# A build from 20,000 small files beside `docker build` with the classic builder, and the most memory that 300 MB take.
. "$(dirname "$0")/common.sh"
. "$bench/image.sh"

# A round takes up to a minute.
[ "$runs" -le 3 ] || runs=3
small=$scratch/small
large=$scratch/large

make_contexts() {
    local directory file
    for directory in $(seq 200); do
        mkdir -p "$small/$directory"
        for file in $(seq 100); do printf "%0$((file * 20))d" 0 >"$small/$directory/$file"; done
    done
    mkdir "$large"
    for file in 1 2 3; do head -c 100000000 /dev/urandom >"$large/$file"; done
    for directory in "$small" "$large"; do printf 'FROM scratch\nCOPY . /c\n' >"$directory/Dockerfile"; done
}

ours() {
    curl -sSfo /dev/null -H "X-API-Key: $key" "$agent_url/docker/build" \
        -d "{\"context_path\":\"$1\",\"tag\":\"$image\",\"no_cache\":true}"
}
theirs() { docker_build --no-cache "$1"; }

# Adds a line to $scratch/WAY. Each begins without the image and with nothing that waits for the disk.
measure() {
    docker image rm -f "$image" >/dev/null 2>&1 || true
    sync
    seconds_of "$1" "$small" >>"$scratch/$1"
}

make_contexts
start_agent
for _ in $(seq "$runs"); do
    measure ours
    measure theirs
done
ours=$(median <"$scratch/ours") theirs=$(median <"$scratch/theirs")
row "build from 20,000 files, s (docker build)" "$ours" "$theirs" "$(ratio "$ours" "$theirs")" "<=" 1.0
docker image rm -f "$image" >/dev/null
ours "$large"
peak=$(memory "$agent_pid" VmHWM)
row "peak resident of that and of a build from 300 MB, kB" "$peak" - "$peak" "<=" 6144
