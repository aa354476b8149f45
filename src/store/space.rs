//! Room on a filesystem, less what is never used up. Asked before anything is written that can fill a disk.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use crate::sys::process::{self, filesystem_space, filesystem_space_of};

/// What every filesystem keeps free.
#[derive(Clone, Copy, Debug)]
pub struct Reserve {
    /// Bytes; or 5 % of the filesystem, when that is less.
    pub min_free_bytes: u64,
}

/// There is not enough room.
#[derive(Debug)]
pub struct NoRoom {
    /// Where.
    pub path: PathBuf,
    /// Bytes that would be written.
    pub needed: u64,
    /// Bytes that may be written.
    pub available: u64,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (needed, available) = (self.needed, self.available);
        write!(
            out,
            "{needed} bytes are needed and {available} may be used on the disk of {}",
            self.path.display()
        )
    }
}

impl std::error::Error for NoRoom {}

impl Reserve {
    /// Bytes that may be written to the filesystem that holds `path`.
    pub fn available(self, path: &Path) -> io::Result<u64> {
        let space = filesystem_space(path)?;
        Ok(space.usable_bytes(self.min_free_bytes).unwrap_or_default())
    }

    /// Bytes that may be written to the filesystem of `directory`. One that cannot be asked, is read-only or counts no
    /// blocks (a tmpfs without a limit, some FUSE) has room: the write will tell.
    pub fn available_in(self, directory: BorrowedFd<'_>) -> u64 {
        match filesystem_space_of(directory) {
            Ok(space) if space.read_only || space.total_bytes == 0 => u64::MAX,
            Ok(space) => space.usable_bytes(self.min_free_bytes).unwrap_or_default(),
            Err(_) => u64::MAX,
        }
    }

    /// Fails when `needed` bytes have no room on the filesystem that holds `path`. One that cannot be asked or is
    /// read-only has room: the write will tell.
    pub fn check(self, path: &Path, needed: u64) -> Result<(), NoRoom> {
        let Ok(space) = filesystem_space(path) else {
            return Ok(());
        };
        let available = space.usable_bytes(self.min_free_bytes).unwrap_or_default();
        if space.read_only || available >= needed.max(1) {
            return Ok(());
        }
        Err(NoRoom {
            path: path.to_owned(),
            needed,
            available,
        })
    }
}

/// Whether `error` says that the disk, or a quota on it, is full.
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Whether `error` says that the system has no thread, memory or descriptor for it now.
pub fn is_exhausted(error: &io::Error) -> bool {
    process::is_exhausted(error)
}

/// The shortage inside `error`, if it is one of [`super::spool`]'s.
pub fn shortage(error: &io::Error) -> Option<&NoRoom> {
    error.get_ref()?.downcast_ref::<NoRoom>()
}
