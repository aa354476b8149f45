#!/usr/bin/env bash
# Runs everything: formatting, lints, documentation, all tests. Installs what is missing (apt, as root) and starts the
# Docker engine if none answers. A test that cannot run for want of a tool fails; nothing is skipped.
# NODE_AGENT_TEST_BINARY: another build of the agent to install in the droplets than the static one, which ships.
set -euo pipefail
cd "$(dirname "$0")/.."

# The packages whose programs the tests use, as program:package.
needed=(curl:curl python3:python3 haproxy:haproxy busybox:busybox-static docker-registry:docker-registry
        htpasswd:apache2-utils git:git ssh:openssh-client sshd:openssh-server prlimit:util-linux unshare:util-linux
        kill:procps setpriv:util-linux strip:binutils cc:gcc c++:g++ docker:docker.io debootstrap:debootstrap
        nginx:nginx-light promtool:prometheus crontab:cron zsh:zsh fish:fish mandoc:mandoc
        lintian:lintian cloud-init:cloud-init pip3:python3-pip
        slowhttptest:slowhttptest faketime:faketime)

install_missing() {
    local missing=() pair
    for pair in "${needed[@]}"; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing: ${missing[*]}; install them, or run this as root" >&2
        exit 1
    fi
    echo "installing: ${missing[*]}"
    apt-get update -qq
    # A package's own service must not start here: the tests start what they need themselves.
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    # Nor may cloud-init, which is to read files here, set up the machine when that boots next.
    if [[ " ${missing[*]} " == *" cloud-init "* ]]; then
        mkdir -p /etc/cloud
        touch /etc/cloud/cloud-init.disabled
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    rm -f /usr/sbin/policy-rc.d
    trap - EXIT
}

start_engine() {
    docker version >/dev/null 2>&1 && return
    echo "no Docker engine answers; starting one"
    dockerd >/tmp/node-agent-dockerd.log 2>&1 &
    for _ in $(seq 300); do
        docker version >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "the Docker engine did not start; see /tmp/node-agent-dockerd.log" >&2
    exit 1
}

install_missing
start_engine
tests/support/fetch-buildx.sh target/buildx
# The droplet's image takes a minute or two the first time; the compiler is at work meanwhile. When that fails, the image
# is finished all the same, for the next time.
(tests/droplet/build.sh && tests/droplet/build.sh trixie) >/dev/null &
droplet=$!
cargo fmt --all --check
cargo clippy --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --quiet
wait "$droplet"
# What is packed, loaded and attacked, and installed in the droplets; the tests would build it too, and say nothing meanwhile.
if [ -z "${NODE_AGENT_TEST_BINARY:-}" ]; then
    packaging/build-static.sh
    export NODE_AGENT_TEST_BINARY=$PWD/target/dist/node-agent-x86_64-linux
fi
cargo test --lib --bins --test all
cargo test --test wire
cargo test --doc --quiet

# Ten minutes of mixed load. It takes what the droplets leave of the machine, so that it costs no time.
mkdir -p target/soak
NODE_AGENT_SOAK_SECONDS=600 setsid nice cargo test --test soak -- --nocapture >target/soak/log 2>&1 &
soak=$!
trap 'kill -- -"$soak" 2>/dev/null || true' EXIT
cargo test --test droplet --test packages
# Some seconds for each parser; tests/fuzz/run.sh MINUTES does it for longer.
cargo fmt --manifest-path tests/fuzz/Cargo.toml --check
tests/fuzz/run.sh
wait "$soak" || { cat target/soak/log >&2; exit 1; }
trap - EXIT
cat target/soak/log
