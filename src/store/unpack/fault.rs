//! What is not acceptable about a single member.
#![forbid(unsafe_code)]

use std::fmt;

use super::UnpackError;
use crate::limits;

/// Why a member is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberFault {
    /// It has no name.
    Nameless,
    /// There is a NUL in its name, or in the target of the link that it is.
    Nul,
    /// Its name begins with a slash.
    Absolute,
    /// Its name leads out of the target by `..`.
    Climbs,
    /// Its name, a part of its name, or the target of the link that it is, is too long.
    TooLong,
    /// It is more than [`limits::TREE_DEPTH`] levels down.
    TooDeep,
    /// It is a device or a FIFO.
    Special,
    /// It is a sparse file.
    Sparse,
    /// It is of a type that is not unpacked.
    Unsupported {
        /// The header's letter for it.
        letter: char,
    },
    /// It is a directory or link, and has contents all the same: readers do not agree where the next member begins.
    Contents,
    /// Its name leads through a file or symbolic link of this archive.
    Through,
    /// The archive has a directory and something else by this name.
    TwoKinds,
    /// It is a hard link to something that is no file or link before it in the archive.
    NoOriginal {
        /// Its target, for a person.
        target: String,
    },
    /// It is a symbolic link that leads out of the allowed root, or might.
    LinkLeaves {
        /// Its target, for a person.
        target: String,
    },
    /// It is a symbolic link to nothing.
    LinkEmpty,
}

impl MemberFault {
    /// The fault of the member called `name`.
    pub(super) fn of(self, name: &[u8]) -> UnpackError {
        UnpackError::Member {
            member: told(name),
            fault: self,
        }
    }
}

impl fmt::Display for MemberFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nameless => out.write_str("has no name"),
            Self::Nul => out.write_str("has a NUL in its name or target"),
            Self::Absolute => out.write_str("has a name that begins with a slash"),
            Self::Climbs => out.write_str("would be outside of the target"),
            Self::TooLong => out.write_str("has a name or target that is too long"),
            Self::TooDeep => write!(out, "is more than {} levels down", limits::TREE_DEPTH),
            Self::Special => out.write_str("is a device or a FIFO"),
            Self::Sparse => out.write_str("is a sparse file, which is not supported"),
            Self::Unsupported { letter } => {
                write!(
                    out,
                    "is of the type '{}', which is not supported",
                    letter.escape_default()
                )
            }
            Self::Contents => out.write_str("is a directory or link, but has contents"),
            Self::Through => out.write_str("is below something that is no directory"),
            Self::TwoKinds => out.write_str("is in the archive as a directory and as no directory"),
            Self::NoOriginal { target } => write!(
                out,
                "is a hard link to \"{target}\", which is no file before it in the archive"
            ),
            Self::LinkLeaves { target } => write!(
                out,
                "is a symbolic link to \"{target}\", which may be outside of the allowed directory"
            ),
            Self::LinkEmpty => out.write_str("is a symbolic link without a target"),
        }
    }
}

/// `name` for a person: short, and without characters that do something to a terminal or a log.
pub(super) fn told(name: &[u8]) -> String {
    let shown = &name[..name.len().min(limits::TOLD_NAME_BYTES)];
    let mut told = String::with_capacity(shown.len());
    for character in String::from_utf8_lossy(shown).chars() {
        if character.is_control() {
            told.extend(character.escape_default());
        } else {
            told.push(character);
        }
    }
    if shown.len() < name.len() {
        told.push('…');
    }
    told
}
