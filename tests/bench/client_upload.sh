#!/usr/bin/env bash
# The client's `upload` of a directory of 1 GB, beside `tar cz | curl` to /upload/tar/stream with the same compression
# level, both over loopback onto the same disk.
. "$(dirname "$0")/common.sh"

[ "$runs" -le 3 ] || runs=3
megabytes=${BENCH_MEGABYTES:-1000}
level=6
allowed_paths="$scratch/"

# Files of 1 MB and of 10 kB, half of the bytes in each, made of lines of this project's own sources and of noise that
# no compression makes less: about a half is left of it, as of a release with its libraries.
python3 - "$scratch/tree" "$root" "$megabytes" <<'PY'
import glob, os, random, sys
target, root, megabytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(6)
lines = [line for path in sorted(glob.glob(f"{root}/src/**/*.rs", recursive=True)) for line in open(path, "rb")]
def content(size):
    text = b"".join(random.choices(lines, k=size // 60))[: size * 2 // 3]
    return text + random.randbytes(size - len(text))
for number in range(megabytes // 2):
    directory = f"{target}/{number % 50}"
    os.makedirs(directory, exist_ok=True)
    open(f"{directory}/large{number}", "wb").write(content(1_000_000))
    for small in range(100):
        open(f"{directory}/small{number}-{small}", "wb").write(content(10_000))
PY

start_agent
export NODE_AGENT_HOST=${agent_url#http://} NODE_AGENT_KEY=$key
client() { "$agent_binary" upload --level "$level" "$scratch/tree" "$1" >/dev/null; }
by_curl() {
    tar -C "$scratch/tree" -c . | gzip "-$level" | curl -sSfo /dev/null -H "X-API-Key: $key" -H 'Expect:' -X POST \
        -H 'Content-Type: application/gzip' -T - "$agent_url/upload/tar/stream?extract_path=$1"
}

for round in $(seq "$runs"); do
    seconds_of client "$scratch/ours" >>"$scratch/times_ours"
    diff -r "$scratch/tree" "$scratch/ours" >&2
    rm -rf "$scratch/ours"
    sync
    seconds_of by_curl "$scratch/theirs" >>"$scratch/times_theirs"
    rm -rf "$scratch/theirs"
    sync
done
ours=$(median <"$scratch/times_ours") theirs=$(median <"$scratch/times_theirs")
row "client: upload of $megabytes MB, s (tar cz and curl), speed" "$ours" "$theirs" "$(ratio "$theirs" "$ours")" ">=" 0.9
