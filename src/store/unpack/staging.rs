//! The directory that an archive is unpacked into before anything of it is in the target: on the same filesystem, open
//! to nobody but root, and removed whatever happens. A record in the state directory says where it is, written before it
//! is made, so that the next start finds what a killed agent has left without searching the disk.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::remove::remove;
use crate::store::atomic::{self, Mode};
use crate::store::jail::{Directory, Jail, JailError};
use crate::store::spool::TEMPORARY_PREFIX;
use crate::sys::process::random_bytes;
use crate::sys::{change, open};

/// What records are called in the state directory, in front of the number in the staging directory's name.
const RECORD_PREFIX: &str = "staging-";
/// Hexadecimal digits of that number.
const DIGITS: usize = 16;
/// The root of the unpacked tree, in the staging directory.
const TREE: &str = "tree";

/// A staging directory.
#[derive(Debug)]
pub(super) struct Staging<'p> {
    parent: &'p Directory,
    name: OsString,
    record: PathBuf,
    directory: OwnedFd,
}

/// Where a staging directory is, written down.
#[derive(Debug)]
pub(super) struct Record {
    number: String,
    path: PathBuf,
}

impl Record {
    /// Writes down in the directory `state` that one will be in `parent`.
    pub(super) fn write(parent: &Directory, state: &Path) -> io::Result<Self> {
        let number = format!("{:016x}", u64::from_ne_bytes(random_bytes()?));
        let path = state.join(format!("{RECORD_PREFIX}{number}"));
        let holder = parent.path().as_os_str().as_bytes();
        atomic::write(&path, holder, Mode::Exactly(0o600))?;
        Ok(Self { number, path })
    }
}

impl<'p> Staging<'p> {
    /// A new one in `parent`, as `record` says.
    pub(super) fn create(parent: &'p Directory, record: Record) -> io::Result<Self> {
        let name = OsString::from(format!("{TEMPORARY_PREFIX}{}", record.number));
        let record = record.path;
        match make(parent, &name) {
            Ok(directory) => Ok(Self {
                parent,
                name,
                record,
                directory,
            }),
            Err(error) => {
                clear(parent, &name, &record)?;
                Err(error)
            }
        }
    }

    /// The tree's root: itself, or below it, when the directories above it are to be made too.
    pub(super) fn tree(&self, missing: &[OsString]) -> io::Result<OwnedFd> {
        let mut tree = private(self.directory.as_fd(), OsStr::new(TREE), 0o700)?;
        for name in missing.iter().skip(1) {
            // It stands for the one above, which is not the target and so nobody's to set.
            change::set_mode(tree.as_fd(), 0o755)?;
            tree = private(tree.as_fd(), name, 0o700)?;
        }
        Ok(tree)
    }

    /// What a rename of the tree, or of the directories above it, begins at.
    pub(super) fn place(&self) -> (BorrowedFd<'_>, &OsStr) {
        (self.directory.as_fd(), OsStr::new(TREE))
    }
}

impl AsFd for Staging<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // What cannot be removed now is still recorded for the next start.
        if let Err(error) = clear(self.parent, &self.name, &self.record) {
            log::warn!(
                "{} in {} cannot be removed: {error}",
                self.name.display(),
                self.parent.path().display()
            );
        }
    }
}

fn make(parent: &Directory, name: &OsStr) -> io::Result<OwnedFd> {
    private(parent.as_fd(), name, 0o700)
}

/// Makes a directory with `mode` as it is: without the umask, and without the setgid bit of the one it is in.
pub(super) fn private(parent: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<OwnedFd> {
    change::make_directory(parent, name, mode)?;
    let directory = open::child(parent, name, open::Purpose::Directory)?;
    change::set_mode(directory.as_fd(), mode)?;
    Ok(directory)
}

fn clear(parent: &Directory, name: &OsStr, record: &Path) -> io::Result<()> {
    remove(parent.as_fd(), name)?;
    std::fs::remove_file(record)
}

/// Removes the staging directories that a killed agent has left, as recorded in `state`; how many. One that cannot be
/// removed stays recorded.
pub fn sweep(state: &Path, jail: &Jail) -> io::Result<usize> {
    let mut removed = 0;
    for entry in state.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        if is_half_a_record(&name) {
            std::fs::remove_file(entry.path())?;
        }
        let Some(number) = number(&name).filter(|_| entry.path().is_file()) else {
            continue;
        };
        let path = OsString::from_vec(std::fs::read(entry.path())?);
        let staging = OsString::from(format!("{TEMPORARY_PREFIX}{number}"));
        let cleared = match jail.recorded(Path::new(&path)) {
            Ok(parent) => clear(&parent, &staging, &entry.path()),
            // The directory it was in is gone, or was never one of ours.
            Err(JailError::Io { source, .. }) => Err(source),
            Err(_) => std::fs::remove_file(entry.path()),
        };
        match cleared {
            Ok(()) => removed += 1,
            Err(error) => log::warn!(
                "{} in {} cannot be removed: {error}",
                staging.display(),
                path.display()
            ),
        }
    }
    Ok(removed)
}

/// Whether it is what an atomic write makes first. Nothing was staged yet.
fn is_half_a_record(name: &OsStr) -> bool {
    let name = name.as_bytes().strip_prefix(b".");
    name.is_some_and(|name| name.starts_with(RECORD_PREFIX.as_bytes()))
}

/// The number in the name of a record.
fn number(name: &OsStr) -> Option<&str> {
    let number = name.to_str()?.strip_prefix(RECORD_PREFIX)?;
    let is_number = number.len() == DIGITS && number.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_number.then_some(number)
}
