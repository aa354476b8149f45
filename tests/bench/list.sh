#!/usr/bin/env bash
# GET /containers with a hundred containers, beside the engine's own list call.
. "$(dirname "$0")/common.sh"
. "$bench/image.sh"

make_image
for _ in $(seq 100); do docker create --label "$label" "$image" >/dev/null; done
start_agent
ours() { curl -sfo /dev/null -w '%{time_total}\n' -H "X-API-Key: $key" "$agent_url/containers?all=true"; }
theirs() { curl -sfo /dev/null -w '%{time_total}\n' --unix-socket "$engine_socket" 'http://d/v1.41/containers/json?all=1'; }
for _ in $(seq 20); do
    ours >>"$scratch/ours"
    theirs >>"$scratch/theirs"
done
ours=$(median <"$scratch/ours") theirs=$(median <"$scratch/theirs")
row "GET /containers, 100 containers, s (engine)" "$ours" "$theirs" "$(ratio "$ours" "$theirs")" "<=" 1.2
