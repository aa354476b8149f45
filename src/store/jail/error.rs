//! Why a path was not opened.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::store::spool::TEMPORARY_PREFIX;
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
    Nul {
        /// As it was given.
        path: String,
    },
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
    /// Something that is no directory stands where one has to be made.
    InTheWay {
        /// What stands there.
        path: PathBuf,
    },
    /// It is a directory, where none can be.
    IsADirectory {
        /// The directory.
        path: PathBuf,
    },
    /// It, or a name in it, is longer than the system takes.
    TooLong {
        /// As it was given.
        path: PathBuf,
    },
    /// Names that begin so are the agent's own.
    Reserved {
        /// What was to be made.
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
    /// It goes through a link that somebody has put into a directory that everybody may write to.
    Planted {
        /// What was looked for.
        path: PathBuf,
    },
    /// It was not written, made or removed.
    Write {
        /// What it is about.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
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
        if source.kind() == io::ErrorKind::InvalidFilename {
            return Self::TooLong { path };
        }
        match open::refusal(&source) {
            Refusal::Leaves => Self::Outside { path },
            _ if source.kind() == io::ErrorKind::NotFound => Self::NotFound { path },
            Refusal::NotFound => Self::NotFound { path },
            Refusal::NotADirectory => Self::NotADirectory { path },
            Refusal::NotOpenable => Self::NotAFile { path },
            Refusal::Link => Self::Links { path },
            Refusal::NoOpenat2 | Refusal::Busy | Refusal::Other => Self::Io { path, source },
        }
    }

    /// What the failure `source` to write, make or remove `path` means.
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::IsADirectory => Self::IsADirectory { path },
            // What is not a directory was not there a moment ago.
            io::ErrorKind::NotADirectory => Self::InTheWay { path },
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::InvalidFilename => Self::TooLong { path },
            _ => Self::Write { path, source },
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
            Self::Nul { path } => write!(out, "the path {path:?} contains a NUL"),
            Self::Outside { path } => write!(
                out,
                "{} is outside of the allowed directories, or leads out by `..` or a link",
                path.display()
            ),
            Self::NotFound { path } => write!(out, "{} does not exist", path.display()),
            Self::NotADirectory { path } => write!(out, "{} is not a directory", path.display()),
            Self::InTheWay { path } => {
                write!(
                    out,
                    "{} is in the way: it is not a directory",
                    path.display()
                )
            }
            Self::IsADirectory { path } => write!(out, "{} is a directory", path.display()),
            Self::TooLong { path } => write!(out, "{} is longer than a path can be", Start(path)),
            Self::Reserved { path } => write!(
                out,
                "{} cannot be made: names that begin with {TEMPORARY_PREFIX} are the agent's own",
                path.display()
            ),
            Self::NotAFile { path } => write!(out, "{} is not a regular file", path.display()),
            Self::Links { path } => write!(
                out,
                "{} goes through too many symbolic links, or through one of /proc",
                path.display()
            ),
            Self::Planted { path } => write!(
                out,
                "{} goes through a link of somebody else's in a directory that everybody can write to",
                path.display()
            ),
            Self::Write { path, source } => {
                write!(out, "{} cannot be changed: {source}", path.display())
            }
            Self::Io { path, source } => {
                write!(out, "{} cannot be opened: {source}", path.display())
            }
        }
    }
}

/// Characters of a path that is too long that are told.
const SHOWN: usize = 80;

/// The start of a path that may be very long.
struct Start<'p>(&'p Path);

impl fmt::Display for Start<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string_lossy();
        let start: String = text.chars().take(SHOWN).collect();
        write!(out, "{start}…")
    }
}

impl std::error::Error for JailError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::Write { source, .. } => Some(source),
            _ => None,
        }
    }
}
