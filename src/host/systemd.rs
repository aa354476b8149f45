//! The services of the machine, by `systemctl` (systemctl(1)).
#![forbid(unsafe_code)]

use std::fmt;
use std::time::Duration;

use super::manager;
use super::tool::{self, Tool, ToolError};
use crate::exec::{Exit, Finished, Invocation};
use crate::limits;
use crate::sys;

/// What speaks to systemd.
pub const SYSTEMCTL: Tool = Tool {
    name: "systemctl",
    package: "systemd",
};
const JOURNALCTL: Tool = Tool {
    name: "journalctl",
    package: "systemd",
};

/// SIGTERM.
const TERMINATED: Exit = Exit::Signal(15);

/// A service that the agent may look at and restart. There are no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The web server.
    Nginx,
    /// The Docker engine.
    Docker,
    /// This agent.
    NodeAgent,
}

/// How a service is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceStatus {
    /// What systemd knows of its unit file: `loaded`, `not-found`, `masked`, `bad-setting`, `error`.
    pub load: String,
    /// `active`, `reloading`, `inactive`, `failed`, `activating` or `deactivating`.
    pub state: String,
    /// Whether it is started with the machine: `enabled`, `disabled`, `masked`, `static`; empty without a unit file.
    pub file: String,
    /// When it became active, on the monotonic clock.
    since: Duration,
}

/// Why something was not found out or done.
#[derive(Debug)]
pub enum SystemdError {
    /// The machine was started by something else.
    NotRunning,
    /// There is no such service.
    NotInstalled(Service),
    /// Its administrator has forbidden to start it.
    Masked(Service),
    /// It is not active after the restart.
    NotRestarted {
        /// Which.
        service: Service,
        /// How it is now.
        state: String,
        /// What its journal says since, or `systemctl`.
        words: String,
    },
    /// systemctl did not do its work.
    Tool(ToolError),
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nginx, Self::Docker, Self::NodeAgent];

    /// The service that is called exactly so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Docker => "docker",
            Self::NodeAgent => "node-agent",
        }
    }

    /// The name of its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Nginx => "nginx.service",
            Self::Docker => "docker.service",
            Self::NodeAgent => "node-agent.service",
        }
    }

    /// How it is. One that systemd does not know has a status too.
    pub fn status(self) -> Result<ServiceStatus, SystemdError> {
        let shown = systemctl(
            &[
                "show",
                "--property=LoadState,ActiveState,UnitFileState,ActiveEnterTimestampMonotonic",
                "--",
                self.unit(),
            ],
            limits::SYSTEMCTL_DEADLINE,
        )?;
        Ok(ServiceStatus::read(&shown.output.stdout.text()))
    }

    /// Restarts it, starts it when it does not run, and waits until it is up. The agent's own restart is only ordered:
    /// it begins while the answer is written, and waits for it.
    ///
    /// What counts how often a service was started is set to zero before. Docker's unit takes three starts a minute;
    /// with the fourth systemd stops it and then refuses to start it again (seen).
    pub fn restart(self) -> Result<ServiceStatus, SystemdError> {
        let before = self.status()?;
        match before.load.as_str() {
            "not-found" => return Err(SystemdError::NotInstalled(self)),
            "masked" => return Err(SystemdError::Masked(self)),
            _ => {}
        }
        // It fails for a unit that is not in systemd's memory; that has no count either.
        ask_systemctl(
            &["reset-failed", "--", self.unit()],
            limits::SYSTEMCTL_DEADLINE,
        )?;
        if self == Self::NodeAgent {
            order_own_restart()?;
            return Ok(before);
        }
        let began = std::time::SystemTime::now();
        let arguments = ["restart", "--no-ask-password", "--", self.unit()];
        let finished = ask_systemctl(&arguments, limits::SERVICE_RESTART)?;
        let after = self.status()?;
        if finished.exit.is_success() && after.is_active() {
            return Ok(after);
        }
        Err(SystemdError::NotRestarted {
            service: self,
            state: after.state,
            words: self
                .journal_since(began)
                .unwrap_or_else(|| tool::words(&finished)),
        })
    }

    /// Has systemd tell it to read its configuration again.
    pub fn reload(self) -> Result<(), ToolError> {
        let arguments = ["reload", "--no-ask-password", "--", self.unit()];
        SYSTEMCTL.run(&arguments, limits::SERVICE_RELOAD).map(drop)
    }

    /// The last lines of its journal that are no older than `began`.
    pub fn journal_since(self, began: std::time::SystemTime) -> Option<String> {
        let since = began.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
        let arguments = [
            "--quiet",
            "--no-pager",
            "--output=cat",
            &format!("--lines={}", limits::JOURNAL_LINES),
            &format!("--since=@{since}"),
            &format!("--unit={}", self.unit()),
        ];
        let read = JOURNALCTL
            .run(&arguments, limits::SYSTEMCTL_DEADLINE)
            .ok()?;
        let lines = read.output.stdout.text().trim().to_owned();
        (!lines.is_empty()).then_some(lines)
    }
}

