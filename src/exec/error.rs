//! Why a program did not run to its end.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::time::Duration;

use super::Output;
use crate::sys::process;

/// A program that did not run to its end. One that did, with whatever code, is no error here.
#[derive(Debug)]
pub enum ExecError {
    /// No such program in the search path.
    NotFound {
        /// Its name.
        program: String,
    },
    /// It could not be started.
    Spawn {
        /// Its name.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// It took too long, and was ended.
    Deadline {
        /// Its name.
        program: String,
        /// The time it had.
        after: Duration,
        /// What it said until then; nothing when that was handed on as it came.
        output: Box<Output>,
    },
    /// The client for whom it ran went away, and it was ended.
    Abandoned,
    /// What it was to be fed with could not be had, and it was ended before it could take the part for the whole.
    Producer(io::Error),
    /// The one who takes its output failed, and it was ended.
    Taker(io::Error),
    /// What was looked after while it ran failed, and it was ended.
    Check(io::Error),
    /// A pipe or a wait failed.
    Io {
        /// Its name.
        program: String,
        /// What the system says.
        source: io::Error,
    },
}

impl ExecError {
    /// Whether the system had no process, thread, memory or descriptor for it, which passes.
    pub fn is_exhausted(&self) -> bool {
        match self {
            Self::Spawn { source, .. } | Self::Io { source, .. } => process::is_exhausted(source),
            _ => false,
        }
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { program } => write!(out, "`{program}` is not installed"),
            Self::Spawn { program, source } => {
                write!(out, "`{program}` could not be started: {source}")
            }
            Self::Deadline { program, after, .. } => {
                write!(
                    out,
                    "`{program}` did not finish within {} s",
                    after.as_secs()
                )
            }
            Self::Abandoned => out.write_str("the client went away"),
            Self::Producer(source) => write!(out, "its input could not be made: {source}"),
            Self::Taker(source) => write!(out, "its output could not be handed on: {source}"),
            Self::Check(source) => write!(out, "it was ended: {source}"),
            Self::Io { program, source } => {
                write!(out, "running `{program}` failed: {source}")
            }
        }
    }
}

impl std::error::Error for ExecError {}
