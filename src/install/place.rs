//! Where everything of the service is, and what is put there.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// The unit, as it is delivered.
pub(super) const UNIT: &str = include_str!("../../packaging/node-agent.service");
/// The environment file of a new installation.
pub(super) const SETTINGS: &str = include_str!("../../packaging/node-agent.env");

/// The unit's name.
pub(super) const UNIT_NAME: &str = "node-agent.service";
/// The name of the unit that listens for it, where somebody wants that.
pub(super) const SOCKET_NAME: &str = "node-agent.socket";

/// Variables that decide what the agent needs.
pub(super) const VARIABLES: &[&str] = &[
    "DOCKER_CONFIG",
    "DOCKER_HOST",
    "DO_TOKEN",
    "DO_TOKEN_FILE",
    "HOME",
    "NODE_AGENT_ALLOWED_PATHS",
    "NODE_AGENT_API_KEY",
    "NODE_AGENT_API_KEY_FILE",
    "NODE_AGENT_BIND",
    "NODE_AGENT_DOCKER_SOCKET",
    "NODE_AGENT_MIN_FREE_BYTES",
    "NODE_AGENT_STATE_DIR",
    "PATH",
];

/// The files of the service.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The program.
    pub(super) binary: PathBuf,
    /// The one that it took the place of.
    pub(super) old_binary: PathBuf,
    /// Where settings and keys are.
    pub(super) configuration: PathBuf,
    /// The unit's environment file.
    pub(super) settings: PathBuf,
    /// The key.
    pub(super) key: PathBuf,
    /// The unit.
    pub(super) unit: PathBuf,
    /// The socket's unit, where somebody has put one.
    pub(super) socket: PathBuf,
    /// What an administrator changed of the unit.
    pub(super) drop_ins: PathBuf,
    /// The state directory, unless the settings name another.
    pub(super) state: PathBuf,
    /// What cron runs in the agent's name.
    pub(super) jobs: PathBuf,
    /// Locked while somebody installs, upgrades or uninstalls.
    pub(super) lock: PathBuf,
}

impl Places {
    /// Those of this machine.
    pub(super) fn of_machine() -> Self {
        Self::below(Path::new("/"))
    }

    /// The same below another root, for tests.
    pub(super) fn below(root: &Path) -> Self {
        let at = |path: &str| root.join(path);
        Self {
            binary: at("usr/local/bin/node-agent"),
            old_binary: at("usr/local/bin/node-agent.old"),
            configuration: at("etc/node-agent"),
            settings: at("etc/node-agent/env"),
            key: at("etc/node-agent/api-key"),
            unit: at("etc/systemd/system/node-agent.service"),
            socket: at("etc/systemd/system/node-agent.socket"),
            drop_ins: at("etc/systemd/system/node-agent.service.d"),
            state: at("var/lib/node-agent"),
            jobs: at("etc/cron.d/node-agent"),
            lock: at("run/node-agent-install.lock"),
        }
    }
}
