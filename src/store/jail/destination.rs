//! Where a directory is, or will be, that a request wants to fill: what of its path is there, and what is to be made.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::{Directory, Jail, JailError};

/// A directory that need not exist yet.
#[derive(Debug)]
pub struct Destination {
    /// The allowed root that it is in.
    pub root: Directory,
    /// The innermost directory on the way to it that exists: itself, when nothing is missing.
    pub existing: Directory,
    /// The path of `existing` below the root, without links.
    pub real: PathBuf,
    /// The names still to be made below `existing`, the outermost first.
    pub missing: Vec<OsString>,
}

impl Jail {
    /// The directory `path` that was written down when it was opened here: any bytes, as a link may have led to it.
    pub(in crate::store) fn recorded(&self, path: &Path) -> Result<Directory, JailError> {
        self.below_a_root_path(path, false, Directory::open_directory)
    }

    /// Looks for the directory `path`. Makes nothing but a root that is missing.
    pub fn destination(&self, path: &str) -> Result<Destination, JailError> {
        self.below_a_root(path, true, |root, rest| {
            let (found, missing) = innermost(root, rest)?;
            let real = root.real_name(&found)?;
            Ok(Destination {
                root: root.open_directory(Path::new(""))?,
                existing: root.open_directory(&real)?,
                real,
                missing,
            })
        })
    }
}

/// The longest part of `path` that is a directory, and the names after it.
fn innermost(root: &Directory, path: &Path) -> Result<(PathBuf, Vec<OsString>), JailError> {
    let mut found = path.to_owned();
    let mut missing = Vec::new();
    let existing = loop {
        let error = match root.open_directory(&found) {
            Ok(existing) => break existing,
            Err(error) => error,
        };
        match (&error, found.components().next_back()) {
            (JailError::NotFound { .. }, Some(Component::Normal(name))) => {
                missing.push(name.to_owned());
                found.pop();
            }
            _ => return Err(error),
        }
    };
    missing.reverse();
    // A link to nowhere is not found either, but its name is taken.
    match missing.first().map(|name| existing.status(name)) {
        None | Some(Err(JailError::NotFound { .. })) => Ok((found, missing)),
        Some(Err(error)) => Err(error),
        Some(Ok(_)) => Err(JailError::NotADirectory {
            path: root.path().join(path),
        }),
    }
}
