//! From the top of a tree to a directory in it, one name at a time and never through a link. The way that was gone last
//! stays open, because the next member is nearly always in the same directory or close by.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use super::place::parts;
use crate::sys::open::{self, Purpose};

/// The directories on the way to the last one.
#[derive(Debug, Default)]
pub(super) struct Walk {
    path: Vec<u8>,
    /// Each with the length of its own path.
    levels: Vec<(usize, OwnedFd)>,
}

/// Opens the directory of one name, which is no link.
pub(super) fn step(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    open::child(parent, name, Purpose::Directory)
}

impl Walk {
    /// The directory at `place` below `top`, always the same one; `step` opens each name, or makes it.
    pub(super) fn enter<'w, E>(
        &'w mut self,
        top: BorrowedFd<'w>,
        place: &[u8],
        mut step: impl FnMut(BorrowedFd<'_>, &OsStr) -> Result<OwnedFd, E>,
    ) -> Result<BorrowedFd<'w>, E> {
        self.go_back(place);
        for name in parts(&place[self.path.len()..]) {
            let parent = self.levels.last().map_or(top, |(_, level)| level.as_fd());
            let level = step(parent, OsStr::from_bytes(name))?;
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            self.levels.push((self.path.len(), level));
        }
        Ok(self.levels.last().map_or(top, |(_, level)| level.as_fd()))
    }

    /// Leaves the directories that are not on the way to `place`.
    fn go_back(&mut self, place: &[u8]) {
        while let Some(&(length, _)) = self.levels.last() {
            let rest = place.strip_prefix(&self.path[..length]);
            if rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/'))) {
                break;
            }
            self.levels.pop();
        }
        let length = self.levels.last().map_or(0, |(length, _)| *length);
        self.path.truncate(length);
    }
}
