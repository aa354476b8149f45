//! Resolves a path below a directory one name at a time, for what openat2 does not do: kernels that lack it (before 5.6,
//! or behind a seccomp filter that does not know it), links with an absolute target, the name that a path has without
//! its links, paths that are not there yet, and `..` while somebody, anywhere on the machine, renames in a loop (EAGAIN).
//!
//! Every step opens one name with O_NOFOLLOW in a descriptor that was reached the same way, a link's target is read
//! from the opened link, and `..` goes back to the descriptor that we came from, never to what the kernel says the
//! parent is now. So whatever is renamed meanwhile, nothing outside is ever opened.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use super::made::Made;
use super::shared::is_planted;
use super::{Directory, JailError};
use crate::limits;
use crate::store::spool::is_temporary;
use crate::sys::entry::{self, Kind};
use crate::sys::open::{self, Purpose};

/// Where a path leads.
#[derive(Debug)]
pub(super) struct Found {
    /// The directories from the start to it, itself included if it is one.
    pub(super) directories: Vec<(OsString, OwnedFd)>,
    /// Its name in the last of them, if it is no directory.
    pub(super) last: Option<OsString>,
    /// What it is; nothing where there is nothing.
    pub(super) kind: Option<Kind>,
}

/// What to do about the last name, and about directories that are missing on the way.
#[derive(Debug)]
pub(super) struct Manner<'m> {
    /// Whether a link at the very end is followed.
    pub(super) follows_last: bool,
    /// Missing directories are made, and noted here.
    pub(super) makes: Option<&'m mut Made>,
}

impl Found {
    /// Opens it below `start`, where it was found.
    pub(super) fn open(&self, start: &Directory, purpose: Purpose) -> io::Result<OwnedFd> {
        let name = self.last.as_deref().unwrap_or(OsStr::new("."));
        open::child(self.innermost(start), name, purpose)
    }

    /// Its path from the start, without links and dots.
    pub(super) fn name(&self) -> PathBuf {
        let directories = self.directories.iter().map(|(name, _)| name);
        directories.chain(&self.last).collect()
    }

    /// The last of the directories.
    pub(super) fn innermost<'a>(&'a self, start: &'a Directory) -> BorrowedFd<'a> {
        match self.directories.last() {
            Some((_, descriptor)) => descriptor.as_fd(),
            None => start.as_fd(),
        }
    }
}

/// Follows `path` from `start` to something that is there.
pub(super) fn walk(start: &Directory, path: &Path) -> Result<Found, JailError> {
    let manner = Manner {
        follows_last: true,
        makes: None,
    };
    let found = reach(start, path, manner)?;
    match found.kind {
        Some(_) => Ok(found),
        None => Err(start.error(path, io::ErrorKind::NotFound.into())),
    }
}

/// Follows `path` from `start`; what its last name stands for need not be there.
pub(super) fn reach(
    start: &Directory,
    path: &Path,
    mut manner: Manner<'_>,
) -> Result<Found, JailError> {
    let mut links = limits::LINKS_ON_A_PATH;
    let mut found = Found {
        directories: Vec::new(),
        last: None,
        kind: Some(Kind::Directory),
    };
    // The next name is at the end, so that a link's target can be put before the rest.
    let mut ahead = Vec::new();
    put_ahead(&mut ahead, path);
    while let Some(name) = ahead.pop() {
        if found.last.is_some() {
            return Err(in_the_way(start, path, &found, manner.makes.is_some()));
        }
        if name == ".." {
            found.directories.pop().ok_or_else(|| start.outside(path))?;
            continue;
        }
        let is_last = ahead.is_empty();
        let link = match step(&mut found, start, &name) {
            Ok(None) => None,
            Ok(Some(_)) if is_last && !manner.follows_last => {
                found.end_at(name, Some(Kind::Link));
                None
            }
            Ok(link) => link,
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_last => {
                found.end_at(name, None);
                None
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(&mut found, start, path, &mut manner, name)?;
                None
            }
            Err(error) => return Err(start.error(path, error)),
        };
        if let Some(Link { target, is_planted }) = link {
            if is_planted {
                return Err(JailError::Planted {
                    path: start.joined(path),
                });
            }
            links = links.checked_sub(1).ok_or_else(|| JailError::Links {
                path: start.joined(path),
            })?;
            follow(&mut found, &mut ahead, start, &target).ok_or_else(|| start.outside(path))?;
        }
        if found.directories.len() > limits::TREE_DEPTH {
            return Err(start.error(path, io::ErrorKind::InvalidFilename.into()));
        }
    }
    Ok(found)
}

impl Found {
    fn end_at(&mut self, name: OsString, kind: Option<Kind>) {
        self.last = Some(name);
        self.kind = kind;
    }
}

/// Something that has to be a directory is none.
fn in_the_way(start: &Directory, path: &Path, found: &Found, makes: bool) -> JailError {
    if makes {
        return JailError::InTheWay {
            path: start.joined(&found.name()),
        };
    }
    JailError::NotADirectory {
        path: start.joined(path),
    }
}

/// Makes the directory `name` and goes to it, if that is asked for.
fn make(
    found: &mut Found,
    start: &Directory,
    path: &Path,
    manner: &mut Manner<'_>,
    name: OsString,
) -> Result<(), JailError> {
    let Some(made) = manner.makes.as_deref_mut() else {
        return Err(start.error(path, io::ErrorKind::NotFound.into()));
    };
    if is_temporary(&name) {
        let path = start.joined(path);
        return Err(JailError::Reserved { path });
    }
    let new = made.add(found.innermost(start), &name, Made::PARENT_MODE);
    let new = new.map_err(|error| JailError::write(&start.joined(path), error))?;
    found.directories.push((name, new));
    Ok(())
}

/// A link on the way.
struct Link {
    target: PathBuf,
    is_planted: bool,
}

/// Goes to `name`, or gives the link that it is.
fn step(found: &mut Found, start: &Directory, name: &OsStr) -> io::Result<Option<Link>> {
    let place = open::child(found.innermost(start), name, Purpose::Place)?;
    let status = entry::status(place.as_fd())?;
    let kind = status.kind;
    match kind {
        Kind::Link => {
            let target = entry::link_target(place.as_fd(), OsStr::new(""))?;
            return Ok(Some(Link {
                is_planted: is_planted(found.innermost(start), status.owner.0)?,
                target: target.into(),
            }));
        }
        Kind::Directory => found.directories.push((name.to_owned(), place)),
        Kind::File | Kind::Special => found.end_at(name.to_owned(), Some(kind)),
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
