#!/usr/bin/env bash
# GET /metrics with a hundred running containers, beside `docker stats --no-stream`. Between two requests there is a second
# or more, as between a scraper's, so that each compares with an earlier sample instead of waiting for a window.
. "$(dirname "$0")/common.sh"
. "$bench/image.sh"

make_image
network=node-agent-bench-$$
docker network create --label "$label" "$network" >/dev/null
for _ in $(seq 100); do
    docker run -d --label "$label" --network "$network" "$image" /busybox sleep 100000 >/dev/null
done
start_agent
ask() { curl -sfo "$scratch/metrics" -w '%{time_total}\n' -H "X-API-Key: $key" "$agent_url/metrics$1"; }

first=$(ask '')
row "GET /metrics, the first after a start, s" "$first" - "$first"
for _ in $(seq 20); do
    sleep 1.1
    ask '' >>"$scratch/json"
    ask '?format=prometheus' >>"$scratch/text"
done
stats() { docker stats --no-stream >/dev/null; }
for _ in $(seq 3); do seconds_of stats >>"$scratch/theirs"; done
json=$(median <"$scratch/json") text=$(median <"$scratch/text") theirs=$(median <"$scratch/theirs")
# Figures of all of them, and from the kernel.
ask '' >/dev/null
read_from_kernel=$(grep -o '"source":"cgroup"' "$scratch/metrics" | wc -l)
[ "$read_from_kernel" -ge 100 ] || { echo "only $read_from_kernel containers had figures" >&2; exit 1; }
row "GET /metrics, 100 containers, s" "$json" - "$json" "<=" 0.05
row "the same for Prometheus, s" "$text" - "$text" "<=" 0.05
row "GET /metrics, 100 containers, s (docker stats --no-stream)" "$json" "$theirs" "$(awk -v a="$json" -v b="$theirs" 'BEGIN { printf "%.4f", a / b }')" "<=" 0.05
