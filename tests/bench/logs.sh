#!/usr/bin/env bash
# 200 MB of logs through the agent, beside `docker logs`: a follow of everything until the container's end, and text.
. "$(dirname "$0")/common.sh"
. "$bench/image.sh"

make_image
container=$(docker create --label "$label" --log-driver json-file \
    --log-opt max-size=1g --log-opt max-file=1 "$image" /busybox sh -c \
    '/busybox yes "$(/busybox printf "%0199d" 0)" | /busybox head -c 200000000')
docker start -a "$container" >/dev/null
start_agent
fetch() {
    curl -sfo /dev/null -H "X-API-Key: $key" -H 'Accept: text/plain' \
        "$agent_url/containers/$container/logs?tail=all$1"
}
bytes=$(curl -sf -H "X-API-Key: $key" -H 'Accept: text/plain' \
    "$agent_url/containers/$container/logs?tail=all" | wc -c)
[ "$bytes" = 200000000 ] || { echo "only $bytes bytes of logs came" >&2; exit 1; }
by_docker() { docker logs "$container" >/dev/null; }
for _ in $(seq "$runs"); do
    seconds_of fetch '&follow=true' >>"$scratch/follow"
    seconds_of by_docker >>"$scratch/theirs"
    seconds_of fetch '' >>"$scratch/text"
done
theirs=$(median <"$scratch/theirs") follow=$(median <"$scratch/follow") text=$(median <"$scratch/text")
row "follow of 200 MB of logs, s (docker logs), speed" "$follow" "$theirs" "$(ratio "$theirs" "$follow")" ">=" 0.9
row "the same as text, s (docker logs), speed" "$text" "$theirs" "$(ratio "$theirs" "$text")" ">=" 0.9
peak=$(memory "$agent_pid" VmHWM)
row "peak resident of all that, kB" "$peak" - "$peak" "<=" 8192
