//! Brings an unpacked tree to its target, when the whole archive was read and found good.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

use super::extract::Extracted;
use super::fault::told;
use super::late_links::judge_late;
use super::merge::{Pass, merge};
use super::notes::{Note, Taken};
use super::staging::{OLD, Staging, TREE};
use super::target::{Target, Way};
use super::walk::{Walk, step};
use super::{UnpackError, mounts};
use crate::store::jail::Directory;
use crate::sys::change::{self, Renaming};
use crate::sys::entry;
use crate::sys::open::{self, Refusal};

/// Permissions of a new target that the archive says nothing about.
const NEW_MODE: u16 = 0o755;

/// An unpacked tree on its way.
pub(super) struct Installation<'a> {
    pub(super) target: &'a Target,
    pub(super) staging: &'a Staging<'a>,
    pub(super) tree: BorrowedFd<'a>,
    pub(super) notes: Taken<'a>,
}

impl From<io::Error> for UnpackError {
    fn from(source: io::Error) -> Self {
        Self::Io {
            path: String::new(),
            source,
        }
    }
}

impl Installation<'_> {
    /// Checks what could not be checked before, then does it.
    pub(super) fn install(&self, extracted: &Extracted) -> Result<(), UnpackError> {
        judge_late(self.tree, self.target.way.merged(), self.notes)?;
        self.dress(self.tree)?;
        match &self.target.way {
            Way::New(missing) => {
                self.dress_new(extracted)?;
                self.place_new(missing.first().map(AsRef::as_ref).unwrap_or_default())
            }
            Way::Swap(name, old) => {
                // Without /proc nobody can tell.
                if let Ok(Some(mount)) = mounts::below(old.as_fd()) {
                    let path = told(mount.as_os_str().as_bytes());
                    return Err(UnpackError::OtherFilesystem { path });
                }
                self.dress_as(old)?;
                self.swap(name, old)
            }
            Way::Merge(target) => self.merge(target),
        }
    }

    fn dress_new(&self, extracted: &Extracted) -> io::Result<()> {
        let (mode, modified) = extracted.top.unzip();
        change::set_mode(self.tree, u32::from(mode.unwrap_or(NEW_MODE)))?;
        modified.map_or(Ok(()), |modified| {
            change::set_modified_of(self.tree, modified)
        })
    }

    /// The target itself stays whose it was. Owner first: a change of it may clear bits of the mode. chown(2)
    fn dress_as(&self, old: &Directory) -> io::Result<()> {
        let status = entry::status(old.as_fd())?;
        change::set_owner(self.tree, status.owner.0, status.owner.1)?;
        change::set_mode(self.tree, status.mode)
    }

    fn place_new(&self, name: &OsStr) -> Result<(), UnpackError> {
        let holder = self.target.holder.as_fd();
        change::sync_filesystem(self.tree)?;
        rename_new(self.staging.place(), (holder, name)).map_err(|error| self.taken(error))?;
        Ok(change::sync(holder)?)
    }

    fn taken(&self, error: io::Error) -> UnpackError {
        match error.kind() {
            io::ErrorKind::AlreadyExists
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory => UnpackError::Changed {
                path: self.target.path.clone(),
            },
            io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => {
                UnpackError::CannotReplace {
                    path: self.target.path.clone(),
                }
            }
            _ => error.into(),
        }
    }

    fn swap(&self, name: &OsStr, old: &Directory) -> Result<(), UnpackError> {
        let place = (self.target.holder.as_fd(), name);
        change::sync_filesystem(self.tree)?;
        let swapped = match self.exchange(place, old) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.swap_in_two(place, old)
            }
            other => other,
        };
        swapped.map_err(|error| self.taken(error))?;
        Ok(change::sync(self.target.holder.as_fd())?)
    }

    /// What came out is removed in the end: it goes back when it is not what was looked at in the beginning.
    fn exchange(&self, place: (BorrowedFd<'_>, &OsStr), old: &Directory) -> io::Result<()> {
        change::rename(self.staging.place(), place, Renaming::Exchange)?;
        if self.has_taken(TREE, old)? {
            return Ok(());
        }
        change::rename(self.staging.place(), place, Renaming::Exchange)?;
        Err(io::ErrorKind::NotFound.into())
    }

    /// Whether `name` in the staging directory is `old`.
    fn has_taken(&self, name: &str, old: &Directory) -> io::Result<bool> {
        let taken = entry::status_of(self.staging.as_fd(), OsStr::new(name))?;
        let old = entry::status(old.as_fd())?;
        Ok((taken.device, taken.inode) == (old.device, old.inode))
    }

    /// For filesystems that cannot exchange: for a moment there is nothing.
    fn swap_in_two(&self, place: (BorrowedFd<'_>, &OsStr), target: &Directory) -> io::Result<()> {
        let old = (self.staging.as_fd(), OsStr::new(OLD));
        change::rename(place, old, Renaming::Replace)?;
        if !self.has_taken(OLD, target)? {
            change::rename(old, place, Renaming::Replace)?;
            return Err(io::ErrorKind::NotFound.into());
        }
        let renamed = change::rename(self.staging.place(), place, Renaming::Replace);
        if renamed.is_err() {
            change::rename(old, place, Renaming::Replace)?;
        }
        renamed
    }

    fn merge(&self, target: &Directory) -> Result<(), UnpackError> {
        merge(self.tree, target.as_fd(), Pass::Check)?;
        change::sync_filesystem(self.tree)?;
        let common = merge(self.tree, target.as_fd(), Pass::Move)?;
        let finished = || {
            if common > 0 {
                self.dress(target.as_fd())?;
            }
            change::sync_filesystem(target.as_fd())
        };
        finished().map_err(|source| UnpackError::HalfWay {
            path: self.target.path.display().to_string(),
            source,
        })
    }

    /// Gives the directories below `top` what their members say. One that somebody has exchanged for something else
    /// meanwhile is left alone.
    fn dress(&self, top: BorrowedFd<'_>) -> io::Result<()> {
        let mut walk = Walk::default();
        self.notes.each(|note, place| {
            let Note::Directory { mode, modified } = note else {
                return Ok(());
            };
            match walk.enter(top, place, step) {
                Ok(directory) => {
                    change::set_mode(directory, u32::from(*mode))?;
                    change::set_modified_of(directory, *modified)
                }
                Err(error) if is_no_directory(&error) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }
}

/// Renames to a name that is free. Filesystems that know no flags replace an empty directory at most.
pub(in crate::store) fn rename_new(
    from: (BorrowedFd<'_>, &OsStr),
    to: (BorrowedFd<'_>, &OsStr),
) -> io::Result<()> {
    match change::rename(from, to, Renaming::Keep) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            change::rename(from, to, Renaming::Replace)
        }
        other => other,
    }
}

fn is_no_directory(error: &io::Error) -> bool {
    matches!(
        open::refusal(error),
        Refusal::NotFound | Refusal::NotADirectory | Refusal::Link
    )
}
