//! Confinement: every path that a request names is opened through here. The roots are what the operator allows
//! (`NODE_AGENT_ALLOWED_PATHS`); a path is resolved by the kernel below the root's descriptor (openat2,
//! RESOLVE_BENEATH), and what is used afterwards is the descriptor, never the string again. Uses sys and limits.
//!
//! What a link may do: a relative one works as long as it stays below the root. openat2 refuses every absolute one,
//! wherever it points, so those are resolved by a walk of our own (`walk`): its target has to begin with the very
//! directory it was entered by (`/tmp/x -> /tmp/y` works), and is then resolved from that directory's descriptor. A
//! link from one root into another leaves its root.
#![forbid(unsafe_code)]

mod destination;
mod directory;
mod error;
#[cfg(test)]
mod tests;
mod walk;

use std::path::{Component, Path, PathBuf};

pub use crate::sys::entry::Kind as EntryKind;
pub use destination::Destination;
pub use directory::{Directory, Entries};
pub use error::JailError;

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
        self.below_a_root(path, Directory::open_directory)
    }

    /// Does `open` in the root that `path` is in. Where roots are nested, the outer one is asked when the path left the
    /// inner one.
    fn below_a_root<T>(
        &self,
        path: &str,
        open: impl Fn(&Directory, &Path) -> Result<T, JailError>,
    ) -> Result<T, JailError> {
        self.below_a_root_path(checked(path)?, open)
    }

    fn below_a_root_path<T>(
        &self,
        path: &Path,
        open: impl Fn(&Directory, &Path) -> Result<T, JailError>,
    ) -> Result<T, JailError> {
        for root in &self.roots {
            let Ok(rest) = path.strip_prefix(root) else {
                continue;
            };
            match Directory::root(root).and_then(|root| open(&root, rest)) {
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
        return Err(JailError::Nul);
    }
    let path = Path::new(path);
    match path.components().next() {
        Some(Component::RootDir) => Ok(path),
        _ => Err(JailError::NotAbsolute {
            path: path.to_owned(),
        }),
    }
}
