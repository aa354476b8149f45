//! What a killed agent leaves in other people's directories: temporary files beside those that were being written. Each
//! is noted in the state directory before it is made, and a note that is still there at the next start leads to it.
//!
//! A note takes two system calls that never wait for the disk, so it outlives the process but not always the machine:
//! after a power cut a temporary file without a note may remain. Its name tells whose it is (`.node-agent-…`). Where
//! the state directory cannot be written, there is no note, and the write goes on.
#![forbid(unsafe_code)]

use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::jail::{Jail, JailError};
use super::spool::TEMPORARY_PREFIX;
use crate::sys::change;
use crate::sys::process::random_bytes;

/// The notes, a file each.
#[derive(Clone, Debug)]
pub struct Leftovers {
    directory: PathBuf,
}

/// A temporary file's name, noted until it is dropped.
#[derive(Debug)]
pub struct Temporary {
    /// The name.
    pub name: String,
    note: Option<PathBuf>,
}

impl Leftovers {
    /// Notes below the state directory `state`.
    pub fn new(state: &Path) -> Self {
        Self {
            directory: state.join("temporaries"),
        }
    }

    /// A fresh name for a temporary file in `directory`.
    pub fn temporary(&self, directory: &Path) -> io::Result<Temporary> {
        let number = u64::from_ne_bytes(random_bytes()?);
        let name = format!("{TEMPORARY_PREFIX}{number:016x}");
        let note = self.directory.join(&name);
        let bytes = directory.as_os_str().as_bytes();
        let written = match fs::write(&note, bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => DirBuilder::new()
                .mode(0o700)
                .create(&self.directory)
                .and_then(|()| fs::write(&note, bytes)),
            written => written,
        };
        // Half a note is as good as none, and stays in nobody's way.
        let note = Some(note).filter(|note| written.is_ok() || fs::remove_file(note).is_ok());
        Ok(Temporary { name, note })
    }

    /// Removes what the notes of an earlier run lead to; how many files.
    pub fn sweep(&self, jail: &Jail) -> io::Result<usize> {
        let notes = match self.directory.read_dir() {
            Ok(notes) => notes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut removed = 0;
        for note in notes {
            let note = note?.path();
            // Where it fails, the disk may not be mounted yet: the next start tries again.
            if let Ok(is_removed) = leads_to(&note, jail) {
                removed += usize::from(is_removed);
                fs::remove_file(&note)?;
            }
        }
        Ok(removed)
    }
}

/// Removes the file that `note` is about. Whether there was one.
fn leads_to(note: &Path, jail: &Jail) -> io::Result<bool> {
    let name = note.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let bytes = fs::read(note)?;
    let directory = match jail.directory(&String::from_utf8_lossy(&bytes)) {
        Ok(directory) => directory,
        // Gone with everything in it; or the agent was killed before the note said anything, and the file was not made.
        Err(JailError::NotFound { .. } | JailError::NotAbsolute { .. }) => return Ok(false),
        Err(error) => return Err(io::Error::other(error)),
    };
    match change::remove_file(directory.as_fd(), name) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(note) = &self.note {
            // One that stays leads to nothing at the next start.
            let _ = fs::remove_file(note);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_leads_to_its_file_and_to_no_other() {
        let place = tempfile::tempdir().unwrap();
        let (root, state) = (place.path().join("root"), place.path().join("state"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&state).unwrap();
        let jail = Jail::new(vec![root.clone()]);
        let leftovers = Leftovers::new(&state);
        let killed = leftovers.temporary(&root).unwrap();
        let finished = leftovers.temporary(&root).unwrap();
        let outside = leftovers.temporary(place.path()).unwrap();
        for path in [
            root.join(&killed.name),
            root.join(&finished.name),
            place.path().join(&outside.name),
        ] {
            fs::write(path, "").unwrap();
        }
        let empty = state.join("temporaries/.node-agent-0");
        fs::write(&empty, "").unwrap();
        let kept = finished.name.clone();
        drop(finished);
        assert_eq!(leftovers.sweep(&jail).unwrap(), 1);
        assert!(!root.join(&killed.name).exists() && !empty.exists());
        assert!(root.join(kept).exists() && place.path().join(&outside.name).exists());
        std::mem::forget(killed);
    }

    #[test]
    fn without_a_state_directory_there_is_a_name_all_the_same() {
        let leftovers = Leftovers::new(Path::new("/nowhere/at/all"));
        let temporary = leftovers.temporary(Path::new("/tmp")).unwrap();
        assert!(temporary.note.is_none() && temporary.name.len() == 28);
        assert_eq!(leftovers.sweep(&Jail::new(Vec::new())).unwrap(), 0);
    }
}
