//! What `install` says in the end.
#![forbid(unsafe_code)]

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::ping::Ping;

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyPlace {
    /// In this file, and it was made now.
    New(PathBuf),
    /// In this file.
    File(PathBuf),
    /// In this variable of the settings.
    Variable(&'static str),
}

/// What was installed, or would be.
#[derive(Debug)]
pub struct Installed {
    pub(super) steps: Vec<String>,
    pub(super) is_dry: bool,
    pub(super) bind: SocketAddr,
    pub(super) key: KeyPlace,
    pub(super) health: Option<Ping>,
    pub(super) has_allowlist: bool,
}

impl fmt::Display for Installed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_dry {
            writeln!(out, "This would be done:")?;
        }
        for step in &self.steps {
            writeln!(out, "  {step}")?;
        }
        if self.steps.is_empty() {
            writeln!(out, "  nothing: everything is as it should be")?;
        }
        let Some(health) = &self.health else {
            return Ok(());
        };
        let version = env!("CARGO_PKG_VERSION");
        match health {
            Ping::Health { status, .. } => {
                writeln!(
                    out,
                    "node-agent {version} listens on {}; /ping says `{status}`.",
                    self.bind
                )?;
            }
            _ => writeln!(
                out,
                "node-agent {version} listens on {}, not for this machine itself.",
                self.bind
            )?,
        }
        match &self.key {
            KeyPlace::New(path) => writeln!(
                out,
                "A new API key was made; root can read it in {}.",
                path.display()
            )?,
            KeyPlace::File(path) => writeln!(
                out,
                "The API key is in {}; root can read it.",
                path.display()
            )?,
            KeyPlace::Variable(name) => {
                writeln!(out, "The API key comes from {name} in the settings.")?;
            }
        }
        self.next_step(out)
    }
}

impl Installed {
    fn next_step(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.bind.port();
        writeln!(
            out,
            "\nNext, on the controller, with the key in the file `api-key`:"
        )?;
        writeln!(
            out,
            "  curl -H \"X-API-Key: $(cat api-key)\" http://DROPLET:{port}/containers"
        )?;
        if !self.has_allowlist {
            writeln!(
                out,
                "Everybody can reach it who the firewall lets in; with ufw, only the controller:"
            )?;
            writeln!(
                out,
                "  ufw allow proto tcp from CONTROLLER to any port {port}"
            )?;
        }
        writeln!(
            out,
            "`node-agent doctor` says what else this machine lacks."
        )
    }
}
