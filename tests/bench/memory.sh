#!/usr/bin/env bash
# Resident size after the start and 100 pings, at rest, and after a million.
. "$(dirname "$0")/common.sh"

start_agent
for _ in $(seq 100); do curl -so /dev/null "$agent_url/ping"; done
early=$(memory "$agent_pid" VmRSS)
row "resident after 100 pings, kB" "$early" - "$early" "<=" 3072

# Two rounds of the probe, which lets go of code that nothing needs; the worst of ten seconds counts.
sleep 10
rest=0
for _ in $(seq 100); do
    now=$(memory "$agent_pid" VmRSS)
    [ "$now" -le "$rest" ] || rest=$now
    sleep 0.1
done
row "resident at idle, kB" "$rest" - "$rest" "<=" 1536

# Buffers of connections and of the log get their size with the first load; after that nothing may grow.
wrk -c32 -t2 -d2s "$agent_url/ping" >/dev/null
loaded=$(memory "$agent_pid" VmRSS)
row "resident after the first load, kB (after 100)" "$loaded" "$early" "$(ratio "$loaded" "$early")"

# wrk counts time, not requests: seconds at a time until the log has a line for each.
while [ "$(grep -c 'path=/ping' "$scratch/agent.log")" -lt 1000000 ]; do
    wrk -c32 -t2 -d5s "$agent_url/ping" >/dev/null
done
late=$(memory "$agent_pid" VmRSS)
row "resident after 1,000,000 pings, kB (after the first load)" "$late" "$loaded" "$(ratio "$late" "$loaded")" "<=" 1.1
size=$(($(stat -c %s "$agent_binary") / 1000))
row "binary, 1000 bytes" "$size" - "$size" "<=" 2000
