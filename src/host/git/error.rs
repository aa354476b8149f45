//! Why there is no clone.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::time::Duration;

use super::Failure;
use crate::exec::Exit;
use crate::host::tool::ToolError;
use crate::store::space::NoRoom;

/// A clone that was not made. Has no secret in it.
#[derive(Debug)]
pub enum GitError {
    /// git, or ssh, is not there or could not be run.
    Tool(ToolError),
    /// It took too long as a whole.
    TooLong {
        /// The time it had.
        after: Duration,
        /// What git said.
        words: String,
    },
    /// The host is unknown, or nothing answers there.
    Unreachable {
        /// The host and port.
        place: String,
        /// What the system says.
        source: io::Error,
    },
    /// The disk would have run full.
    NoRoom(NoRoom),
    /// git did not do it.
    Clone(CloneFailure),
    /// The system failed.
    Io(io::Error),
}

/// What git made of it.
#[derive(Debug)]
pub struct CloneFailure {
    /// The repository.
    pub address: String,
    /// The branch that was asked for.
    pub branch: Option<String>,
    /// Whether a name or password was there to be given.
    pub has_login: bool,
    /// Whether it is about one of the submodules.
    pub is_of_a_submodule: bool,
    /// What it means.
    pub failure: Failure,
    /// How git ended.
    pub exit: Exit,
    /// The end of what it said.
    pub words: String,
}

impl fmt::Display for GitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(error) => error.fmt(out),
            Self::TooLong { after, .. } => {
                write!(out, "git did not finish within {} s", after.as_secs())
            }
            Self::Unreachable { place, source } => {
                write!(out, "{place} cannot be reached: {source}")
            }
            Self::NoRoom(shortage) => shortage.fmt(out),
            Self::Clone(failure) => failure.fmt(out),
            Self::Io(error) => write!(out, "git could not be run: {error}"),
        }
    }
}

impl std::error::Error for GitError {}

impl fmt::Display for CloneFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = &self.address;
        if self.is_of_a_submodule {
            write!(out, "a submodule of ")?;
        }
        match self.failure {
            Failure::NoRoom => write!(out, "{address} has no room on the disk"),
            Failure::NoBranch => {
                let branch = self.branch.as_deref().unwrap_or_default();
                write!(out, "{address} has no branch or tag `{branch}`")
            }
            Failure::Forbidden => write!(
                out,
                "{address} is at an address of a form that is not allowed; only http, https, ssh and git are"
            ),
            Failure::HostKey => write!(
                out,
                "{address} is on a host whose ssh key is not the one in root's known_hosts"
            ),
            Failure::Denied if self.has_login => write!(
                out,
                "{address} refuses this username and password (those of the repository; the agent's own key is fine)"
            ),
            // Of another host than the login is for: a redirect, a submodule.
            Failure::NoLogin if self.has_login => write!(
                out,
                "{address} leads to another host or scheme, which wants a login; it is not given the one of this address"
            ),
            Failure::Denied | Failure::NoLogin => write!(
                out,
                "{address} does not exist or wants a login (of the repository; the agent's own key is fine)"
            ),
            Failure::NoRepository => write!(out, "{address} does not exist"),
            Failure::TooSlow => write!(out, "{address} sends nothing any more, or too slowly"),
            Failure::Unreachable => write!(out, "{address} cannot be reached, or its host failed"),
            Failure::Other => {
                write!(
                    out,
                    "{address} cannot be cloned: git failed with {}",
                    self.exit
                )
            }
        }
    }
}
