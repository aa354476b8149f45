#!/usr/bin/env bash
# engines.sh [ENGINE…] [-- FILTER…]: runs the tests that use the engine against each of these engines, and prints what
# passed and failed with each. ENGINE: `host`, which is this machine's, or a release of Debian, whose engine runs in a
# container of its own; without any: host trixie sid. FILTER as for the test program; without any: containers, images,
# builds and what else asks the engine.
#
# Such a run has the engine's network, so that 127.0.0.1 is the same for both, and sees the engine's socket at the usual
# place: the tests need not know. Root; the machine's own engine must run.
set -euo pipefail
cd "$(dirname "$0")/.."

engines=() filters=()
while [ $# -gt 0 ]; do
    if [ "$1" = -- ]; then
        shift
        filters=("$@")
        break
    fi
    engines+=("$1")
    shift
done
[ ${#engines[@]} -gt 0 ] || engines=(host trixie sid)
[ ${#filters[@]} -gt 0 ] || filters=(
    container_api:: container_streams:: lifecycle:: replace:: replace_crash:: run_spec:: networks:: metrics_containers:: cron_engine::
    image_api:: image_faults:: pull:: pull_api:: pull_faults:: cleanup
    build_api:: build_faults:: build_tar:: buildkit:: dockerfile:: dockerfile_api:: context::)

results=$PWD/target/engines
mkdir -p "$results"
# Made by the engine, so that its shell commands find it; short, as a socket's path must be.
work=$(mktemp -d /tmp/node-agent-engines.XXXXXX)
container=
finish() {
    if [ -n "$container" ]; then
        docker rm --force --volumes "$container" >/dev/null || true
        container=
    fi
}
trap 'finish; rm -rf --one-file-system "$work"' EXIT

# start RELEASE: its engine, in a container that has the processes and cgroups of the machine, and /tmp, where tests keep
# what they mount. Its layers are in a volume: vfs on the container's own layer would copy each file twice.
start() {
    local image
    image=$(tests/engines/build.sh "$1")
    container=$(docker run --detach --pid=host --cgroupns=host \
        --cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add SYS_PTRACE --cap-add NET_RAW --cap-add SYS_TIME \
        --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
        --tmpfs /run --volume /var/lib/docker --volume /tmp:/tmp --volume "$PWD:$PWD" \
        "$image" "$work/$1.sock")
    for _ in $(seq 300); do
        docker --host "unix://$work/$1.sock" version >/dev/null 2>&1 && return
        sleep 0.1
    done
    docker logs "$container" 2>&1 | tail -n 20 >&2
    echo "the engine of $1 did not start" >&2
    return 1
}

# as_if RELEASE COMMAND…: the command beside its engine.
as_if() {
    local socket="$work/$1.sock" pid
    pid=$(docker inspect --format '{{.State.Pid}}' "$container")
    shift
    # shellcheck disable=SC2016 # the inner shell's
    nsenter --net="/proc/$pid/ns/net" unshare --mount sh -ec \
        'mount --bind "$0" /run/docker.sock; exec "$@"' "$socket" "$@"
}

# The table's rows: a line "MODULE passed failed" for each module of a run.
count() {
    awk '/^test .* \.\.\. (ok|FAILED)$/ {
            split($2, at, "::"); seen[at[1]] = 1
            if ($NF == "ok") passed[at[1]]++; else failed[at[1]]++
        }
        END { for (name in seen) print name, passed[name] + 0, failed[name] + 0 }' "$1" | sort
}

cargo test --test all --no-run
failed=0
names=() counts=()
for engine in "${engines[@]}"; do
    log=$results/$engine.log
    run=(cargo test --offline --test all -- "${filters[@]}")
    if [ "$engine" = host ]; then
        version=$(docker version --format '{{.Server.Version}}')
    else
        start "$engine"
        version=$(docker --host "unix://$work/$engine.sock" version --format '{{.Server.Version}}')
        run=(as_if "$engine" "${run[@]}")
    fi
    echo "engine $version ($engine): see $log"
    "${run[@]}" > "$log" 2>&1 || failed=1
    # A run that broke off before its end has no result.
    grep -q '^test result: ' "$log" || { tail -n 20 "$log" >&2; failed=1; }
    count "$log" > "$results/$engine.counts"
    sed -n 's/^test \(.*\) \.\.\. FAILED$/  failed: \1/p' "$log"
    names+=("$engine=$version")
    counts+=("$results/$engine.counts")
    finish
done

awk -v names="${names[*]}" '
    { rows[$1] = 1; file = FILENAME; sub(/.*\//, "", file); sub(/\.counts$/, "", file)
      seen[$1, file] = $2 "/" ($2 + $3); passed[file] += $2; all[file] += $2 + $3 }
    END {
        columns = split(names, name, " ")
        line = sprintf("%-20s", "passed/run")
        for (i = 1; i <= columns; i++) { split(name[i], part, "="); key[i] = part[1]; line = line sprintf("%16s", part[2]) }
        print line
        for (row in rows) {
            line = sprintf("%-20s", row)
            for (i = 1; i <= columns; i++) line = line sprintf("%16s", seen[row, key[i]])
            print line | "sort"
        }
        close("sort")
        line = sprintf("%-20s", "all")
        for (i = 1; i <= columns; i++) line = line sprintf("%16s", passed[key[i]] "/" all[key[i]])
        print line
    }' "${counts[@]}"
exit "$failed"
