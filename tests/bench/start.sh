#!/usr/bin/env bash
# From the start of the process to its first answer to /ping, in milliseconds; the port is known beforehand.
. "$(dirname "$0")/common.sh"

port=19080
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done

# Asks without starting a program: a curl alone takes as long as the agent.
answers() {
    local line
    { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
    printf 'GET /ping HTTP/1.0\r\n\r\n' >&3
    read -r line <&3
    exec 3>&-
    [[ $line == "HTTP/1.1 200"* ]]
}

first_ping() {
    env -i NODE_AGENT_BIND="127.0.0.1:$port" NODE_AGENT_API_KEY="$key" \
        NODE_AGENT_STATE_DIR="$scratch/state" NODE_AGENT_MIN_FREE_BYTES=1 \
        "$agent_binary" serve </dev/null 2>>"$scratch/agent.log" &
    agent_pid=$!
    started+=("$agent_pid")
    until answers; do :; done
}

for _ in 1 2 3 4 5 6 7 8 9 10; do
    begin=$EPOCHREALTIME
    first_ping
    end=$EPOCHREALTIME
    awk -v a="$begin" -v b="$end" 'BEGIN { printf "%.2f\n", (b - a) * 1000 }' >>"$scratch/times"
    stop_agent
done
time=$(median <"$scratch/times")
row "start to first /ping, ms" "$time" - "$time" "<=" 20
