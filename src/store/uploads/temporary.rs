//! Files and directories on their way into the store. All of them lie beside the uploads, under a name that no upload
//! can have: what an agent that was killed leaves is told by its name.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use crate::store::spool::TEMPORARY_PREFIX;
use crate::sys::change::{self, Renaming};
use crate::sys::process::random_bytes;

/// A name that nothing has yet.
pub(super) fn name() -> io::Result<OsString> {
    let random = u64::from_ne_bytes(random_bytes()?);
    Ok(format!("{TEMPORARY_PREFIX}{random:016x}").into())
}

/// A file that is removed when it is dropped before it was kept.
#[derive(Debug)]
pub(super) struct Temporary<'u> {
    uploads: BorrowedFd<'u>,
    name: OsString,
    is_kept: bool,
    /// To write.
    pub(super) file: File,
}

impl<'u> Temporary<'u> {
    pub(super) fn create(uploads: BorrowedFd<'u>) -> io::Result<Self> {
        let name = name()?;
        let file = change::create_file(uploads, &name, 0o600)?;
        Ok(Self {
            uploads,
            name,
            is_kept: false,
            file,
        })
    }

    /// Waits until its bytes are on the disk, so that the name that it gets later stands for all of them.
    pub(super) fn sync(&self) -> io::Result<()> {
        change::sync(self.file.as_fd())
    }

    /// Gives it its final name, in place of what has it. The directory is for the caller to sync.
    pub(super) fn rename(mut self, folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
        let from = (self.uploads, self.name.as_os_str());
        change::rename(from, (folder, name), Renaming::Replace)?;
        self.is_kept = true;
        Ok(())
    }

    /// Both of them.
    pub(super) fn keep(self, folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
        self.sync()?;
        self.rename(folder, name)
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            // Whatever went wrong before is the error that counts; the next start looks again.
            let _ = change::remove_file(self.uploads, &self.name);
        }
    }
}
