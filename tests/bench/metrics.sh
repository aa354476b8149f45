#!/usr/bin/env bash
# GET /metrics with a hundred running containers, beside `docker stats --no-stream`. Between two requests there is a second
# or more, as between a scraper's, so that each compares with an earlier sample instead of waiting for a window.
. "$(dirname "$0")/common.sh"
. "$bench/image.sh"

make_image
# The default bridge takes a thousand; starting them one by one is most of the time here.
docker network create --label "$label" "node-agent-bench-$$" >/dev/null
clean_up_network() { docker network rm "node-agent-bench-$$" >/dev/null 2>&1 || true; }
clean_up_containers=$(declare -f clean_up_more)
eval "${clean_up_containers/clean_up_more/clean_up_image}"
clean_up_more() { clean_up_image; clean_up_network; }
for _ in $(seq 100); do
    docker run -d --label "$label" --network "node-agent-bench-$$" "$image" /busybox sleep 100000 >/dev/null
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
for _ in $(seq 3); do seconds_of docker stats --no-stream >/dev/null 2>>"$scratch/stats"; done
for _ in $(seq 3); do seconds_of docker stats --no-stream --format '{{.Name}}' | tail -n 1 >>"$scratch/theirs"; done
json=$(median <"$scratch/json") text=$(median <"$scratch/text") theirs=$(median <"$scratch/theirs")
listed=$(ask '' >/dev/null; python3 -c 'import json, sys; print(sum(one["source"] == "cgroup" for one in json.load(open(sys.argv[1]))["containers"]))' "$scratch/metrics")
[ "$listed" -ge 100 ] || { echo "only $listed containers had figures" >&2; exit 1; }
row "GET /metrics, 100 containers, s" "$json" - "$json" "<=" 0.05
row "the same for Prometheus, s" "$text" - "$text" "<=" 0.05
row "GET /metrics, 100 containers, s (docker stats --no-stream)" "$json" "$theirs" "$(awk -v a="$json" -v b="$theirs" 'BEGIN { printf "%.4f", a / b }')" "<=" 0.05
