//! Why a directory was not filled.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::store::jail::JailError;
use crate::store::space::NoRoom;

/// A directory that was not filled, or not put in its place. `Display` makes one sentence for a person.
#[derive(Debug)]
pub enum FreshError {
    /// It is outside, no directory, or cannot be opened.
    Target(JailError),
    /// There is something in it.
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// Somebody made, filled or removed it meanwhile.
    Changed {
        /// The directory.
        path: PathBuf,
    },
    /// The disk has no room for it.
    NoRoom(NoRoom),
    /// The system failed before anything was in its place.
    Io {
        /// What it is about.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system failed, or somebody put something into the directory, while an allowed root was being filled: a part
    /// of what belongs there is there.
    HalfWay {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for FreshError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(error) => error.fmt(out),
            Self::NotEmpty { path } => write!(out, "{} is not empty", path.display()),
            Self::Changed { path } => write!(
                out,
                "{} was made or changed by somebody else meanwhile",
                path.display()
            ),
            Self::NoRoom(shortage) => shortage.fmt(out),
            Self::Io { path, source } => {
                write!(out, "{} cannot be filled: {source}", path.display())
            }
            Self::HalfWay { path, source } => {
                write!(out, "{} was filled only in part: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for FreshError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Target(error) => Some(error),
            Self::NoRoom(error) => Some(error),
            Self::Io { source, .. } | Self::HalfWay { source, .. } => Some(source),
            Self::NotEmpty { .. } | Self::Changed { .. } => None,
        }
    }
}
