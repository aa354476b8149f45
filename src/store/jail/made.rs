//! Directories that were made on the way to something: removed again unless it comes to be, on the disk before it is
//! said to be there.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys::entry::Names;
use crate::sys::open::{self, Purpose};
use crate::sys::{change, entry};

/// Directories that were made, the outermost first. Dropped, it removes them, as far as they are still empty.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<(OwnedFd, OsString)>);

impl Made {
    /// The mode of a directory that nobody asked for by name.
    pub(super) const PARENT_MODE: u32 = 0o755;

    /// Makes `name` in `parent`, with exactly this mode, and opens it. One that somebody else has made meanwhile will
    /// do.
    pub(super) fn add(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        mode: u32,
    ) -> io::Result<OwnedFd> {
        match change::make_directory(parent, name, mode) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return open::child(parent, name, Purpose::Directory);
            }
            Err(error) => return Err(error),
        }
        self.0.push((opened(parent)?, name.to_owned()));
        let new = open::child(parent, name, Purpose::Directory)?;
        give_mode(new.as_fd(), mode)?;
        Ok(new)
    }

    /// They stay, whatever happens to the machine.
    pub(super) fn keep(mut self) -> io::Result<()> {
        let made = std::mem::take(&mut self.0);
        made.iter()
            .try_for_each(|(parent, _)| sync_directory(parent.as_fd()))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for (parent, name) in self.0.iter().rev() {
            // Not empty, or gone: then it is somebody else's.
            let _ = change::remove_directory(parent.as_fd(), name);
        }
    }
}

/// The umask may have taken something away. What is not empty was put there by somebody who may rename in its parent: it
/// is another directory, and keeps its mode.
fn give_mode(new: BorrowedFd<'_>, mode: u32) -> io::Result<()> {
    if entry::status(new)?.mode & 0o777 != mode && is_empty(new)? {
        change::set_mode(new, mode)?;
    }
    Ok(())
}

fn is_empty(directory: BorrowedFd<'_>) -> io::Result<bool> {
    let listed = opened(directory)?;
    Ok(Names::default().next(listed.as_fd())?.is_none())
}

/// A descriptor of its own for a directory, that can also be synced: a mere place cannot.
pub(super) fn opened(directory: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    open::child(directory, OsStr::new("."), Purpose::Directory)
}

/// Waits until the names in a directory are on the disk. Some filesystems (FUSE) have no such call for directories.
pub(super) fn sync_directory(directory: BorrowedFd<'_>) -> io::Result<()> {
    match change::sync(directory) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    #[test]
    fn only_a_directory_that_is_new_gets_a_mode() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("secret");
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .unwrap();
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        let directory = open::directory(&path).unwrap();
        give_mode(directory.as_fd(), 0o750).unwrap();
        assert_eq!(mode(), 0o750);
        std::fs::write(path.join("file"), "").unwrap();
        give_mode(directory.as_fd(), 0o755).unwrap();
        assert_eq!(mode(), 0o750);
    }
}
