//! Where an archive goes, and so where it is staged and how it gets in.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use super::links::Surroundings;
use super::{Mode, UnpackError};
use crate::store::jail::{Destination, Directory, Jail, JailError};
use crate::sys::entry;

/// The target of an archive.
#[derive(Debug)]
pub(super) struct Target {
    /// For messages.
    pub(super) path: PathBuf,
    /// The directory that staging is in.
    pub(super) holder: Directory,
    pub(super) way: Way,
    pub(super) surroundings: Surroundings,
}

/// How the unpacked tree gets in.
#[derive(Debug)]
pub(super) enum Way {
    /// It becomes these names below the holder: there was nothing before.
    New(Vec<OsString>),
    /// It changes places with this name in the holder.
    Swap(OsString, Directory),
    /// It is moved into this directory piece by piece.
    Merge(Directory),
}

impl Way {
    /// The names that are to be made.
    pub(super) fn missing(&self) -> &[OsString] {
        match self {
            Self::New(missing) => missing,
            Self::Swap(..) | Self::Merge(_) => &[],
        }
    }

    /// The directory that is merged into.
    pub(super) fn merged(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Merge(target) => Some(target.as_fd()),
            Self::New(_) | Self::Swap(..) => None,
        }
    }
}

impl Target {
    /// Looks for the target `path`.
    pub(super) fn find(jail: &Jail, path: &str, mode: Mode) -> Result<Self, UnpackError> {
        let destination = jail.destination(path).map_err(UnpackError::Target)?;
        let depth = destination.real.components().count() + destination.missing.len();
        let surroundings = Surroundings {
            root: destination.root.path().to_owned(),
            depth,
        };
        let path = Path::new(path);
        let (holder, way) = ways(destination, path, mode)?;
        Ok(Self {
            path: path.to_owned(),
            holder,
            way,
            surroundings,
        })
    }
}

impl Target {
    /// Whether looking for it once more finds the same directories: an archive may come for minutes, and who gave the
    /// target another name meanwhile, or made it, does not expect it to get anything under the old one.
    pub(super) fn is_still_there(&self, jail: &Jail, mode: Mode) -> bool {
        let found = self.path.to_str().map(|path| Self::find(jail, path, mode));
        found.is_some_and(|found| found.is_ok_and(|found| found.is_same(self)))
    }

    fn is_same(&self, other: &Self) -> bool {
        let is_same_way = match (&self.way, &other.way) {
            (Way::New(one), Way::New(other)) => one == other,
            (Way::Swap(one, this), Way::Swap(other, that)) => one == other && is_same(this, that),
            (Way::Merge(this), Way::Merge(that)) => is_same(this, that),
            _ => false,
        };
        is_same_way && is_same(&self.holder, &other.holder)
    }
}

/// Whether both are one directory. One that cannot be asked is none.
fn is_same(one: &Directory, other: &Directory) -> bool {
    let number = |directory: &Directory| {
        let status = entry::status(directory.as_fd()).ok()?;
        Some((status.device, status.inode))
    };
    number(one).is_some_and(|one| number(other) == Some(one))
}

fn ways(
    destination: Destination,
    path: &Path,
    mode: Mode,
) -> Result<(Directory, Way), UnpackError> {
    let Destination {
        root,
        existing,
        real,
        missing,
    } = destination;
    if !missing.is_empty() {
        return Ok((existing, Way::New(missing)));
    }
    let beside = beside(&root, &existing, &real).map_err(UnpackError::Target)?;
    match (beside, mode) {
        (Some((holder, name)), Mode::Replace) => Ok((holder, Way::Swap(name, existing))),
        (Some((holder, _)), Mode::Merge) => Ok((holder, Way::Merge(existing))),
        (None, Mode::Merge) => {
            let holder = existing.open_directory(Path::new(""));
            Ok((holder.map_err(UnpackError::Target)?, Way::Merge(existing)))
        }
        (None, Mode::Replace) => Err(UnpackError::CannotReplace {
            path: path.to_owned(),
        }),
    }
}

/// The directory that `target` is in, and its name there. None if it is the root, or a filesystem of its own.
pub(in crate::store) fn beside(
    root: &Directory,
    target: &Directory,
    real: &Path,
) -> Result<Option<(Directory, OsString)>, JailError> {
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
        return Ok(None);
    };
    let holder = root.open_directory(parent)?;
    let device = |directory: &Directory| {
        let status = entry::status(directory.as_fd());
        status.map(|status| status.device)
    };
    match (device(&holder), device(target)) {
        (Ok(outer), Ok(inner)) if outer == inner => Ok(Some((holder, name.to_owned()))),
        _ => Ok(None),
    }
}
