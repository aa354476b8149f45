//! Resolves a path below a directory one name at a time, for what openat2 does not do: kernels that lack it (before 5.6,
//! or behind a seccomp filter that does not know it), links with an absolute target, and the name that a path has
//! without its links.
//!
//! Every step opens one name with O_NOFOLLOW in a descriptor that was reached the same way, a link's target is read
//! from the opened link, and `..` goes back to the descriptor that we came from, never to what the kernel says the
//! parent is now. So whatever is renamed meanwhile, nothing outside is ever opened.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use super::{Directory, JailError};
use crate::limits;
use crate::sys::entry::{self, Kind};
use crate::sys::open::{self, Purpose};

/// Where a path leads.
#[derive(Debug)]
pub(super) struct Found {
    /// The directories from the start to it, itself included if it is one.
    directories: Vec<(OsString, OwnedFd)>,
    /// Its name in the last of them, if it is no directory.
    last: Option<OsString>,
}

impl Found {
    /// Opens it below `start`, where it was found.
    pub(super) fn open(&self, start: &Directory, purpose: Purpose) -> std::io::Result<OwnedFd> {
        let name = self.last.as_deref().unwrap_or(OsStr::new("."));
        open::child(self.innermost(start), name, purpose)
    }

    /// Its path from the start, without links and dots.
    pub(super) fn name(&self) -> PathBuf {
        let directories = self.directories.iter().map(|(name, _)| name);
        directories.chain(&self.last).collect()
    }

    fn innermost<'a>(&'a self, start: &'a Directory) -> BorrowedFd<'a> {
        match self.directories.last() {
            Some((_, descriptor)) => descriptor.as_fd(),
            None => start.as_fd(),
        }
    }
}

/// Follows `path` from `start`.
pub(super) fn walk(start: &Directory, path: &Path) -> Result<Found, JailError> {
    let mut links = limits::LINKS_ON_A_PATH;
    let mut found = Found {
        directories: Vec::new(),
        last: None,
    };
    // The next name is at the end, so that a link's target can be put before the rest.
    let mut ahead = Vec::new();
    put_ahead(&mut ahead, path);
    while let Some(name) = ahead.pop() {
        if found.last.is_some() {
            return Err(JailError::NotADirectory {
                path: start.path().join(path),
            });
        }
        if name == ".." {
            found.directories.pop().ok_or_else(|| start.outside(path))?;
            continue;
        }
        match step(&mut found, start, name).map_err(|error| start.error(path, error))? {
            None => {}
            Some(target) => {
                links = links.checked_sub(1).ok_or_else(|| JailError::Links {
                    path: start.path().join(path),
                })?;
                follow(&mut found, &mut ahead, start, &target)
                    .ok_or_else(|| start.outside(path))?;
            }
        }
        if found.directories.len() > limits::TREE_DEPTH {
            return Err(start.error(path, std::io::ErrorKind::InvalidFilename.into()));
        }
    }
    Ok(found)
}

/// Goes to `name`, or gives the target of the link that it is.
fn step(found: &mut Found, start: &Directory, name: OsString) -> std::io::Result<Option<PathBuf>> {
    let place = open::child(found.innermost(start), &name, Purpose::Place)?;
    match entry::status(place.as_fd())?.kind {
        Kind::Link => {
            return entry::link_target(place.as_fd(), OsStr::new(""))
                .map(|target| Some(target.into()));
        }
        Kind::Directory => found.directories.push((name, place)),
        Kind::File | Kind::Special => found.last = Some(name),
    }
    Ok(None)
}

/// Puts the names of `target` before the rest of the way. Nothing if it is absolute and begins elsewhere.
fn follow(
    found: &mut Found,
    ahead: &mut Vec<OsString>,
    start: &Directory,
    target: &Path,
) -> Option<()> {
    if target.is_absolute() {
        put_ahead(ahead, target.strip_prefix(start.path()).ok()?);
        found.directories.clear();
    } else {
        put_ahead(ahead, target);
    }
    Some(())
}

fn put_ahead(ahead: &mut Vec<OsString>, path: &Path) {
    let names = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    ahead.extend(names);
}
