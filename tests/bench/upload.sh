#!/usr/bin/env bash
# A tar.gz of a tree of 500 MB in 50,000 files through /upload/tar/stream, beside `tar xzf` of the same file: into a tmpfs
# and onto the disk; and an archive of 512 MB in 64 chunks by four connections, beside the stream.
. "$(dirname "$0")/common.sh"

[ "$runs" -le 3 ] || runs=3
memory_disk=$(mktemp -d /dev/shm/node-agent-bench.XXXXXX)
# An ext4 of its own: for minutes after a tree was removed ext4 looks at every inode that became free before it takes
# another one (seen: 17 s instead of 3), so what was removed before must not decide.
disk=$scratch/disk
truncate -s 12G "$scratch/image"
mkfs.ext4 -q -F "$scratch/image"
mkdir "$disk"
mount -o loop "$scratch/image" "$disk"
state_directory=$disk/state
clean_up_more() {
    rm -rf "$memory_disk"
    umount -l "$disk"
}

# A source tree: files of 10 kB, made of lines of this project's own sources.
make_tree() {
    python3 - "$1" "$root" <<'PY'
import glob, os, random, sys
target, root = sys.argv[1:]
random.seed(4)
lines = [line for path in sorted(glob.glob(f"{root}/src/**/*.rs", recursive=True)) for line in open(path, "rb")]
for directory in range(500):
    path = f"{target}/{directory}"
    os.makedirs(path)
    for name in range(100):
        text = b"".join(random.choices(lines, k=280))
        with open(f"{path}/{name}", "wb") as out:
            out.write((text * 2)[:10000] if len(text) < 10000 else text[:10000])
PY
}
make_tree "$memory_disk/tree"
archive=$scratch/tree.tgz
tar -C "$memory_disk/tree" -czf "$archive" .
rm -rf "$memory_disk/tree"

allowed_paths="$disk/:$memory_disk/"
start_agent
post() { curl -sSfo /dev/null -H "X-API-Key: $key" -H 'Expect:' -X POST "$@"; }
stream() { post -H 'Content-Type: application/gzip' -T "$archive" "$agent_url/upload/tar/stream?extract_path=$1"; }
by_tar() { mkdir -p "$1" && tar -C "$1" -xzf "$archive"; }
# On the disk both wait until it is there: the agent does before it answers.
by_tar_and_sync() { by_tar "$1" && sync -f "$1"; }

# measure HOW WHERE INTO: a line in $scratch/INTO. Nothing is removed from the disk before the end.
measure() {
    sync
    seconds_of "$1" "$2" >>"$scratch/$3"
}
for round in $(seq "$runs"); do
    measure stream "$memory_disk/ours" memory_ours
    measure by_tar "$memory_disk/theirs" memory_theirs
    rm -rf "$memory_disk/ours" "$memory_disk/theirs"
    measure stream "$disk/ours$round" disk_ours
    measure by_tar_and_sync "$disk/theirs$round" disk_theirs
done
ours=$(median <"$scratch/memory_ours") theirs=$(median <"$scratch/memory_theirs")
row "upload of 50,000 files into a tmpfs, s (tar xzf), speed" "$ours" "$theirs" "$(ratio "$theirs" "$ours")" ">=" 2.0
ours=$(median <"$scratch/disk_ours") theirs=$(median <"$scratch/disk_theirs")
row "the same onto the disk, s (tar xzf and sync), speed" "$ours" "$theirs" "$(ratio "$theirs" "$ours")" ">=" 1.0
peak=$(memory "$agent_pid" VmHWM)
row "peak resident of that, kB" "$peak" - "$peak" "<=" 4096

# 64 chunks of 8 MB: an archive of one large file.
large=$scratch/large
mkdir "$large"
head -c 536800000 /dev/zero | openssl enc -aes-128-ctr -pass pass:y -nosalt -pbkdf2 >"$large/file" 2>/dev/null
tar -C "$large" -cf "$scratch/large.tar" .
rm -rf "$large"
mkdir "$scratch/chunks"
split -n 64 -d -a 2 "$scratch/large.tar" "$scratch/chunks/"
one_stream() { post -H 'Content-Type: application/x-tar' -T "$scratch/large.tar" "$agent_url/upload/tar/stream?extract_path=$1"; }
# Four connections, each with every fourth chunk.
in_chunks() {
    local name=bench-$RANDOM$RANDOM chunk connection senders=()
    for connection in 0 1 2 3; do
        for ((chunk = connection; chunk < 64; chunk += 4)); do
            cat <<CONFIG
silent
show-error
fail
output = "/dev/null"
request = "POST"
header = "X-API-Key: $key"
header = "Content-Type: application/octet-stream"
header = "Expect:"
upload-file = "$scratch/chunks/$(printf %02d "$chunk")"
url = "$agent_url/upload/tar/chunked?chunk_id=$name&chunk_index=$chunk&total_chunks=64&extract_path=$1"
next
CONFIG
        done | sed '$d' >"$scratch/connection$connection"
        curl -K "$scratch/connection$connection" &
        senders+=($!)
    done
    wait "${senders[@]}"
}
# What chunks on the disk cost at least: every byte written and synced twice, by whoever is fast at it.
twice() {
    mkdir "$1"
    dd if="$scratch/large.tar" of="$1/whole" bs=1M conv=fsync status=none &
    seq -w 0 63 | xargs -P4 -I{} dd if="$scratch/chunks/{}" of="$1/{}" bs=1M conv=fsync status=none
    wait $!
}
for round in $(seq "$runs"); do
    measure one_stream "$disk/stream$round" one_stream
    measure in_chunks "$disk/chunked$round" in_chunks
    measure twice "$disk/twice$round" twice
done
ours=$(median <"$scratch/in_chunks") theirs=$(median <"$scratch/one_stream")
row "512 MB in 64 chunks by 4 connections, s (in one stream), speed" "$ours" "$theirs" "$(ratio "$theirs" "$ours")" ">=" 1.0
theirs=$(median <"$scratch/twice")
row "the same, s (64 files and one written with dd), speed" "$ours" "$theirs" "$(ratio "$theirs" "$ours")"
