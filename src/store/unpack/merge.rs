//! Moves an unpacked tree into a directory that is there: directories are merged, everything else takes the place of what
//! has its name. First a pass that only looks, so that a conflict is found while the target is as it was.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use super::UnpackError;
use super::fault::told;
use super::install::rename_new;
use crate::sys::change::{self, Renaming};
use crate::sys::entry::{self, Kind, Names, Status};
use crate::sys::open::{self, Purpose};

/// What is done with each name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// It is looked at.
    Check,
    /// It is moved.
    Move,
}

/// A merge of two trees.
pub(super) struct Merge {
    pass: Pass,
    levels: Vec<Level>,
    /// Of the name at hand, below both trees.
    path: Vec<u8>,
    /// Whether anything was moved.
    has_moved: bool,
    /// Directories that were in both.
    common: u64,
    device: u64,
}

/// A directory that is in both trees.
struct Level {
    staged: OwnedFd,
    names: Names,
    target: OwnedFd,
    /// How much of the path is its own, with a slash.
    length: usize,
    /// Whether something was moved since its names were read from the start.
    has_changed: bool,
}

impl Level {
    fn new(staged: OwnedFd, target: OwnedFd, length: usize) -> Self {
        Self {
            staged,
            names: Names::default(),
            target,
            length,
            has_changed: false,
        }
    }

    /// Begins anew: a filesystem may skip names when others are moved away while it is read.
    fn restart(&mut self) -> io::Result<()> {
        self.staged = again(self.staged.as_fd())?;
        self.names = Names::default();
        self.has_changed = false;
        Ok(())
    }
}

/// The same directory, to be listed from its start.
fn again(directory: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    open::child(directory, OsStr::new("."), Purpose::Directory)
}

/// Goes through `staged` and `target`. How many directories are in both, besides themselves.
pub(super) fn merge(
    staged: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    pass: Pass,
) -> Result<u64, UnpackError> {
    let start = || -> io::Result<Merge> {
        Ok(Merge {
            pass,
            levels: vec![Level::new(again(staged)?, again(target)?, 0)],
            path: Vec::new(),
            has_moved: false,
            common: 0,
            device: entry::status(target)?.device,
        })
    };
    let mut merge = start().map_err(|source| UnpackError::Io {
        path: String::new(),
        source,
    })?;
    merge.all()?;
    Ok(merge.common)
}

impl Merge {
    fn all(&mut self) -> Result<(), UnpackError> {
        while !self.levels.is_empty() {
            match self.next_name() {
                Ok(Some(kind)) => self.name(kind)?,
                Ok(None) => self.leave().map_err(|error| self.failure(error))?,
                Err(error) => return Err(self.failure(error)),
            }
        }
        Ok(())
    }

    /// Appends the next name of the innermost level to the path. What it is; nothing at the end.
    fn next_name(&mut self) -> io::Result<Option<Kind>> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(None);
        };
        self.path.truncate(level.length);
        let Some((name, kind)) = level.names.next(level.staged.as_fd())? else {
            return Ok(None);
        };
        self.path.extend_from_slice(name.as_bytes());
        match kind {
            Some(kind) => Ok(Some(kind)),
            None => entry::status_of(level.staged.as_fd(), name).map(|status| Some(status.kind)),
        }
    }

    fn leave(&mut self) -> io::Result<()> {
        let Some(mut level) = self.levels.pop() else {
            return Ok(());
        };
        if level.has_changed {
            level.restart()?;
            self.levels.push(level);
            return Ok(());
        }
        if let (Pass::Move, Some(outer)) = (self.pass, self.levels.last_mut()) {
            let name = &self.path[outer.length..level.length - 1];
            change::remove_directory(outer.staged.as_fd(), OsStr::from_bytes(name))?;
            outer.has_changed = true;
        }
        Ok(())
    }

    fn name(&mut self, kind: Kind) -> Result<(), UnpackError> {
        let there = self.there().map_err(|error| self.failure(error))?;
        match (kind, there) {
            (Kind::Directory, Some(there)) if there.kind == Kind::Directory => {
                if there.device != self.device {
                    return Err(self.other_filesystem());
                }
                self.enter().map_err(|error| self.failure(error))
            }
            (_, Some(there)) if (kind == Kind::Directory) != (there.kind == Kind::Directory) => {
                Err(self.conflict(kind == Kind::Directory))
            }
            _ if self.pass == Pass::Check => Ok(()),
            _ => self.move_in(kind).map_err(|error| self.failure(error)),
        }
    }

    /// What has the name at hand in the target.
    fn there(&self) -> io::Result<Option<Status>> {
        let Some(level) = self.levels.last() else {
            return Ok(None);
        };
        let name = OsStr::from_bytes(&self.path[level.length..]);
        match entry::status_of(level.target.as_fd(), name) {
            Ok(status) => Ok(Some(status)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn enter(&mut self) -> io::Result<()> {
        let Some(level) = self.levels.last() else {
            return Ok(());
        };
        let name = OsStr::from_bytes(&self.path[level.length..]);
        let staged = open::child(level.staged.as_fd(), name, Purpose::Directory)?;
        let target = open::child(level.target.as_fd(), name, Purpose::Directory)?;
        self.path.push(b'/');
        self.common += 1;
        self.levels
            .push(Level::new(staged, target, self.path.len()));
        Ok(())
    }

    fn move_in(&mut self, kind: Kind) -> io::Result<()> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        let name = OsStr::from_bytes(&self.path[level.length..]);
        let (from, to) = ((level.staged.as_fd(), name), (level.target.as_fd(), name));
        if kind == Kind::Directory {
            rename_new(from, to)?;
        } else {
            change::rename(from, to, Renaming::Replace)?;
        }
        level.has_changed = true;
        self.has_moved = true;
        Ok(())
    }

    fn failure(&self, source: io::Error) -> UnpackError {
        let path = told(&self.path);
        if source.kind() == io::ErrorKind::CrossesDevices && !self.has_moved {
            return UnpackError::OtherFilesystem { path };
        }
        if self.has_moved {
            UnpackError::HalfWay { path, source }
        } else {
            UnpackError::Io { path, source }
        }
    }

    fn conflict(&self, is_directory_in_archive: bool) -> UnpackError {
        if self.has_moved {
            return self.failure(io::ErrorKind::AlreadyExists.into());
        }
        UnpackError::Conflict {
            path: told(&self.path),
            is_directory_in_archive,
        }
    }

    fn other_filesystem(&self) -> UnpackError {
        self.failure(io::ErrorKind::CrossesDevices.into())
    }
}
