//! Why no Dockerfile was generated.
#![forbid(unsafe_code)]

use std::{fmt, io};

/// A project that was recognised, and what it lacks to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The file that recognised it.
    pub file: &'static str,
    /// What was looked for in vain.
    pub missing: &'static str,
}

/// Why no Dockerfile was generated.
#[derive(Debug)]
pub enum DetectError {
    /// No stack was recognised.
    Nothing {
        /// What was looked for, in the order in which it was.
        looked_for: Vec<&'static str>,
        /// What was found but cannot be run.
        unfinished: Vec<Unfinished>,
    },
    /// A file that decides cannot be read as what it should be.
    Malformed {
        /// The file, relative to the project.
        file: String,
        /// The parser's words: where, never what.
        problem: String,
    },
    /// A file that has to be read as a whole is larger than what is read.
    TooLarge {
        /// The file, relative to the project.
        file: String,
        /// How much is read, in bytes.
        limit: usize,
    },
    /// Too many files would have to be looked at.
    TooMuch {
        /// How many are.
        limit: usize,
    },
    /// A value that must appear in the Dockerfile has characters that must not.
    Unusable {
        /// The file that holds it, relative to the project.
        file: String,
        /// The field or name.
        field: &'static str,
        /// The value, escaped and shortened.
        value: String,
    },
    /// The project could not be read.
    Io {
        /// The file or directory, relative to the project.
        file: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl DetectError {
    /// The value of `field` in `file` has characters that a Dockerfile must not have.
    pub(crate) fn unusable(file: &str, field: &'static str, value: &str) -> Self {
        Self::Unusable {
            file: file.to_owned(),
            field,
            value: shown(value),
        }
    }
}

impl fmt::Display for DetectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing {
                looked_for,
                unfinished,
            } => {
                f.write_str("no known stack was found")?;
                for Unfinished { file, missing } in unfinished {
                    write!(f, "; {file} is there, but {missing} is not")?;
                }
                write!(f, "; looked for {}", looked_for.join(", "))
            }
            Self::Malformed { file, problem } => {
                write!(f, "{} cannot be read: {problem}", shown(file))
            }
            Self::TooLarge { file, limit } => {
                write!(
                    f,
                    "{} is larger than the {limit} bytes that are read",
                    shown(file)
                )
            }
            Self::TooMuch { limit } => {
                write!(
                    f,
                    "more than {limit} files and directories would have to be looked at"
                )
            }
            Self::Unusable { file, field, value } => write!(
                f,
                "{}: {field} has characters that cannot stand in a Dockerfile: \"{value}\"",
                shown(file)
            ),
            Self::Io { file, source } => write!(f, "{} cannot be read: {source}", shown(file)),
        }
    }
}

/// A project's own word in a message: on one line, and not for pages.
fn shown(text: &str) -> String {
    const LONGEST: usize = 100;
    text.chars()
        .take(LONGEST)
        .flat_map(char::escape_default)
        .collect()
}

impl std::error::Error for DetectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
