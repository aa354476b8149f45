//! Confinement: every path that a request names is opened through here. The roots are what the operator allows
//! (`NODE_AGENT_ALLOWED_PATHS`); a path is resolved by the kernel below the root's descriptor (openat2,
//! RESOLVE_BENEATH), and what is used afterwards is the descriptor, never the string again. Uses sys and limits.
//!
//! What a link may do: a relative one works as long as it stays below the root. openat2 refuses every absolute one,
//! wherever it points, so those are resolved by a walk of our own (`walk`): its target has to begin with the very
//! directory it was entered by (`/tmp/x -> /tmp/y` works), and is then resolved from that directory's descriptor. A
//! link from one root into another leaves its root.
//!
//! What is written, removed or made is always a single name in a directory that was reached so ([`Place`]), and that
//! name is never followed: a link at the end of a path was resolved before, and one that takes its place meanwhile is
//! replaced itself.
#![forbid(unsafe_code)]

mod destination;
mod directory;
mod error;
mod made;
mod place;
mod replacement;
mod shared;
#[cfg(test)]
mod tests;
mod walk;
#[cfg(test)]
mod writing_tests;

use std::fs::File;
use std::path::{Component, Path, PathBuf};

pub use crate::sys::entry::{Kind as EntryKind, Status};
pub use destination::Destination;
pub use directory::{Directory, Entries};
pub use error::JailError;
pub use place::{Finding, Place};
pub use replacement::{Replacement, Written};

/// The directories that requests may name paths in.
#[derive(Clone, Debug)]
pub struct Jail {
    roots: Vec<PathBuf>,
}

impl Jail {
    /// A jail of `roots`. They are opened at each use: one may be made, or mounted, while the agent runs. A root may be
    /// a symbolic link, for it is the operator who named it.
    pub fn new(mut roots: Vec<PathBuf>) -> Self {
        // The innermost first: it may be a link or a mount that the outer one does not reach.
        roots.sort_by_key(|root| std::cmp::Reverse(root.components().count()));
        Self { roots }
    }

    /// The directory at `path`, with or without a slash at its end; a root itself is one too.
    pub fn directory(&self, path: &str) -> Result<Directory, JailError> {
        self.below_a_root(path, false, Directory::open_directory)
    }

    /// The regular file at `path`, to read.
    pub fn file(&self, path: &str) -> Result<File, JailError> {
        let file = self.below_a_root(path, false, Directory::open_file)?;
        if names_a_directory(path) {
            return Err(JailError::NotADirectory { path: path.into() });
        }
        Ok(file)
    }

    /// Does `open` in the root that `path` is in. Where roots are nested, the outer one is asked when the path left the
    /// inner one. A root that is missing is made where `makes` says so: the operator has named it.
    fn below_a_root<T>(
        &self,
        path: &str,
        makes: bool,
        open: impl Fn(&Directory, &Path) -> Result<T, JailError>,
    ) -> Result<T, JailError> {
        self.below_a_root_path(checked(path)?, makes, open)
    }

    fn below_a_root_path<T>(
        &self,
        path: &Path,
        makes: bool,
        open: impl Fn(&Directory, &Path) -> Result<T, JailError>,
    ) -> Result<T, JailError> {
        for root in &self.roots {
            let Ok(rest) = path.strip_prefix(root) else {
                continue;
            };
            let opened = match Directory::root(root) {
                Err(JailError::NotFound { .. }) if makes => Directory::new_root(root),
                opened => opened,
            };
            match opened.and_then(|root| open(&root, rest)) {
                Err(JailError::Outside { .. }) => {}
                other => return other,
            }
        }
        Err(JailError::Outside {
            path: path.to_owned(),
        })
    }
}

/// `path`, if it is one that can be looked for at all.
fn checked(path: &str) -> Result<&Path, JailError> {
    if path.contains('\0') {
        return Err(JailError::Nul { path: path.into() });
    }
    let path = Path::new(path);
    match path.components().next() {
        Some(Component::RootDir) => Ok(path),
        _ => Err(JailError::NotAbsolute {
            path: path.to_owned(),
        }),
    }
}

/// Whether `path` ends in a slash or a dot, and so can only be a directory.
fn names_a_directory(path: &str) -> bool {
    path.ends_with('/') || path.ends_with("/.")
}
