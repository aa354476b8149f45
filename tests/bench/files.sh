#!/usr/bin/env bash
# A file of 1 GB written and read raw, beside the same bytes through a plain socket (`nc`-like, by Python) onto the same
# disk. The agent's write is on the disk when it answers; so is the other's, by fsync.
. "$(dirname "$0")/common.sh"

[ "$runs" -le 3 ] || runs=3
bytes=1000000000
source=$scratch/source
head -c $bytes /dev/zero | openssl enc -aes-128-ctr -pass pass:x -nosalt -pbkdf2 >"$source" 2>/dev/null

# A receiver that takes one connection and writes what comes to a file, and a sender of a file.
peer() {
    python3 - "$@" <<'PY'
import os, socket, sys
way, path = sys.argv[1:]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
buffer = bytearray(1 << 16)
if way == "take":
    # Past the request's head, then to the end of what curl sends.
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    left = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    with open(path, "wb", buffering=0) as out:
        while left:
            count = connection.recv_into(buffer)
            out.write(memoryview(buffer)[:count])
            left -= count
        os.fsync(out.fileno())
else:
    while b"\r\n\r\n" not in connection.recv(1 << 16):
        pass
    with open(path, "rb", buffering=0) as source:
        length = os.fstat(source.fileno()).st_size
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % length)
        while count := source.readinto(buffer):
            connection.sendall(memoryview(buffer)[:count])
if way == "take":
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
PY
}

# Starts a peer; sets peer_url.
start_peer() {
    exec 4< <(peer "$1" "$2")
    read -r port <&4
    peer_url=http://127.0.0.1:$port/
}

ours_write() {
    curl -sSfo /dev/null -H "X-API-Key: $key" -H 'Content-Type: application/octet-stream' -H 'Expect:' -X POST -T "$source" \
        "$agent_url/files/write?path=$scratch/written"
}
theirs_write() { curl -sSfo /dev/null -H 'Expect:' -X POST -T "$source" "$peer_url"; }
ours_read() {
    curl -sSfo /dev/null -H "X-API-Key: $key" -H 'Accept: application/octet-stream' "$agent_url/files/read?path=$source"
}
theirs_read() { curl -sSfo /dev/null "$peer_url"; }

start_agent
for _ in $(seq "$runs"); do
    rm -f "$scratch/written"; sync
    seconds_of ours_write >>"$scratch/ours_write"
    rm -f "$scratch/written"; sync
    start_peer take "$scratch/written"
    seconds_of theirs_write >>"$scratch/theirs_write"
    rm -f "$scratch/written"; sync
    seconds_of ours_read >>"$scratch/ours_read"
    start_peer give "$source"
    seconds_of theirs_read >>"$scratch/theirs_read"
done
for way in write read; do
    ours=$(median <"$scratch/ours_$way") theirs=$(median <"$scratch/theirs_$way")
    row "1 GB by files/$way, s (a plain socket), speed" "$ours" "$theirs" "$(ratio "$theirs" "$ours")" ">=" 0.8
done
peak=$(memory "$agent_pid" VmHWM)
row "peak resident of that, kB" "$peak" - "$peak" "<=" 4096
