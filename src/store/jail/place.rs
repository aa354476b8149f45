//! A single name in a directory that was reached below a root: what is written, removed or looked at, through the
//! directory's descriptor and that name alone.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use super::made::{Made, opened, sync_directory};
use super::walk::{Manner, reach};
use super::{Directory, Jail, JailError, names_a_directory};
use crate::store::spool::is_temporary;
use crate::sys::change;
use crate::sys::entry::{self, Kind, Status};

/// What a path stands for when it ends in a link, and whether directories on the way may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The link.
    Name,
    /// What it leads to.
    Target,
    /// What it leads to. Directories on the way that are missing are made.
    TargetToWrite,
}

/// A name in a directory. Nothing need be there. Directories that were made on the way are removed again when it is
/// dropped unused.
#[derive(Debug)]
pub struct Place {
    pub(super) directory: Directory,
    pub(super) name: OsString,
    pub(super) made: Made,
    kind: Option<Kind>,
}

impl Jail {
    /// The place that `path` leads to. A directory is none.
    pub fn place(&self, path: &str, finding: Finding) -> Result<Place, JailError> {
        let place = self.below_a_root(path, finding == Finding::TargetToWrite, |root, rest| {
            Place::below(root, rest, finding)
        })?;
        if names_a_directory(path) {
            return Err(JailError::NotADirectory { path: path.into() });
        }
        Ok(place)
    }

    /// The status of what `path` leads to; of the link itself, where that leads to nothing. `None`: there is nothing.
    pub fn look(&self, path: &str) -> Result<Option<Status>, JailError> {
        let found = self.below_a_root(path, false, |root, rest| match look(root, rest, true) {
            Ok(None) | Err(JailError::Links { .. }) => look(root, rest, false),
            other => other,
        });
        match found {
            Ok(Some(status)) if names_a_directory(path) && status.kind != Kind::Directory => {
                Ok(None)
            }
            Err(JailError::NotFound { .. } | JailError::NotADirectory { .. }) => Ok(None),
            other => other,
        }
    }

    /// Makes the directory at `path` and those on the way to it. Whether it was not there before.
    pub fn make_directory(&self, path: &str, mode: u32) -> Result<bool, JailError> {
        self.below_a_root(path, true, |root, rest| make_directory(root, rest, mode))
    }
}

fn look(root: &Directory, rest: &Path, follows_last: bool) -> Result<Option<Status>, JailError> {
    root.checked(rest)?;
    let manner = Manner {
        follows_last,
        makes: None,
    };
    let found = reach(root, rest, manner)?;
    let status = match &found.last {
        None => entry::status(found.innermost(root)),
        Some(name) => entry::status_of(found.innermost(root), name),
    };
    match status {
        Ok(status) => Ok(Some(status)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(root.error(rest, error)),
    }
}

fn make_directory(root: &Directory, rest: &Path, mode: u32) -> Result<bool, JailError> {
    root.checked(rest)?;
    let mut made = Made::default();
    let manner = Manner {
        follows_last: true,
        makes: Some(&mut made),
    };
    let found = reach(root, rest, manner)?;
    let path = root.joined(&found.name());
    let is_new = match (&found.last, found.kind) {
        (None, _) => false,
        (Some(name), None) if is_temporary(name) => return Err(JailError::Reserved { path }),
        (Some(name), None) => {
            let parent = found.innermost(root);
            made.add(parent, name, mode)
                .map_err(|error| JailError::write(&path, error))?;
            true
        }
        (Some(_), Some(_)) => return Err(JailError::InTheWay { path }),
    };
    made.keep()
        .map_err(|error| JailError::write(&path, error))?;
    Ok(is_new)
}

impl Place {
    fn below(root: &Directory, rest: &Path, finding: Finding) -> Result<Self, JailError> {
        root.checked(rest)?;
        let mut made = Made::default();
        let manner = Manner {
            follows_last: finding != Finding::Name,
            makes: (finding == Finding::TargetToWrite).then_some(&mut made),
        };
        let found = reach(root, rest, manner)?;
        let path = root.joined(&found.name());
        let Some(name) = found.last.clone() else {
            return Err(JailError::IsADirectory { path });
        };
        if finding == Finding::TargetToWrite && is_temporary(&name) {
            return Err(JailError::Reserved { path });
        }
        let descriptor =
            opened(found.innermost(root)).map_err(|error| JailError::from_io(&path, error))?;
        let parent = path.parent().unwrap_or(root.path()).to_owned();
        Ok(Self {
            directory: Directory::at(descriptor, parent),
            name,
            made,
            kind: found.kind,
        })
    }

    /// Its path, without links.
    pub fn path(&self) -> PathBuf {
        self.directory.joined(Path::new(&self.name))
    }

    /// Removes the file or link that is there, for good.
    pub fn remove(self) -> Result<(), JailError> {
        let path = self.path();
        match self.kind {
            None => return Err(JailError::NotFound { path }),
            Some(Kind::Special) => return Err(JailError::NotAFile { path }),
            Some(Kind::Directory) => return Err(JailError::IsADirectory { path }),
            Some(Kind::File | Kind::Link) => {}
        }
        change::remove_file(self.as_fd(), &self.name)
            .and_then(|()| sync_directory(self.as_fd()))
            .map_err(|error| JailError::write(&path, error))
    }
}

impl AsFd for Place {
    /// The directory that it is in.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}
