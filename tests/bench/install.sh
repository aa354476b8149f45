#!/usr/bin/env bash
# `node-agent install` on a booted droplet, from the single file to the answer to its first /ping, which it waits for.
. "$(dirname "$0")/common.sh"

image=$("$root/tests/droplet/build.sh")
droplet=$(docker run --detach --hostname=droplet --cap-add=SYS_ADMIN --cap-add=NET_ADMIN --cap-add=SYS_PTRACE \
    --cap-add=NET_RAW --security-opt=seccomp=unconfined --security-opt=apparmor=unconfined --cgroupns=private \
    --tmpfs=/run --tmpfs=/tmp --env=container=docker --stop-signal=SIGRTMIN+3 "$image")
clean_up_more() { docker rm --force --volumes "$droplet" >/dev/null; }
inside() { docker exec "$droplet" "$@"; }

for _ in $(seq 60); do
    state=$(inside systemctl is-system-running 2>/dev/null || true)
    [ "$state" != running ] && [ "$state" != degraded ] || break
    sleep 1
done
inside mkdir /root/install
docker cp "$agent_binary" "$droplet:/root/install/node-agent" >/dev/null
for _ in $(seq "$runs"); do
    seconds_of inside /root/install/node-agent install >>"$scratch/times" 2>"$scratch/said" ||
        { cat "$scratch/said" >&2; exit 1; }
    inside curl -sfo /dev/null http://127.0.0.1:9999/ping
    inside /root/install/node-agent uninstall --purge >/dev/null
done
# The command's own words are on its stdout, too.
time=$(grep -E '^[0-9.]+$' "$scratch/times" | median)
row "install to first /ping, s" "$time" - "$time" "<=" 2
