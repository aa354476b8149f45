//! Why an archive was not unpacked. Unless it says that something was moved in, the target is as it was.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::MemberFault;
use crate::limits;
use crate::store::jail::JailError;
use crate::store::space::NoRoom;

/// An archive that was not unpacked. `Display` makes one sentence for a person.
#[derive(Debug)]
pub enum UnpackError {
    /// The upload could not be read: the client is gone or too slow. The source's own error.
    Source(io::Error),
    /// The target is outside, no directory, or cannot be opened.
    Target(JailError),
    /// The bytes are neither a tar nor a tar.gz.
    NotAnArchive,
    /// The compressed bytes are damaged, cut off, or followed by something else.
    Compression(io::Error),
    /// The archive is damaged.
    Damaged {
        /// Where, in bytes of the archive without its compression.
        at: u64,
        /// In what way.
        damage: Damage,
    },
    /// One member is not acceptable.
    Member {
        /// Its name, shortened, for a person.
        member: String,
        /// Why.
        fault: MemberFault,
    },
    /// The archive has more entries than [`limits::TAR_ENTRIES`].
    TooManyEntries,
    /// The upload is not the one that was announced.
    Checksum {
        /// What was announced.
        expected: [u8; 32],
        /// What came.
        found: [u8; 32],
    },
    /// A directory of the archive is something else in the target, or the other way round.
    Conflict {
        /// Its path in the target, for a person.
        path: String,
        /// Whether it is a directory in the archive.
        is_directory_in_archive: bool,
    },
    /// Something below the target is on another filesystem, where nothing can be moved to.
    OtherFilesystem {
        /// The directory, for a person.
        path: String,
    },
    /// The target is an allowed root or a mount point, which cannot be swapped.
    CannotReplace {
        /// The target.
        path: PathBuf,
    },
    /// Somebody made, changed or removed the target meanwhile.
    Changed {
        /// The target.
        path: PathBuf,
    },
    /// The disk has no room for it.
    NoRoom(NoRoom),
    /// The filesystem has no inodes for it.
    NoInodes {
        /// The target.
        path: PathBuf,
    },
    /// The system failed before anything was moved in.
    Io {
        /// The member that was worked on, for a person; empty if it was none.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The system failed, or somebody changed the target, while files were being moved in: some of them are there.
    HalfWay {
        /// What was to be moved next, for a person.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

/// How an archive is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It ends too early.
    Truncated,
    /// A header's checksum is wrong.
    Checksum,
    /// A number in a header is none, negative, or too large.
    Number,
    /// A long name or link has a size that no path has.
    LongName,
    /// PAX records are not as they have to be, or longer than [`limits::TAR_RECORDS_BYTES`].
    Records,
    /// There are too many headers about one member, or none follows them.
    Headers,
    /// Something comes after the end.
    Trailing,
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Truncated => "it ends too early",
            Self::Checksum => "the checksum of a header is wrong",
            Self::Number => "a number in a header is not valid",
            Self::LongName => "a long name is too long, or not valid",
            Self::Records => "the PAX records are not valid, or too long",
            Self::Headers => "headers that describe a member are not followed by one",
            Self::Trailing => "there is something after its end",
        })
    }
}

impl fmt::Display for UnpackError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => write!(out, "the upload could not be read: {error}"),
            Self::Target(error) => write!(out, "{error}"),
            Self::NotAnArchive => out.write_str("the upload is neither a tar nor a tar.gz"),
            Self::Compression(error) => {
                write!(out, "the archive cannot be decompressed: {error}")
            }
            Self::Damaged { at, damage } => {
                write!(out, "the archive is damaged at byte {at}: {damage}")
            }
            Self::Member { member, fault } => write!(out, "the member \"{member}\" {fault}"),
            Self::TooManyEntries => {
                write!(
                    out,
                    "the archive has more than {} entries",
                    limits::TAR_ENTRIES
                )
            }
            Self::Checksum { expected, found } => write!(
                out,
                "the SHA-256 of the upload is {}, not {}",
                Hex(found),
                Hex(expected)
            ),
            Self::NoRoom(shortage) => write!(out, "{shortage}"),
            Self::NoInodes { path } => write!(
                out,
                "the filesystem of {} has no room for more files",
                path.display()
            ),
            Self::Io { path, source } if path.is_empty() => {
                write!(out, "the archive cannot be unpacked: {source}")
            }
            Self::Io { path, source } => write!(out, "\"{path}\" cannot be unpacked: {source}"),
            Self::HalfWay { path, source } => write!(
                out,
                "the archive was moved in only in part, up to \"{path}\": {source}"
            ),
            _ => self.about_target(out),
        }
    }
}

impl UnpackError {
    fn about_target(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict {
                path,
                is_directory_in_archive: true,
            } => write!(
                out,
                "\"{path}\" is a directory in the archive, and none in the target"
            ),
            Self::Conflict { path, .. } => write!(
                out,
                "\"{path}\" is a directory in the target, and none in the archive"
            ),
            Self::OtherFilesystem { path } => {
                write!(
                    out,
                    "\"{path}\" is on another filesystem than the target itself"
                )
            }
            Self::CannotReplace { path } => write!(
                out,
                "{} is an allowed root or a mount point, which cannot be replaced as a whole",
                path.display()
            ),
            Self::Changed { path } => write!(
                out,
                "{} was made or changed by somebody else meanwhile",
                path.display()
            ),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for UnpackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Source(source)
            | Self::Compression(source)
            | Self::Io { source, .. }
            | Self::HalfWay { source, .. } => Some(source),
            Self::Target(error) => Some(error),
            Self::NoRoom(error) => Some(error),
            _ => None,
        }
    }
}

struct Hex<'a>(&'a [u8; 32]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}
