//! Containers that are just being replaced, noted in the state directory: an agent that is killed meanwhile leaves the
//! old one under another name, stopped, and the next one puts things in order by the note. Synced to the disk: the engine
//! remembers the name after a power cut too.
#![forbid(unsafe_code)]

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::atomic::{self, Mode};

/// The notes, a file each.
#[derive(Clone, Debug)]
pub struct Replacements {
    directory: PathBuf,
}

/// A container that is to make room for another one.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Replacement {
    /// Its id.
    pub id: String,
    /// The name that it had, which the other one gets.
    pub name: String,
    /// Whether it ran.
    pub was_running: bool,
    /// The other one's id, as soon as that is made.
    pub successor: Option<String>,
}

impl Replacements {
    /// Notes below the state directory `state`.
    pub fn new(state: &Path) -> Self {
        Self {
            directory: state.join("replacements"),
        }
    }

    /// Notes it, in the place of an earlier note about the same container.
    pub fn note(&self, replacement: &Replacement) -> io::Result<()> {
        let path = self.path(&replacement.id)?;
        let bytes = serde_json::to_vec(replacement)?;
        match atomic::write(&path, &bytes, Mode::Exactly(0o600)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().mode(0o700).create(&self.directory)?;
                atomic::write(&path, &bytes, Mode::Exactly(0o600))
            }
            written => written,
        }
    }

    /// Takes the note about the container `id` away. One that stays says nothing wrong: at the next start the container
    /// is gone, or has its name.
    pub fn forget(&self, id: &str) {
        if let Ok(path) = self.path(id) {
            let _ = fs::remove_file(path);
        }
    }

    /// What was not finished. What is no note, such as half of one, is removed.
    pub fn left(&self) -> io::Result<Vec<Replacement>> {
        let entries = match self.directory.read_dir() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut left = Vec::new();
        for entry in entries {
            let path = entry?.path();
            match serde_json::from_slice(&fs::read(&path)?) {
                Ok(replacement) => left.push(replacement),
                Err(_) => fs::remove_file(&path)?,
            }
        }
        Ok(left)
    }

    fn path(&self, id: &str) -> io::Result<PathBuf> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(self.directory.join(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_left_until_it_is_forgotten() {
        let state = tempfile::tempdir().unwrap();
        let notes = Replacements::new(state.path());
        assert_eq!(notes.left().unwrap(), []);
        let mut replacement = Replacement {
            id: "a1".into(),
            name: "web".into(),
            was_running: true,
            successor: None,
        };
        notes.note(&replacement).unwrap();
        replacement.successor = Some("b2".into());
        notes.note(&replacement).unwrap();
        fs::write(state.path().join("replacements/c3"), "{\"id\":").unwrap();
        assert_eq!(notes.left().unwrap(), [replacement]);
        notes.forget("a1");
        assert_eq!(notes.left().unwrap(), []);
        let names = state.path().join("replacements").read_dir().unwrap();
        assert_eq!(names.count(), 0);
    }

    #[test]
    fn an_id_is_no_path() {
        let state = tempfile::tempdir().unwrap();
        let notes = Replacements::new(state.path());
        for id in ["", ".", "../x", "a/b"] {
            let replacement = Replacement {
                id: id.into(),
                name: "web".into(),
                was_running: true,
                successor: None,
            };
            assert!(notes.note(&replacement).is_err(), "{id}");
        }
    }
}
