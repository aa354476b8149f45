//! How much an archive may take: bytes and inodes of the target's filesystem less the reserve, asked again and again
//! because others write there too, and entries.
#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;
use std::path::Path;

use super::UnpackError;
use crate::limits;
use crate::store::space::{NoRoom, Reserve};
use crate::sys::process::{Space, filesystem_space_of};

/// What may still be taken.
pub(super) struct Room<'a> {
    filesystem: BorrowedFd<'a>,
    /// For messages.
    path: &'a Path,
    reserve: Reserve,
    /// Bytes that all contents together may have, whether they are kept or skipped.
    most: u64,
    expanded: u64,
    entries: u64,
    /// Until the filesystem is asked again.
    bytes: u64,
    inodes: u64,
}

impl<'a> Room<'a> {
    pub(super) fn new(
        filesystem: BorrowedFd<'a>,
        path: &'a Path,
        reserve: Reserve,
    ) -> Result<Self, UnpackError> {
        let mut room = Self {
            filesystem,
            path,
            reserve,
            most: u64::MAX,
            expanded: 0,
            entries: 0,
            bytes: 0,
            inodes: 0,
        };
        if let Some(space) = room.ask()? {
            room.most = usable(&space, reserve);
        }
        Ok(room)
    }

    /// Fails if contents of `size` bytes more are too many, before any of them are read.
    pub(super) fn expand(&mut self, size: u64) -> Result<(), UnpackError> {
        self.expanded = self.expanded.saturating_add(size);
        if self.expanded > self.most {
            return Err(self.shortage(self.expanded, self.most));
        }
        Ok(())
    }

    /// One entry more.
    pub(super) fn entry(&mut self) -> Result<(), UnpackError> {
        self.entries += 1;
        if self.entries > limits::TAR_ENTRIES {
            return Err(UnpackError::TooManyEntries);
        }
        if self.inodes == 0 {
            self.ask()?;
        }
        self.inodes = self.inodes.saturating_sub(1);
        self.bytes(limits::DISK_BLOCK_BYTES)
    }

    /// `count` bytes more on the disk.
    pub(super) fn bytes(&mut self, count: u64) -> Result<(), UnpackError> {
        if self.bytes < count {
            self.ask()?;
        }
        match self.bytes.checked_sub(count) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => Err(self.shortage(count, self.bytes)),
        }
    }

    /// Asks the filesystem. One that cannot be asked has room: the write will tell.
    fn ask(&mut self) -> Result<Option<Space>, UnpackError> {
        let Ok(space) = filesystem_space_of(self.filesystem) else {
            (self.bytes, self.inodes) = (limits::SPACE_STEP_BYTES, limits::SPACE_STEP_INODES);
            return Ok(None);
        };
        self.bytes = usable(&space, self.reserve).min(limits::SPACE_STEP_BYTES);
        self.inodes = limits::SPACE_STEP_INODES;
        if space.total_inodes > 0 {
            let reserve = space.total_inodes / 20;
            let usable = space.available_inodes.saturating_sub(reserve);
            self.inodes = usable.min(limits::SPACE_STEP_INODES);
            if usable == 0 {
                return Err(self.no_inodes());
            }
        }
        Ok(Some(space))
    }

    fn shortage(&self, needed: u64, available: u64) -> UnpackError {
        let path = self.path.to_owned();
        UnpackError::NoRoom(NoRoom {
            path,
            needed,
            available,
        })
    }

    fn no_inodes(&self) -> UnpackError {
        let path = self.path.to_owned();
        UnpackError::NoInodes { path }
    }
}

/// What it means that the disk of `filesystem` is full, or a quota on it.
pub(super) fn full(filesystem: BorrowedFd<'_>, path: &Path, reserve: Reserve) -> UnpackError {
    let path = path.to_owned();
    let space = filesystem_space_of(filesystem).ok();
    let has_none = |space: &Space| space.total_inodes > 0 && space.available_inodes == 0;
    if space.as_ref().is_some_and(has_none) {
        return UnpackError::NoInodes { path };
    }
    UnpackError::NoRoom(NoRoom {
        path,
        needed: limits::DISK_BLOCK_BYTES,
        available: space.map_or(0, |space| usable(&space, reserve)),
    })
}

fn usable(space: &Space, reserve: Reserve) -> u64 {
    let usable = space.usable_bytes(reserve.min_free_bytes);
    usable.unwrap_or_default()
}
