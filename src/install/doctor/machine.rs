//! What the machine has: systemd, the engine, tools, clock, cgroups.
#![forbid(unsafe_code)]

use std::path::Path;

use super::Check;
use crate::config::Config;
use crate::engine::Engine;
use crate::engine::buildkit::Buildx;
use crate::host::manager;
use crate::host::tool::Tool;
use crate::sys::process;

/// A tool, and what does not work without it.
const TOOLS: &[(Tool, &str)] = &[
    (
        tool("systemctl", "systemd"),
        "services, nginx/reload by systemd, install and upgrade",
    ),
    (tool("git", "git"), "git/clone"),
    (
        tool("ssh", "openssh-client"),
        "git/clone from ssh addresses",
    ),
    (
        tool("nginx", "nginx"),
        "nginx/test and nginx/reload, unless nginx runs in a container",
    ),
    (tool("ufw", "ufw"), "firewall/status and firewall/allow"),
    (tool("cron", "cron"), "cron jobs"),
];

const fn tool(name: &'static str, package: &'static str) -> Tool {
    Tool { name, package }
}

pub(super) fn checks(config: &Config) -> Vec<Check> {
    let mut checks = vec![systemd(), engine(config), buildx(config)];
    checks.extend(TOOLS.iter().map(installed));
    checks.extend([clock(), cgroups()]);
    checks
}

fn systemd() -> Check {
    let disables = "install, upgrade, uninstall, services; the agent runs in the foreground (`node-agent serve`)";
    if manager::is_running() {
        Check::ok("systemd", "runs this machine")
    } else {
        Check::warning("systemd", "does not run this machine", disables)
    }
}

fn engine(config: &Config) -> Check {
    let socket = config.docker_socket.display();
    let engine = Engine::new(config.docker_socket.clone(), || {});
    match engine.spoken_version() {
        Ok(version) => Check::ok("engine", format!("answers at {socket}, API {version}")),
        Err(error) => Check::failed(
            "engine",
            format!("{socket}: {error}"),
            "containers, images, builds, registries, networks; /ping says `degraded`",
        ),
    }
}

fn buildx(config: &Config) -> Check {
    let buildx = Buildx {
        socket: config.docker_socket.clone(),
        configuration: config.docker_config.clone(),
        scratch: config.state_directory.clone(),
        variables: config.surroundings.0.clone(),
    };
    match buildx.find() {
        Some(_) => Check::ok("docker-buildx", "is installed"),
        None => Check::warning(
            "docker-buildx",
            "the docker CLI with its buildx plugin is not installed",
            "builds that need BuildKit (RUN --mount, heredocs)",
        ),
    }
}

fn installed((tool, disables): &(Tool, &'static str)) -> Check {
    match tool.find() {
        Ok(program) => Check::ok(tool.name, program.file().display().to_string()),
        Err(error) => Check::warning(tool.name, error.to_string(), disables),
    }
}

fn clock() -> Check {
    if process::is_clock_synchronized() {
        return Check::ok("clock", "is synchronized");
    }
    Check::warning(
        "clock",
        "is not synchronized with any other (`timedatectl set-ntp true`)",
        "right times in logs and of cron jobs; registries and git hosts when it is far off",
    )
}

/// The hierarchy of version 2, or the two of version 1 that have figures.
fn cgroups() -> Check {
    let has = |path: &str| Path::new("/sys/fs/cgroup").join(path).exists();
    if has("cgroup.controllers") {
        Check::ok("cgroups", "version 2")
    } else if has("memory") && has("cpuacct") {
        Check::ok("cgroups", "version 1")
    } else {
        let disables = "containers' figures from the kernel; those of the engine take seconds";
        Check::warning("cgroups", "none in /sys/fs/cgroup", disables)
    }
}
