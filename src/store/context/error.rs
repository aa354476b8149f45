//! Why a context was not sent to its end.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::store::jail::JailError;

/// An archive that broke off. `Display` makes one sentence for a person.
#[derive(Debug)]
pub enum PackError {
    /// The context could not be listed: nothing was written.
    Start(JailError),
    /// The one who takes the archive failed, not the tree.
    Out(io::Error),
    /// Something in the tree could not be read.
    Read {
        /// Its path in the context.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file became shorter, or something became another kind of thing, while it was read.
    Changed {
        /// Its path in the context.
        path: PathBuf,
    },
    /// The tree has more levels than we go down.
    TooDeep {
        /// The directory that was not entered.
        path: PathBuf,
    },
}

impl fmt::Display for PackError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => write!(out, "{error}"),
            Self::Out(error) => write!(out, "the build context could not be handed on: {error}"),
            Self::Read { path, source } => write!(
                out,
                "{} in the build context cannot be read: {source}",
                path.display()
            ),
            Self::Changed { path } => write!(
                out,
                "{} in the build context changed while it was read",
                path.display()
            ),
            Self::TooDeep { path } => {
                write!(out, "{} is too deep in the build context", path.display())
            }
        }
    }
}

impl std::error::Error for PackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start(error) => Some(error),
            Self::Out(source) | Self::Read { source, .. } => Some(source),
            Self::Changed { .. } | Self::TooDeep { .. } => None,
        }
    }
}
