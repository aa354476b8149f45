//! Why a path was not opened.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::sys::open::{self, Refusal};

/// A path that was not opened. `Display` makes one sentence for a person.
#[derive(Debug)]
pub enum JailError {
    /// It does not begin with a slash.
    NotAbsolute {
        /// As it was given.
        path: PathBuf,
    },
    /// It has a NUL in it.
    Nul,
    /// It is not below an allowed directory, or leaves it by `..` or a link.
    Outside {
        /// As it was given.
        path: PathBuf,
    },
    /// There is nothing there.
    NotFound {
        /// What was looked for.
        path: PathBuf,
    },
    /// It, or something on the way to it, is no directory.
    NotADirectory {
        /// What was looked for.
        path: PathBuf,
    },
    /// It is a directory, a FIFO, a socket or a device.
    NotAFile {
        /// What was looked for.
        path: PathBuf,
    },
    /// It goes through too many links, or through one that only /proc can follow.
    Links {
        /// What was looked for.
        path: PathBuf,
    },
    /// The system does not let us.
    Io {
        /// What was looked for.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
}

impl JailError {
    /// What the failure `source` to open `path` means.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match open::refusal(&source) {
            Refusal::Leaves => Self::Outside { path },
            Refusal::NotFound => Self::NotFound { path },
            Refusal::NotADirectory => Self::NotADirectory { path },
            Refusal::NotOpenable => Self::NotAFile { path },
            Refusal::Link => Self::Links { path },
            Refusal::NoOpenat2 | Refusal::Other => Self::Io { path, source },
        }
    }
}

impl fmt::Display for JailError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // In quotes: it may be empty.
            Self::NotAbsolute { path } => write!(
                out,
                "the path `{}` does not begin with a slash",
                path.display()
            ),
            Self::Nul => out.write_str("the path contains a NUL"),
            Self::Outside { path } => write!(
                out,
                "{} is outside of the allowed directories, or leads out by `..` or a link",
                path.display()
            ),
            Self::NotFound { path } => write!(out, "{} does not exist", path.display()),
            Self::NotADirectory { path } => write!(out, "{} is not a directory", path.display()),
            Self::NotAFile { path } => write!(out, "{} is not a regular file", path.display()),
            Self::Links { path } => write!(
                out,
                "{} goes through too many symbolic links",
                path.display()
            ),
            Self::Io { path, source } => {
                write!(out, "{} cannot be opened: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for JailError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
