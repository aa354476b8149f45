# A small image made here, and the removal of all that is made from it. Sourced after common.sh.

label=node-agent-bench=$$
image=node-agent-bench:$$

make_image() {
    tar -C "$(dirname "$(command -v busybox)")" -c busybox | docker import -c 'CMD ["/busybox","true"]' - "$image" >/dev/null
}

# Builds it from a directory with the classic builder, which warns each time that it is deprecated.
docker_build() {
    DOCKER_BUILDKIT=0 docker build -qt "$image" "$@" >/dev/null 2>"$scratch/build.log" && return
    cat "$scratch/build.log" >&2
    return 1
}

clean_up_more() {
    docker ps -aq --filter "label=$label" | xargs -r docker rm -fv >/dev/null 2>&1 || true
    docker network ls -q --filter "label=$label" | xargs -r docker network rm >/dev/null 2>&1 || true
    docker image rm -f "$image" >/dev/null 2>&1 || true
}
