//! Why the engine did not do what it was asked for.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::sys::{process, timed};
use crate::wire::body::framing_error;
use crate::wire::chunked::FramingError;

/// A failed call. `Display` makes one sentence for a person.
#[derive(Debug)]
pub enum EngineError {
    /// Nobody listens at the socket, or it broke off before it answered.
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It did not answer in time.
    Timeout {
        /// The call, as `GET /containers/json`.
        call: String,
        /// The deadline that passed.
        after: Duration,
    },
    /// It answered something that is no answer.
    Nonsense {
        /// The call.
        call: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// It answered with an error status.
    Answer {
        /// The status.
        status: u16,
        /// Its own words.
        message: String,
    },
    /// It reported an error inside a stream that began well.
    InStream {
        /// Its own words.
        message: String,
        /// The exit code of a build step, or an HTTP status of a registry, when it tells one.
        code: Option<i64>,
    },
    /// The client for whom it was done went away.
    Abandoned,
    /// The one who takes the data failed, not the engine.
    Taker(io::Error),
}

impl EngineError {
    /// What a failed read or write on the engine's connection means.
    pub(super) fn from_io(
        error: io::Error,
        socket: &std::path::Path,
        call: &str,
        after: Duration,
    ) -> Self {
        let call = call.to_owned();
        match error.kind() {
            _ if timed::is_hangup(&error) => Self::Abandoned,
            // An engine that ends in the middle of an answer is on its way out.
            _ if framing_error(&error) == Some(FramingError::Truncated) => Self::Unreachable {
                socket: socket.to_owned(),
                source: broken_off(),
            },
            io::ErrorKind::TimedOut => Self::Timeout { call, after },
            io::ErrorKind::InvalidData => Self::Nonsense {
                call,
                problem: error.to_string(),
            },
            _ => Self::Unreachable {
                socket: socket.to_owned(),
                source: error,
            },
        }
    }

    /// The status, when the engine answered with one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The engine's own words, if it said any.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Answer { message, .. } | Self::InStream { message, .. } => Some(message),
            _ => None,
        }
    }

    /// The engine's words, or the system's about its socket.
    pub fn details(&self) -> Option<String> {
        match self {
            Self::Unreachable { source, .. } => Some(source.to_string()),
            _ => self.words().map(str::to_owned),
        }
    }

    /// Whether the engine ran out of disk: it says so in the system's words only, which Go writes in English.
    pub fn is_full_disk(&self) -> bool {
        self.words()
            .is_some_and(|words| words.contains("no space left on device"))
    }

    /// Whether it is this machine that has no descriptor or memory for the call now.
    pub fn is_exhausted(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } if process::is_exhausted(source))
    }

    /// Whether it shows that the engine is not well.
    pub(super) fn is_failure_of_engine(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Nonsense { .. }
        )
    }
}

/// The error of a connection that ended too early.
pub(super) fn broken_off() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the connection ended in the middle of an answer",
    )
}

impl fmt::Display for EngineError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { socket, .. } => {
                write!(
                    out,
                    "the Docker engine cannot be reached at {}",
                    socket.display()
                )
            }
            Self::Timeout { call, after } => {
                write!(
                    out,
                    "the Docker engine did not answer {call} within {} s",
                    after.as_secs()
                )
            }
            Self::Nonsense { call, problem } => {
                write!(
                    out,
                    "the Docker engine's answer to {call} makes no sense: {problem}"
                )
            }
            Self::Answer { status, message } => {
                write!(out, "the Docker engine answered {status}: {message}")
            }
            Self::InStream { message, .. } => write!(out, "the Docker engine failed: {message}"),
            Self::Abandoned => out.write_str("the client went away"),
            Self::Taker(error) => write!(out, "the data could not be handed on: {error}"),
        }
    }
}

impl std::error::Error for EngineError {}
