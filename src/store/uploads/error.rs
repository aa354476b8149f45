//! Why a chunk was not taken, or an upload not extracted.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use crate::limits;
use crate::store::space::shortage;

/// A refusal or a failure. `Display` makes one sentence for a person.
#[derive(Debug)]
pub enum UploadError {
    /// The upload's name has other characters than it may have.
    BadId,
    /// The number of chunks is none that can be.
    BadTotal {
        /// As it was given.
        total: u32,
        /// The most that are taken.
        limit: u32,
    },
    /// There is no such chunk in a set of so many.
    BadIndex {
        /// As it was given.
        index: u32,
        /// Chunks of the set.
        total: u32,
    },
    /// What was given as a chunk's checksum is none.
    BadChecksum,
    /// A term is longer than any sensible one.
    TermTooLong {
        /// Which.
        name: &'static str,
    },
    /// The upload was begun with another number of chunks.
    TotalDiffers {
        /// Those it was begun with.
        known: u32,
        /// Those of this request.
        given: u32,
    },
    /// The upload has another value for this term, or is extracted without it.
    TermDiffers {
        /// Which.
        name: &'static str,
        /// What it has.
        known: Option<String>,
        /// What this request says.
        given: String,
    },
    /// The upload is finished, and this chunk of it had other bytes.
    OtherBytes {
        /// The chunk.
        index: u32,
    },
    /// The chunk has no bytes.
    Empty {
        /// The chunk.
        index: u32,
    },
    /// The bytes that came are not those that were meant.
    Checksum {
        /// The chunk.
        index: u32,
        /// The checksum that was announced.
        expected: String,
        /// That of what came.
        actual: String,
    },
    /// All chunks together would have more bytes than an upload may have.
    TooLarge {
        /// The most that are taken.
        limit: u64,
    },
    /// Too many uploads are open.
    TooMany {
        /// The most there may be.
        limit: usize,
    },
    /// There is no such upload.
    Unknown,
    /// Somebody dropped the upload meanwhile.
    Dropped,
    /// The upload is being extracted: it cannot be dropped now.
    Extracting,
    /// The request that extracts the set, for which this one waited, failed.
    FailedElsewhere {
        /// What was said about it.
        why: String,
    },
    /// The request that extracts the set took longer than this one could wait.
    WaitedTooLong,
    /// The client that waited went away.
    Abandoned,
    /// The chunk's bytes did not come to their end.
    Body(io::Error),
    /// The state directory cannot be used; a [`crate::store::space::NoRoom`] is inside when the reserve would be used up.
    Disk {
        /// What was to be done there.
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl UploadError {
    /// For `map_err`: the disk failed while `doing` something.
    pub(super) fn disk(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { doing, source }
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadId => out.write_str(
                "the name of an upload has 1 to 128 letters, digits, `.`, `_` and `-`, and begins with a letter or a digit",
            ),
            Self::BadTotal { total, limit } => {
                write!(out, "an upload has 1 to {limit} chunks, not {total}")
            }
            Self::BadIndex { index, total } => write!(
                out,
                "there is no chunk {index} in a set of {total}: they are counted from 0"
            ),
            Self::BadChecksum => out.write_str("a chunk's SHA-256 has 64 hexadecimal digits"),
            Self::TermTooLong { name } => {
                write!(out, "{name} is longer than {} bytes", limits::PATH_BYTES)
            }
            Self::Empty { index } => write!(out, "chunk {index} has no bytes"),
            Self::TooLarge { limit } => write!(out, "the upload is larger than {limit} bytes"),
            Self::TooMany { limit } => write!(
                out,
                "{limit} uploads are open already: finish or drop one of them"
            ),
            Self::Unknown => out.write_str("there is no upload of this name"),
            Self::Body(source) => write!(out, "the chunk broke off: {source}"),
            Self::Disk { doing, source } => match shortage(source) {
                Some(shortage) => write!(out, "{doing} failed: {shortage}"),
                None => write!(out, "{doing} failed: {source}"),
            },
            other => other.write_conflict(out),
        }
    }
}

impl UploadError {
    /// Those that come of what others do with the same upload, or did.
    fn write_conflict(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TotalDiffers { known, given } => write!(
                out,
                "the upload has {known} chunks, and this one says {given}"
            ),
            Self::TermDiffers { name, known, given } => match known {
                Some(known) => write!(
                    out,
                    "the upload's {name} is {known:?}, and this chunk says {given:?}"
                ),
                None => write!(
                    out,
                    "the upload is extracted without {name}, and this chunk says {given:?}"
                ),
            },
            Self::OtherBytes { index } => write!(
                out,
                "the upload is finished, and its chunk {index} had other bytes: drop it or take another name"
            ),
            Self::Checksum {
                index,
                expected,
                actual,
            } => write!(
                out,
                "chunk {index} has the SHA-256 {actual}, and {expected} was announced"
            ),
            Self::Dropped => out.write_str("the upload was dropped meanwhile"),
            Self::Extracting => out.write_str("the upload is being extracted"),
            Self::FailedElsewhere { why } => {
                write!(out, "the request that completed the upload failed: {why}")
            }
            Self::WaitedTooLong => out.write_str("the upload is still being extracted"),
            _ => out.write_str("the client went away"),
        }
    }
}

impl std::error::Error for UploadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Body(source) | Self::Disk { source, .. } => Some(source),
            _ => None,
        }
    }
}
