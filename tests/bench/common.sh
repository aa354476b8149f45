# What the measurements share: a scratch directory, agents, medians, rows of the table. Sourced, not run.
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$bench/../.." && pwd)
# What is shipped, as packaging/build-static.sh makes it.
agent_binary=$root/target/dist/node-agent-x86_64-linux
# Runs of each measurement, and seconds of each run under load.
runs=${BENCH_RUNS:-5}
seconds=${BENCH_SECONDS:-3}
engine_socket=/var/run/docker.sock
key=1b32c28cb38c05480eccc1bd60ff97029b57a05c96718b96dad7e9d84894f549

scratch=$(mktemp -d)
started=()

# Stops what was started here and nothing else, whatever ended us. A measurement adds its own `clean_up_more`.
clean_up() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    if declare -F clean_up_more >/dev/null; then clean_up_more; fi
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Starts an agent on a free port, its log in a file as nginx's is; sets agent_pid and agent_url.
start_agent() {
    rm -rf "${state_directory:=$scratch/state}"
    : >"$scratch/agent.log"
    env -i PATH="$PATH" NODE_AGENT_BIND=127.0.0.1:0 NODE_AGENT_API_KEY="$key" \
        NODE_AGENT_STATE_DIR="$state_directory" NODE_AGENT_MIN_FREE_BYTES=1 \
        NODE_AGENT_ALLOWED_PATHS="${allowed_paths:-$scratch/}" "$agent_binary" serve </dev/null 2>>"$scratch/agent.log" &
    agent_pid=$!
    started+=("$agent_pid")
    local address=
    until address=$(grep -om1 'listens on .*' "$scratch/agent.log"); do
        kill -0 "$agent_pid" || { cat "$scratch/agent.log" >&2; exit 1; }
        sleep 0.01
    done
    agent_url=http://${address#listens on }
}

stop_agent() {
    kill "$agent_pid"
    wait "$agent_pid" 2>/dev/null || true
}

# A figure of /proc/PID/status in kB.
memory() { awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"; }

# The median of the numbers on stdin.
median() { sort -g | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# ratio A B
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# Seconds that a command takes.
seconds_of() {
    local start=$EPOCHREALTIME
    "$@"
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.6f\n", b - a }'
}

# row WHAT OURS THEIRS VALUE RELATION TARGET: VALUE is what is held against the target.
row() {
    local verdict=
    # Some figures are good to know and held to nothing.
    [ $# -lt 6 ] || verdict=$(awk -v v="$4" -v r="$5" -v t="$6" 'BEGIN { print (r == ">=" ? v >= t : v <= t) ? "met" : "missed" }')
    echo "| $1 | $2 | $3 | $4 | ${5-} ${6-} | $verdict |"
}
