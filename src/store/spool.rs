//! Uploads that have to be complete before they are used: written to a file without a name under the state directory,
//! then read again. Nothing is left whatever happens.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use super::space::{NoRoom, Reserve};
use crate::limits;
use crate::sys::temporary;

/// Where uploads are spooled.
#[derive(Clone, Debug)]
pub struct Spool {
    /// The state directory.
    pub directory: PathBuf,
    /// What stays free there.
    pub reserve: Reserve,
}

/// What temporary files are called that need a name.
pub const TEMPORARY_PREFIX: &str = ".node-agent-";

/// Whether something of this name is a temporary file of ours.
pub fn is_temporary(name: &OsStr) -> bool {
    name.as_encoded_bytes()
        .starts_with(TEMPORARY_PREFIX.as_bytes())
}

/// Removes what an agent that was killed has left in its state directory; how many.
pub fn sweep(directory: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in directory.read_dir()? {
        let entry = entry?;
        if is_temporary(&entry.file_name()) && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// An upload being spooled. A write that would use up the reserve fails with `StorageFull` and a [`NoRoom`] inside.
#[derive(Debug)]
pub struct Spooled<'s> {
    file: File,
    spool: &'s Spool,
    bytes: u64,
    /// Bytes that may be written before the disk is looked at again.
    granted: u64,
}

impl Spool {
    /// A file for an upload of `expected` bytes, or of nobody knows how many. Fails before anything is written when it
    /// has no room.
    pub fn open(&self, expected: Option<u64>) -> io::Result<Spooled<'_>> {
        let check = self
            .reserve
            .check(&self.directory, expected.unwrap_or_default());
        check.map_err(no_room)?;
        Ok(Spooled {
            file: temporary::nameless_file(&self.directory)?,
            spool: self,
            bytes: 0,
            granted: 0,
        })
    }
}

/// The shortage as an error of a write.
pub(in crate::store) fn no_room(shortage: NoRoom) -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, shortage)
}

impl Spooled<'_> {
    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file, to be read from its start.
    pub fn into_file(mut self) -> io::Result<File> {
        self.file.rewind()?;
        Ok(self.file)
    }
}

impl Write for Spooled<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.granted == 0 && !bytes.is_empty() {
            let Spool { directory, reserve } = self.spool;
            // One that cannot be asked has room: the write will tell.
            let available = reserve.available(directory).unwrap_or(u64::MAX);
            if available == 0 {
                return Err(no_room(NoRoom {
                    path: directory.clone(),
                    needed: bytes.len() as u64,
                    available,
                }));
            }
            self.granted = available.min(limits::SPACE_STEP_BYTES);
        }
        let most = usize::try_from(self.granted).unwrap_or(usize::MAX);
        let count = self.file.write(&bytes[..bytes.len().min(most)])?;
        self.bytes += count as u64;
        self.granted -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
