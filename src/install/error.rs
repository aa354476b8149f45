//! Why the service is not installed, upgraded or removed.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::version::Version;
use crate::config::ConfigError;
use crate::host::systemd::SystemdError;
use crate::store::space;

/// What went wrong. Unless it says otherwise, the machine is as it was.
#[derive(Debug)]
pub enum InstallError {
    /// Not started by root.
    NotRoot,
    /// The machine was started by something else than systemd.
    NoSystemd,
    /// There is nothing to upgrade.
    NotInstalled(PathBuf),
    /// Somebody else installs, upgrades or uninstalls at the moment.
    Busy,
    /// Ctrl-C, SIGTERM, or the terminal is gone.
    Interrupted,
    /// A file or directory could not be read, made, changed or removed.
    File {
        /// What was tried, as in "cannot {} PATH".
        attempt: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file with a secret that is not fit for one.
    KeyFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        problem: KeyFileProblem,
    },
    /// A key was given, and the settings take it from elsewhere.
    OtherKeySource {
        /// The environment file.
        settings: PathBuf,
        /// The source that it names.
        source: &'static str,
    },
    /// A setting that the agent would not start with.
    Setting(ConfigError),
    /// Somebody else listens there.
    PortTaken(SocketAddr),
    /// The address cannot be listened on.
    Address {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is no program for this machine.
    NotForThisMachine {
        /// Which.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// A file whose checksum is another one.
    Checksum {
        /// Which.
        path: PathBuf,
        /// In hexadecimal.
        found: String,
    },
    /// A program that does not say that it is this one.
    NotTheAgent {
        /// Which.
        path: PathBuf,
        /// What it says instead.
        said: String,
    },
    /// An older version than what is installed.
    Older {
        /// What is installed.
        installed: Version,
        /// What was offered.
        offered: Version,
    },
    /// systemd did not do as told.
    Systemd(SystemdError),
    /// The agent does not run well after its start.
    NotWell {
        /// How long it was waited for.
        after: Duration,
        /// What it said last, or that it said nothing.
        last: String,
        /// The end of its journal.
        words: Option<String>,
    },
    /// Everything that had been changed is as it was.
    Undone(Box<InstallError>),
    /// The version before is in its place again.
    PutBack(Box<InstallError>),
    /// Not all that had been changed could be changed back.
    HalfUndone {
        /// Why it was to be changed back.
        cause: Box<InstallError>,
        /// What was not.
        problems: Vec<String>,
    },
}

/// What is wrong with a file for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileProblem {
    /// A directory, a pipe, a device.
    NotAFile,
    /// Its mode lets others read or change it.
    OpenToOthers(u32),
    /// It belongs to this user, neither root nor whoever asks.
    ForeignOwner(u32),
    /// What is in it.
    NoKey,
}

impl InstallError {
    /// For `map_err`: what was tried with `path`.
    pub(super) fn file(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            attempt,
            path,
            source,
        }
    }
}

impl From<SystemdError> for InstallError {
    fn from(error: SystemdError) -> Self {
        Self::Systemd(error)
    }
}

impl From<ConfigError> for InstallError {
    fn from(error: ConfigError) -> Self {
        Self::Setting(error)
    }
}

impl fmt::Display for InstallError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRoot => out.write_str("only root can do this; try it with sudo"),
            Self::NoSystemd => out.write_str(
                "this machine was not started by systemd, so that there is nothing to make a service of; \
                 in the foreground the agent runs by `NODE_AGENT_API_KEY_FILE=/path/to/key node-agent serve`",
            ),
            Self::NotInstalled(path) => write!(
                out,
                "there is no {} to upgrade; `node-agent install` installs it",
                path.display()
            ),
            Self::Busy => out.write_str("another install, upgrade or uninstall is at work; try again when it is done"),
            Self::Interrupted => out.write_str("interrupted"),
            Self::File { attempt, path, source } => {
                write!(out, "cannot {attempt} {}: ", path.display())?;
                if space::is_full(source) {
                    out.write_str("its disk is full")
                } else {
                    source.fmt(out)
                }
            }
            Self::KeyFile { path, problem } => write!(out, "{}: {problem}", path.display()),
            Self::OtherKeySource { settings, source } => write!(
                out,
                "{} takes the key from {source}, so that the given one would not count; take that line out of it",
                settings.display()
            ),
            Self::Setting(error) => error.fmt(out),
            Self::PortTaken(address) => write!(
                out,
                "another program listens on {address}; choose another port with --bind, or end it (`ss -ltnp` shows it)"
            ),
            Self::Address { address, source } => write!(out, "cannot listen on {address}: {source}"),
            Self::NotForThisMachine { path, found } => write!(
                out,
                "{} is no program for this machine ({}): it is {found}",
                path.display(),
                std::env::consts::ARCH
            ),
            Self::Checksum { path, found } => write!(
                out,
                "{} is not the file that was meant: its SHA-256 is {found}",
                path.display()
            ),
            Self::NotTheAgent { path, said } => {
                write!(out, "{} is no node-agent: {said}", path.display())
            }
            Self::Older { installed, offered } => write!(
                out,
                "{offered} is older than {installed}, which is installed; --allow-downgrade installs it all the same"
            ),
            Self::Systemd(error) => error.fmt(out),
            Self::NotWell { .. } | Self::Undone(_) | Self::PutBack(_) | Self::HalfUndone { .. } => {
                self.end(out)
            }
        }
    }
}

impl InstallError {
    /// How it ended when the new version was in its place already.
    fn end(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWell { after, last, words } => {
                let seconds = after.as_secs();
                write!(
                    out,
                    "the agent is not well {seconds} s after its start: {last}"
                )?;
                match words {
                    Some(words) => write!(out, "; its journal says:\n{words}"),
                    None => Ok(()),
                }
            }
            Self::Undone(cause) => write!(out, "{cause}\nEverything is as it was before."),
            Self::PutBack(cause) => {
                write!(
                    out,
                    "the version before is in its place again, because: {cause}"
                )
            }
            Self::HalfUndone { cause, problems } => write!(
                out,
                "{cause}\nand this could not be undone: {}",
                problems.join("; ")
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for KeyFileProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile => out.write_str("a key has to be in a regular file"),
            Self::OpenToOthers(mode) => write!(
                out,
                "others than its owner can get at the key (mode {mode:04o}), so it is no secret; \
                 make a new one, or `chmod 600` it if nobody has seen it"
            ),
            Self::ForeignOwner(user) => write!(
                out,
                "it belongs to user {user}, who could exchange the key; `chown root` it"
            ),
            Self::NoKey => out.write_str(
                "expected the key as 64 hexadecimal digits and nothing else (`node-agent key` makes it from a token)",
            ),
        }
    }
}

impl std::error::Error for InstallError {}
