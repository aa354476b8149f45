//! The directory that an archive is unpacked into before anything of it is in the target: on the same filesystem, open
//! to nobody but root, and removed whatever happens. A record in the state directory says where it is, written before it
//! is made, so that the next start finds what a killed agent has left without searching the disk.
//!
//! Who owns the directory it is in can rename it and put another one in its place. So it is emptied by its descriptor and
//! never by its name; and at the next start, which has none, by a mark in it, whose name only the record tells.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::notes;
use super::remove::remove;
use crate::limits;
use crate::store::atomic::{self, Mode};
use crate::store::jail::{Directory, Jail, JailError};
use crate::store::spool::TEMPORARY_PREFIX;
use crate::sys::entry::{self, Names};
use crate::sys::process::random_bytes;
use crate::sys::{change, open};

/// What records are called in the state directory, in front of the number in the staging directory's name.
const RECORD_PREFIX: &str = "staging-";
/// Hexadecimal digits of that number, and of the mark.
const DIGITS: usize = 16;
/// The root of the unpacked tree, in the staging directory.
pub(super) const TREE: &str = "tree";
/// What was replaced, there too.
pub(super) const OLD: &str = "old";
/// Bits that let others than the owner change what is in a directory.
const OTHERS_WRITE: u32 = 0o022;

/// A staging directory.
#[derive(Debug)]
pub(in crate::store) struct Staging<'p> {
    parent: &'p Directory,
    name: OsString,
    record: PathBuf,
    mark: String,
    directory: OwnedFd,
}

/// Where a staging directory is, written down.
#[derive(Debug)]
pub(in crate::store) struct Record {
    number: String,
    mark: String,
    path: PathBuf,
}

impl Record {
    /// Writes down in the directory `state` that one will be in `parent`.
    pub(in crate::store) fn write(parent: &Directory, state: &Path) -> io::Result<Self> {
        let (number, mark) = (random()?, random()?);
        let path = state.join(format!("{RECORD_PREFIX}{number}"));
        let holder = parent.path().as_os_str().as_bytes();
        let text = [mark.as_bytes(), holder].concat();
        atomic::write(&path, &text, Mode::Exactly(0o600))?;
        Ok(Self { number, mark, path })
    }
}

impl<'p> Staging<'p> {
    /// A new one in `parent`, as `record` says.
    pub(in crate::store) fn create(parent: &'p Directory, record: Record) -> io::Result<Self> {
        let name = OsString::from(format!("{TEMPORARY_PREFIX}{}", record.number));
        let (mark, record) = (record.mark, record.path);
        match make(parent, &name, &mark) {
            Ok(directory) => Ok(Self {
                parent,
                name,
                record,
                mark,
                directory,
            }),
            Err(error) => {
                // Empty, or not ours.
                let _ = change::remove_directory(parent.as_fd(), &name);
                std::fs::remove_file(&record)?;
                Err(error)
            }
        }
    }

    fn clear(&self) -> io::Result<()> {
        empty(self.directory.as_fd(), &self.mark, limits::REMOVAL)?;
        forget(self.parent, &self.name, &self.record)
    }

    /// The tree's root: itself, or below it, when the directories above it are to be made too.
    pub(in crate::store) fn tree(&self, missing: &[OsString]) -> io::Result<OwnedFd> {
        let mut tree = private(self.directory.as_fd(), OsStr::new(TREE), 0o700)?;
        for name in missing.iter().skip(1) {
            // It stands for the one above, which is not the target and so nobody's to set.
            change::set_mode(tree.as_fd(), 0o755)?;
            tree = private(tree.as_fd(), name, 0o700)?;
        }
        Ok(tree)
    }

    /// What a rename of the tree, or of the directories above it, begins at.
    pub(in crate::store) fn place(&self) -> (BorrowedFd<'_>, &OsStr) {
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
        if let Err(error) = self.clear() {
            log::warn!(
                "{} in {} cannot be removed: {error}",
                self.name.display(),
                self.parent.path().display()
            );
        }
    }
}

