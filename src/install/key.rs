//! The key's file: only root's, and only a key in it.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::InstallError;
use super::error::KeyFileProblem;
use crate::config::keys::{encode_hex, is_key, key_for_token};
use crate::sys::open::NOT_WAITING;
use crate::sys::process;

/// More than a key and the white space around it.
const MOST_BYTES: u64 = 1024;

/// A key as hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// A new one that nobody knows.
    pub(super) fn random() -> std::io::Result<Self> {
        process::random_bytes::<32>().map(|bytes| Self(encode_hex(&bytes)))
    }

    /// The one that belongs to a token.
    pub fn for_token(token: &str) -> Result<Self, InstallError> {
        Ok(Self(key_for_token(token)?))
    }

    /// The one in this file, which nobody else may read or change.
    pub fn read(path: &Path) -> Result<Self, InstallError> {
        let mut file = std::fs::OpenOptions::new()
            .read(true)
            // A named pipe would be waited for.
            .custom_flags(NOT_WAITING)
            .open(path)
            .map_err(InstallError::file("read the key file", path))?;
        let wrong = |problem| InstallError::KeyFile {
            path: path.to_owned(),
            problem,
        };
        // Of what was opened: the name may lead to another file by now.
        let meta = file
            .metadata()
            .map_err(InstallError::file("read the key file", path))?;
        check(&meta).map_err(wrong)?;
        let mut text = String::new();
        let read = file.by_ref().take(MOST_BYTES).read_to_string(&mut text);
        let text = text.trim();
        if read.is_err() || !is_key(text) {
            return Err(wrong(KeyFileProblem::NoKey));
        }
        Ok(Self(text.to_owned()))
    }

    /// What its file has.
    pub(super) fn line(&self) -> Vec<u8> {
        format!("{}\n", self.0).into_bytes()
    }
}

/// That a file with these properties keeps a secret.
pub(super) fn check(meta: &std::fs::Metadata) -> Result<(), KeyFileProblem> {
    let mode = meta.mode() & 0o7777;
    match () {
        () if !meta.is_file() => Err(KeyFileProblem::NotAFile),
        () if mode & 0o077 != 0 => Err(KeyFileProblem::OpenToOthers(mode)),
        () if ![0, process::user()].contains(&meta.uid()) => {
            Err(KeyFileProblem::ForeignOwner(meta.uid()))
        }
        () => Ok(()),
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    fn problem(path: &Path) -> KeyFileProblem {
        match Key::read(path).unwrap_err() {
            InstallError::KeyFile { problem, .. } => problem,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let key = Key::random().unwrap();
        write(&path, key.line()).unwrap();
        for mode in [0o604, 0o640, 0o620, 0o601] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(problem(&path), KeyFileProblem::OpenToOthers(mode));
        }
        set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert_eq!(Key::read(&path).unwrap(), key);
        assert_eq!(problem(directory.path()), KeyFileProblem::NotAFile);
        assert!(matches!(
            Key::read(&directory.path().join("none")),
            Err(InstallError::File { .. })
        ));
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        for content in ["", "hunter2", &"0".repeat(63), &"0".repeat(3000)] {
            write(&path, content).unwrap();
            set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            assert_eq!(problem(&path), KeyFileProblem::NoKey, "{content}");
            let said = Key::read(&path).unwrap_err().to_string();
            assert!(content.is_empty() || !said.contains(content), "{said}");
        }
    }
}