impl ServiceStatus {
    /// Reads the lines `Property=value` of `systemctl show`.
    pub fn read(shown: &str) -> Self {
        let mut status = Self::default();
        for (property, value) in shown.lines().filter_map(|line| line.split_once('=')) {
            match property {
                "LoadState" => value.clone_into(&mut status.load),
                "ActiveState" => value.clone_into(&mut status.state),
                "UnitFileState" => value.clone_into(&mut status.file),
                "ActiveEnterTimestampMonotonic" => {
                    status.since = Duration::from_micros(value.parse().unwrap_or(0));
                }
                _ => {}
            }
        }
        status
    }

    /// Whether systemd has a unit file of it.
    pub fn is_installed(&self) -> bool {
        self.load != "not-found"
    }

    /// Whether it runs.
    pub fn is_active(&self) -> bool {
        matches!(self.state.as_str(), "active" | "reloading")
    }

    /// Whether it is started with the machine.
    pub fn is_enabled(&self) -> bool {
        matches!(self.file.as_str(), "enabled" | "enabled-runtime")
    }

    /// How long it has been running.
    pub fn uptime(&self) -> Duration {
        self.uptime_at(sys::process::monotonic_time())
    }

    fn uptime_at(&self, now: Duration) -> Duration {
        if self.is_active() {
            now.saturating_sub(self.since)
        } else {
            Duration::ZERO
        }
    }
}

/// Without waiting: systemd does it, not a child of ours, which would be ended with us. The order is given when
/// systemctl ends, also when it is by the SIGTERM that the restart sends to all of us.
fn order_own_restart() -> Result<(), SystemdError> {
    let arguments = [
        "restart",
        "--no-block",
        "--no-ask-password",
        "--",
        Service::NodeAgent.unit(),
    ];
    let finished = ask_systemctl(&arguments, limits::SYSTEMCTL_DEADLINE)?;
    if finished.exit.is_success() || finished.exit == TERMINATED {
        return Ok(());
    }
    Err(SYSTEMCTL.failed(&finished).into())
}

/// Runs systemctl; anything but exit code 0 is a failure.
fn systemctl(arguments: &[&str], deadline: Duration) -> Result<Finished, SystemdError> {
    let finished = ask_systemctl(arguments, deadline)?;
    if finished.exit.is_success() {
        return Ok(finished);
    }
    Err(SYSTEMCTL.failed(&finished).into())
}

/// The same; whatever exit code it ends with is an answer.
fn ask_systemctl(arguments: &[&str], deadline: Duration) -> Result<Finished, SystemdError> {
    let program = SYSTEMCTL.find()?;
    if !manager::is_running() {
        return Err(SystemdError::NotRunning);
    }
    Invocation::new(&program, deadline)
        .arguments(arguments)
        .run()
        .map_err(|error| SYSTEMCTL.error(error).into())
}

impl From<ToolError> for SystemdError {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

impl fmt::Display for SystemdError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => out.write_str(
                "this machine was not started by systemd, so that there are no services to control",
            ),
            Self::NotInstalled(service) => {
                write!(out, "this machine has no service `{}`", service.name())
            }
            Self::Masked(service) => write!(
                out,
                "service `{name}` is masked: `systemctl unmask {name}` lets it be started",
                name = service.name()
            ),
            Self::NotRestarted { service, state, .. } => write!(
                out,
                "service `{}` did not start again; it is {state}",
                service.name()
            ),
            Self::Tool(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for SystemdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_these_names_are_services() {
        for service in Service::ALL {
            assert_eq!(Service::named(service.name()), Some(service));
            assert_eq!(service.unit(), format!("{}.service", service.name()));
        }
        for name in [
            "",
            "Nginx",
            "NGINX",
            "nginx.service",
            "nginx.service;x",
            "../nginx",
            "nginx ",
            " nginx",
            "nginx\n",
            "ssh",
            "docker.socket",
            "--help",
            "node_agent",
            "*",
            "nginx docker",
        ] {
            assert_eq!(Service::named(name), None, "{name:?}");
        }
    }

    /// As systemd 252 prints them.
    #[test]
    fn what_systemctl_shows() {
        let running = ServiceStatus::read(
            "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nActiveEnterTimestampMonotonic=1526270231\n",
        );
        assert!(running.is_installed() && running.is_active() && running.is_enabled());
        let now = Duration::from_micros(1_526_270_231) + Duration::from_millis(3_600_999);
        assert_eq!(running.uptime_at(now).as_secs(), 3600);
        assert_eq!(running.uptime_at(Duration::ZERO), Duration::ZERO);

        let unknown = ServiceStatus::read(
            "LoadState=not-found\nActiveState=inactive\nUnitFileState=\nActiveEnterTimestampMonotonic=0\n",
        );
        assert!(!unknown.is_installed() && !unknown.is_active() && !unknown.is_enabled());
        assert_eq!(unknown.uptime(), Duration::ZERO);

        // It was active once: the time is kept, and means nothing.
        let failed = ServiceStatus::read(
            "LoadState=loaded\nActiveState=failed\nUnitFileState=disabled\nActiveEnterTimestampMonotonic=5\n",
        );
        assert!(failed.is_installed() && !failed.is_active() && !failed.is_enabled());
        assert_eq!(failed.uptime(), Duration::ZERO);

        // Masked while it runs: it goes on.
        let masked = ServiceStatus::read(
            "LoadState=masked\nActiveState=active\nUnitFileState=masked\nActiveEnterTimestampMonotonic=5\n",
        );
        assert!(masked.is_installed() && masked.is_active() && !masked.is_enabled());
    }
}