fn random() -> io::Result<String> {
    let number = u64::from_ne_bytes(random_bytes()?);
    Ok(format!("{number:016x}"))
}

/// Makes it, with its mark.
fn make(parent: &Directory, name: &OsStr, mark: &str) -> io::Result<OwnedFd> {
    change::make_directory(parent.as_fd(), name, 0o700)?;
    marked(
        open::child(parent.as_fd(), name, open::Purpose::Directory)?,
        mark,
    )
}

/// Puts the mark into `directory`, if that is the one that was just made: nobody else can have put anything into it, nothing is in it, and it
/// is whose the mark is.
fn marked(directory: OwnedFd, mark: &str) -> io::Result<OwnedFd> {
    let exchanged = || io::Error::other("somebody has put another directory in its place");
    let status = entry::status(directory.as_fd())?;
    if status.mode & OTHERS_WRITE != 0 || !is_empty(directory.as_fd())? {
        return Err(exchanged());
    }
    let file = change::create_file(directory.as_fd(), OsStr::new(mark), 0o600)?;
    // Not simply root: NFS may make everything nobody's.
    if entry::status(file.as_fd())?.owner.0 != status.owner.0 {
        change::remove_file(directory.as_fd(), OsStr::new(mark))?;
        return Err(exchanged());
    }
    change::set_mode(directory.as_fd(), 0o700)?;
    Ok(directory)
}

fn is_empty(directory: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(Names::default().next(directory)?.is_none())
}

/// Makes a directory with `mode` as it is: without the umask, and without the setgid bit of the one it is in.
pub(super) fn private(parent: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<OwnedFd> {
    change::make_directory(parent, name, mode)?;
    let directory = open::child(parent, name, open::Purpose::Directory)?;
    change::set_mode(directory.as_fd(), mode)?;
    Ok(directory)
}

/// Removes all that can be in a staging directory, its mark last.
fn empty(directory: BorrowedFd<'_>, mark: &str, patience: Duration) -> io::Result<()> {
    for name in [TREE, OLD, notes::NAME, mark] {
        remove(directory, OsStr::new(name), patience)?;
    }
    Ok(())
}

/// Removes an empty directory and its record. Where it was renamed, or another one is in its place, that stays.
fn forget(parent: &Directory, name: &OsStr, record: &Path) -> io::Result<()> {
    match change::remove_directory(parent.as_fd(), name) {
        Err(error) if !is_somebody_elses(&error) => Err(error),
        _ => std::fs::remove_file(record),
    }
}

fn is_somebody_elses(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::DirectoryNotEmpty
    )
}

/// Empties what a killed agent has left at `name`, if that has the mark, and forgets it.
fn clear_left(parent: &Directory, name: &OsStr, mark: &str, record: &Path) -> io::Result<()> {
    match open::child(parent.as_fd(), name, open::Purpose::Directory) {
        Ok(directory) if is_marked(directory.as_fd(), mark)? => {
            empty(directory.as_fd(), mark, limits::REMOVAL_AT_START)?;
        }
        _ => {}
    }
    forget(parent, name, record)
}

fn is_marked(directory: BorrowedFd<'_>, mark: &str) -> io::Result<bool> {
    if !is_number(mark) || entry::status(directory)?.mode & OTHERS_WRITE != 0 {
        return Ok(false);
    }
    match entry::status_of(directory, OsStr::new(mark)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => found.map(|_| true),
    }
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
        let record = std::fs::read(entry.path())?;
        let (mark, path) = record.split_at(DIGITS.min(record.len()));
        let mark = String::from_utf8_lossy(mark);
        let path = OsString::from_vec(path.to_vec());
        let staging = OsString::from(format!("{TEMPORARY_PREFIX}{number}"));
        let cleared = match jail.recorded(Path::new(&path)) {
            Ok(parent) => clear_left(&parent, &staging, &mark, &entry.path()),
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
    is_number(number).then_some(number)
}

fn is_number(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}
