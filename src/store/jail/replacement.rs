//! A file that is there whole or not at all: a temporary sibling, fsync, rename, fsync of the directory, all through the
//! descriptor of the directory. A reader sees the old content or the new one, also after a power cut.
//!
//! What the rename cannot keep: further names of the old file (hard links) keep the old content, and its extended
//! attributes are not taken over.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::made::sync_directory;
use super::shared::is_planted;
use super::{JailError, Place};
use crate::limits;
use crate::store::leftovers::{Leftovers, Temporary};
use crate::store::space::{NoRoom, Reserve};
use crate::store::spool::no_room;
use crate::sys::change::{self, Renaming};
use crate::sys::entry::{self, Kind, Status};

/// The mode of a file that was not there before.
const NEW_MODE: u32 = 0o644;

/// A file being written in the place of another one, or of nothing. Dropped, it leaves everything as it was. A write
/// that would use up the reserve fails with `StorageFull` and a [`NoRoom`] inside.
#[derive(Debug)]
pub struct Replacement {
    place: Place,
    file: File,
    is_there: bool,
    reserve: Reserve,
    size: u64,
    /// Bytes that may be written before the disk is looked at again.
    granted: u64,
    // Last: the file goes before its note.
    temporary: Temporary,
}

/// A file that was written.
#[derive(Debug)]
pub struct Written {
    /// Bytes.
    pub size: u64,
    /// Its permissions.
    pub mode: u32,
    /// Whether there was none before.
    pub created: bool,
}

impl Place {
    /// Begins to write the file anew, with `expected` bytes or nobody knows how many. Fails before anything is written
    /// when they have no room, or when something else than a file is there.
    pub fn replace(
        self,
        expected: Option<u64>,
        reserve: Reserve,
        leftovers: &Leftovers,
    ) -> Result<Replacement, JailError> {
        self.replaceable()?;
        let path = self.path();
        let begin = || {
            check(&self, reserve, expected.unwrap_or_default())?;
            let temporary = leftovers.temporary(self.directory.path())?;
            let file = change::create_file(self.as_fd(), OsStr::new(&temporary.name), 0o600)?;
            Ok((temporary, file))
        };
        let (temporary, file) = begin().map_err(|error| JailError::write(&path, error))?;
        Ok(Replacement {
            place: self,
            file,
            is_there: true,
            reserve,
            size: 0,
            granted: 0,
            temporary,
        })
    }

    /// The file that is there, if there is one. Anything else cannot be replaced; a link that came meanwhile can.
    fn replaceable(&self) -> Result<Option<Status>, JailError> {
        let path = self.path();
        match self.directory.status_of(&self.name) {
            Ok(status) => match status.kind {
                Kind::File => Ok(Some(status)),
                Kind::Link => Ok(None),
                Kind::Directory => Err(JailError::IsADirectory { path }),
                Kind::Special => Err(JailError::NotAFile { path }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(JailError::from_io(&path, error)),
        }
    }
}

/// How many bytes may be written in the place's directory; at least `needed`.
fn check(place: &Place, reserve: Reserve, needed: u64) -> io::Result<u64> {
    let available = reserve.available_in(place.as_fd());
    if available >= needed.max(1) {
        return Ok(available);
    }
    Err(no_room(NoRoom {
        path: place.directory.path().to_owned(),
        needed,
        available,
    }))
}

impl Replacement {
    /// The file's path, without links.
    pub fn path(&self) -> PathBuf {
        self.place.path()
    }

    /// Puts it in its place, with the old file's owner, and its mode unless another one is given.
    pub fn finish(mut self, mode: Option<u32>) -> Result<Written, JailError> {
        let there = self.place.replaceable()?;
        let path = self.path();
        let old = self
            .to_be_kept(there)
            .map_err(|error| JailError::write(&path, error))?;
        let kept = old.map_or(NEW_MODE, |old| old.mode);
        let mode = mode.unwrap_or(kept);
        self.dress(old, mode)
            .and_then(|()| self.rename())
            .map_err(|error| JailError::write(&path, error))?;
        Ok(Written {
            size: self.size,
            mode,
            created: there.is_none(),
        })
    }

    /// The file whose owner and mode are kept: none that somebody has put into `/tmp` to have what is written there.
    fn to_be_kept(&self, there: Option<Status>) -> io::Result<Option<Status>> {
        match there {
            Some(old) if is_planted(self.place.as_fd(), old.owner.0)? => Ok(None),
            there => Ok(there),
        }
    }

    /// The owner first: changing it may clear bits of the mode. chown(2)
    fn dress(&self, old: Option<Status>, mode: u32) -> io::Result<()> {
        let file = self.file.as_fd();
        let own = entry::status(file)?.owner;
        if let Some(old) = old.filter(|old| old.owner != own) {
            change::set_owner(file, old.owner.0, old.owner.1)?;
        }
        change::set_mode(file, mode)?;
        change::sync(file)
    }

    fn rename(&mut self) -> io::Result<()> {
        let directory = self.place.as_fd();
        let from = (directory, OsStr::new(&self.temporary.name));
        let to = (directory, self.place.name.as_os_str());
        change::rename(from, to, Renaming::Replace)?;
        self.is_there = false;
        sync_directory(directory)?;
        std::mem::take(&mut self.place.made).keep()
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.granted == 0 {
            let available = check(&self.place, self.reserve, 1)?;
            self.granted = available.min(limits::SPACE_STEP_BYTES);
        }
        let most = usize::try_from(self.granted).unwrap_or(usize::MAX);
        let count = self.file.write(&bytes[..bytes.len().min(most)])?;
        self.size += count as u64;
        self.granted -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if self.is_there {
            let name = Path::new(&self.temporary.name).as_os_str();
            // Whatever went wrong before is the error that counts.
            let _ = change::remove_file(self.place.as_fd(), name);
        }
    }
}
