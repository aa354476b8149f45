#!/usr/bin/env bash
# What the agent takes when nobody asks it anything: processor time over a minute, and processes it starts. The engine is
# looked at every five seconds meanwhile.
. "$(dirname "$0")/common.sh"

start_agent
# The time that the scheduler gave to its threads, in nanoseconds: finer than the ticks of /proc/PID/stat.
ran() { cat "/proc/$agent_pid"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }
# Ticks of a hundredth of a second; the second field, the name, has no spaces here.
ticks() { awk '{ print $14 + $15 }' "/proc/$agent_pid/stat"; }
# Page faults of children that were waited for: no process starts and ends without any. One that was not waited for is
# still listed as a child.
children() { awk '{ print $11 }' "/proc/$agent_pid/stat"; cat "/proc/$agent_pid"/task/*/children; }
threads() { ls "/proc/$agent_pid/task"; }

# Workers leave ten seconds after a load, and take their time with them.
sleep 12
ran_before=$(ran) ticks_before=$(ticks) children_before=$(children) threads_before=$(threads)
start=$EPOCHREALTIME
sleep "${BENCH_IDLE_SECONDS:-60}"
ran_after=$(ran) ticks_after=$(ticks) passed=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
[ "$threads_before" = "$(threads)" ] || { echo "its threads are others now; the time of those that left is missing" >&2; exit 1; }
forked=$([ "$children_before" = "$(children)" ] && echo 0 || echo 1)

share() { awk -v a="$1" -v b="$2" -v per_second="$3" -v s="$passed" 'BEGIN { printf "%.4f", (b - a) / per_second / s * 100 }'; }
percent=$(share "$ran_before" "$ran_after" 1e9)
row "idle agent, % of a core over ${passed%.*} s (in ticks)" "$percent" "$(share "$ticks_before" "$ticks_after" 100)" "$percent" "<=" 0.1
row "idle agent, processes started" "$forked" - "$forked" "<=" 0
