//! The agent itself: its rights, its service, its port.
#![forbid(unsafe_code)]

use std::io;

use super::Check;
use crate::config::Config;
use crate::host::manager;
use crate::host::systemd::Service;
use crate::install::ping::{self, Ping};
use crate::install::place::Places;
use crate::sys::{process, socket};

pub(super) fn checks(places: &Places, config: &Config) -> Vec<Check> {
    let mut checks = vec![rights(), port(config)];
    if manager::is_running() && places.unit.exists() {
        checks.push(service());
    }
    checks
}

fn rights() -> Check {
    if process::user() == 0 {
        return Check::ok("rights", "root's");
    }
    let disables = "what is root's alone; run it with sudo to see all of it";
    Check::warning("rights", "not root's", disables)
}

/// Free, or the agent's.
fn port(config: &Config) -> Check {
    let bind = config.bind;
    let failed = |found: String| Check::failed("port", found, "the agent as a whole");
    match ping::ask(ping::own_address(bind)) {
        Ping::Health { status, version } if status == "error" => failed(format!(
            "node-agent {version} at {bind} says `error`: its disk is full or not writable"
        )),
        Ping::Health { status, version } => Check::ok(
            "port",
            format!("node-agent {version} answers at {bind}: {status}"),
        ),
        Ping::Refused => Check::ok(
            "port",
            format!("an agent at {bind} does not talk to this machine itself"),
        ),
        Ping::Stranger => failed(format!("another program answers at {bind}")),
        Ping::Silent(_) => match socket::listen(bind) {
            Ok(_) => Check::ok("port", format!("{bind} is free")),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => failed(format!(
                "another program listens at {bind} and says nothing"
            )),
            Err(error) => failed(format!("{bind}: {error}")),
        },
    }
}

fn service() -> Check {
    let disables = "the agent as a whole";
    match Service::NodeAgent.status() {
        Ok(status) if status.is_active() && status.is_enabled() => {
            Check::ok("service", "is active, and is started with the machine")
        }
        Ok(status) if status.is_active() => Check::warning(
            "service",
            "is active, but not enabled (`systemctl enable node-agent`)",
            "the agent after a reboot",
        ),
        Ok(status) => Check::failed(
            "service",
            format!(
                "is {} (`systemctl status node-agent` says why)",
                status.state
            ),
            disables,
        ),
        Err(error) => Check::failed("service", error.to_string(), disables),
    }
}
