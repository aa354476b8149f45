#!/usr/bin/env bash
# An image of 500 MB loaded by each way there is, beside `docker load`: seconds, and the most memory the agent had.
. "$(dirname "$0")/common.sh"
. "$bench/image.sh"

archive=$scratch/archive.tar
json=$scratch/archive.json

# Random, so that no filesystem and no engine finds anything to save.
make_archive() {
    local layer
    make_image
    mkdir "$scratch/layers"
    echo "FROM $image" >"$scratch/layers/Dockerfile"
    for layer in 1 2 3 4; do
        head -c 125000000 /dev/urandom >"$scratch/layers/$layer"
        echo "COPY $layer /" >>"$scratch/layers/Dockerfile"
    done
    docker_build "$scratch/layers"
    docker save -o "$archive" "$image"
    rm -r "$scratch/layers"
    { printf '{"image_tar_b64":"'; base64 -w0 "$archive"; printf '"}'; } >"$json"
}

post() { curl -sSfo /dev/null -X POST -H "X-API-Key: $key" "${@:2}" "$agent_url$1"; }
stream() { post /docker/load/stream -H 'Content-Type: application/x-tar' -T "$archive"; }
form() { post /docker/load -F "image_tar=@$archive"; }
base64_json() { post /docker/load -H 'Content-Type: application/json' -T "$json"; }
by_docker() { docker load -qi "$archive" >/dev/null; }
# On the disk of the state directory, as the form is.
copy_by_docker() {
    cat "$archive" >"$scratch/copy"
    docker load -qi "$scratch/copy" >/dev/null
}

# Adds a line to $scratch/WAY. Each begins without the image and with nothing that waits for the disk.
measure() {
    docker image rm -f "$image" >/dev/null
    rm -f "$scratch/copy"
    sync
    # Forgets the highest resident size so far (proc(5)).
    echo 5 >"/proc/$agent_pid/clear_refs"
    seconds_of "$1" >>"$scratch/$1"
    memory "$agent_pid" VmHWM >>"$scratch/$1.peak"
}

make_archive
start_agent
for _ in $(seq "$runs"); do
    for way in stream by_docker form copy_by_docker base64_json; do measure "$way"; done
done

# compare WHAT OURS THEIRS [RELATION TARGET]
compare() {
    local ours theirs
    ours=$(median <"$scratch/$2") theirs=$(median <"$scratch/$3")
    row "$1" "$ours" "$theirs" "$(ratio "$ours" "$theirs")" "${@:4}"
}
peak() {
    local most
    most=$(sort -g "$scratch/$2.peak" | tail -n1)
    row "peak resident of $1, kB" "$most" - "$most" "<=" 6144
}
compare "500 MB to /docker/load/stream, s (docker load)" stream by_docker "<=" 1.1
compare "the same as a form, s (cat to disk and docker load)" form copy_by_docker "<=" 1.1
compare "the same as base64 in JSON, s (the form)" base64_json form
peak "the stream" stream
peak "the form" form
peak "the base64" base64_json
