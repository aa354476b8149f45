//! A directory that is filled by somebody else, a program of the system, and is in its place only when that succeeded:
//! staged as an unpacked archive is (`unpack::staging`), on the same filesystem, open to nobody but root, removed
//! whatever happens. What is in its place already must be an empty directory. Uses store's jail, space and unpack.
#![forbid(unsafe_code)]

mod error;
mod install;
mod target;
#[cfg(test)]
mod tests;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

pub use error::FreshError;

use super::jail::Jail;
use super::space::{NoRoom, Reserve};
use super::unpack::staging::{Record, Staging};
use crate::limits;
use target::Target;

/// What a fresh directory needs.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Where it may be.
    pub jail: &'a Jail,
    /// The agent's directory, where it is recorded what a start has to clean up.
    pub state: &'a Path,
    /// What stays free on its filesystem.
    pub reserve: Reserve,
}

/// An empty directory to be filled, not in its place yet.
#[derive(Debug)]
pub struct Workplace<'a> {
    /// The agent's directory, which nobody but root can enter.
    pub state: &'a Path,
    directory: OwnedFd,
    path: PathBuf,
    reserve: Reserve,
}

impl Workplace<'_> {
    /// Fails when the filesystem has no room left but the reserve.
    pub fn check_room(&self) -> Result<(), NoRoom> {
        match self.reserve.available_in(self.as_fd()) {
            0 => Err(NoRoom {
                path: self.path.clone(),
                needed: limits::DISK_BLOCK_BYTES,
                available: 0,
            }),
            _ => Ok(()),
        }
    }
}

impl AsFd for Workplace<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

/// Lets `fill` fill the directory `path`, which must be empty or not be there. Unless the error is
/// [`FreshError::HalfWay`], a failure leaves everything as it was.
pub fn fill<T, E: From<FreshError>>(
    surroundings: &Surroundings<'_>,
    path: &str,
    fill: impl FnOnce(&Workplace<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let target = Target::find(surroundings.jail, path)?;
    let at = |source| FreshError::Io {
        path: target.path.clone(),
        source,
    };
    let record = Record::write(&target.holder, surroundings.state).map_err(|source| {
        let path = surroundings.state.to_owned();
        FreshError::Io { path, source }
    })?;
    let staging = Staging::create(&target.holder, record).map_err(at)?;
    let workplace = Workplace {
        state: surroundings.state,
        directory: staging.tree(target.way.missing()).map_err(at)?,
        path: target.path.clone(),
        reserve: surroundings.reserve,
    };
    workplace.check_room().map_err(FreshError::NoRoom)?;
    let filled = fill(&workplace)?;
    install::install(&target, &staging, workplace.as_fd())?;
    Ok(filled)
}
