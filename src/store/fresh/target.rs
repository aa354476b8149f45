//! Where a fresh directory goes, and so where it is staged and how it gets in.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use super::FreshError;
use crate::store::jail::{Destination, Directory, Jail, JailError};
use crate::store::spool::is_temporary;
use crate::store::unpack::target::beside;
use crate::sys::entry::Names;
use crate::sys::open::{self, Purpose};

/// The place of a fresh directory.
#[derive(Debug)]
pub(super) struct Target {
    /// For messages.
    pub(super) path: PathBuf,
    /// The directory that staging is in.
    pub(super) holder: Directory,
    pub(super) way: Way,
}

/// How a filled directory gets in.
#[derive(Debug)]
pub(super) enum Way {
    /// It becomes these names below the holder: there was nothing before.
    New(Vec<OsString>),
    /// It takes the place of this name in the holder, an empty directory.
    Over(OsString, Directory),
    /// What is in it is moved into the holder itself: an allowed root, or a filesystem of its own, cannot be replaced.
    Into,
}

impl Way {
    /// The names that are to be made.
    pub(super) fn missing(&self) -> &[OsString] {
        match self {
            Self::New(missing) => missing,
            Self::Over(..) | Self::Into => &[],
        }
    }
}

impl Target {
    /// Looks for `path`.
    pub(super) fn find(jail: &Jail, path: &str) -> Result<Self, FreshError> {
        let destination = jail.destination(path).map_err(FreshError::Target)?;
        let path = Path::new(path);
        if destination.missing.iter().any(|name| is_temporary(name)) {
            let path = path.to_owned();
            return Err(FreshError::Target(JailError::Reserved { path }));
        }
        let (holder, way) = ways(destination, path)?;
        Ok(Self {
            path: path.to_owned(),
            holder,
            way,
        })
    }
}

fn ways(destination: Destination, path: &Path) -> Result<(Directory, Way), FreshError> {
    let Destination {
        root,
        existing,
        real,
        missing,
    } = destination;
    if !missing.is_empty() {
        return Ok((existing, Way::New(missing)));
    }
    let is_empty = is_empty(existing.as_fd()).map_err(|source| FreshError::Io {
        path: path.to_owned(),
        source,
    });
    if !is_empty? {
        let path = path.to_owned();
        return Err(FreshError::NotEmpty { path });
    }
    let beside = beside(&root, &existing, &real).map_err(FreshError::Target)?;
    Ok(match beside {
        Some((holder, name)) => (holder, Way::Over(name, existing)),
        None => (existing, Way::Into),
    })
}

/// Whether nothing is in `directory` but temporary files and directories of the agent's own.
pub(super) fn is_empty(directory: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(first_name(directory, |name| !is_temporary(name))?.is_none())
}

/// The first name in `directory` that `counts`.
pub(super) fn first_name(
    directory: BorrowedFd<'_>,
    counts: impl Fn(&OsStr) -> bool,
) -> io::Result<Option<OsString>> {
    // Opened anew: a descriptor remembers how far it was read.
    let listed = open::child(directory, OsStr::new("."), Purpose::Directory)?;
    let mut names = Names::default();
    while let Some((name, _)) = names.next(listed.as_fd())? {
        if counts(name) {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
}
