//! The only place where a failure becomes an HTTP status and the sentence a person reads.
#![forbid(unsafe_code)]

mod archives;
mod conversions;
mod cron;
mod git;
mod login;
mod nginx;
mod paths;
mod programs;
mod sentence;

use std::fmt;
use std::io;

use serde::Serialize;

use crate::engine::EngineError;
use crate::engine::pull_failure::{PullFailure, classify};
use crate::wire::HeadError;
use crate::wire::chunked::FramingError;

/// Why a request was not done.
#[derive(Debug)]
pub enum ApiError {
    /// A parameter or body that makes no sense.
    BadRequest {
        /// One sentence.
        message: String,
        /// The engine's or tool's own words.
        details: Option<String>,
    },
    /// A build that failed.
    Build {
        /// One sentence.
        message: String,
        /// The last lines that it printed, and the builder's own words below them.
        output: String,
    },
    /// The body is something else than a JSON object.
    NotAnObject,
    /// A head that breaks the rules; the connection ends.
    Head(HeadError),
    /// A body that breaks the rules; the connection ends.
    Framing(FramingError),
    /// No key, or a wrong one.
    Unauthorized,
    /// The peer's address is not on the allowlist.
    AddressNotAllowed,
    /// Something may not be touched: what, and why.
    Forbidden(String),
    /// No such thing: a sentence that names it.
    NotFound(String),
    /// No such endpoint.
    NoRoute,
    /// The endpoint exists, with other methods.
    MethodNotAllowed {
        /// The value of `Allow`.
        allow: String,
    },
    /// The client took too long to send its request.
    RequestTimeout,
    /// It collides with what is there.
    Conflict {
        /// One sentence.
        message: String,
        /// The engine's or tool's own words.
        details: Option<String>,
    },
    /// There is too much of something in the body: one sentence.
    TooMuch(String),
    /// Too many of something are open: one sentence.
    TooMany(String),
    /// The body is larger than this many bytes.
    TooLarge {
        /// The most that is taken.
        limit: u64,
    },
    /// A content is too large for the form it comes or goes in: a sentence that names the other form.
    WrongForm(String),
    /// The body's length is neither announced nor chunked.
    LengthRequired,
    /// The disk has no room for it.
    NoRoom {
        /// One sentence.
        message: String,
        /// How much is missing where, or the engine's own words.
        details: Option<String>,
    },
    /// An error that the client was told of in the last line of a stream; for the log.
    Reported(Box<ApiError>),
    /// The body is of a kind that the endpoint does not take.
    UnsupportedMediaType {
        /// What came.
        given: String,
        /// What is taken.
        expected: &'static str,
    },
    /// All workers, or all places for long operations, are taken.
    Busy {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// The system has no process, thread, memory or descriptor for it now.
    Exhausted {
        /// One sentence.
        message: String,
        /// What the system said, where the sentence does not.
        details: Option<String>,
    },
    /// The agent is on its way out.
    Stopping,
    /// Something that cannot be done here.
    NotSupported {
        /// One sentence.
        message: String,
        /// The engine's own words.
        details: Option<String>,
    },
    /// A deadline passed.
    Timeout {
        /// One sentence.
        message: String,
        /// What was seen until then.
        details: Option<String>,
    },
    /// The engine did not do it.
    Engine {
        /// Why not.
        source: EngineError,
        /// Its own words, where it answered.
        details: Option<String>,
    },
    /// A program that was needed did not do it.
    Program {
        /// One sentence that names it.
        message: String,
        /// Its own words.
        details: Option<String>,
    },
    /// An image could not be pulled.
    Pull {
        /// The image.
        image: String,
        /// Why not.
        source: EngineError,
    },
    /// A registry login could not be checked, or is wrong.
    Login {
        /// The registry.
        registry: String,
        /// Why not.
        source: EngineError,
    },
    /// Another machine did not do it.
    Remote {
        /// What that means here.
        status: u16,
        /// One sentence that names it.
        message: String,
        /// The tool's own words.
        details: Option<String>,
    },
    /// A failure of our own.
    Internal {
        /// One sentence.
        message: String,
        /// What the system said.
        details: Option<String>,
    },
    /// The client is gone; no answer will be read, the log shows why the work ended.
    ClientGone(io::Error),
}

/// The body of every error.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
}

impl ApiError {
    /// A 400 with this sentence.
    pub fn bad_request(message: &str) -> Self {
        Self::BadRequest {
            message: message.to_owned(),
            details: None,
        }
    }

    /// A 400 about the query parameter `name`: "parameter `tail` must be …".
    pub fn parameter(name: &str, what: &str) -> Self {
        Self::bad_request(&format!("parameter `{name}` {what}"))
    }

    /// A 400 about the body field `name`: "field `ports[1]` …".
    pub fn field(name: &str, what: &str) -> Self {
        Self::bad_request(&format!("field `{name}` {what}"))
    }

    /// A 501 with this sentence.
    pub fn not_supported(message: &str) -> Self {
        Self::NotSupported {
            message: message.to_owned(),
            details: None,
        }
    }

    /// A 409 with this sentence.
    pub fn conflict(message: &str) -> Self {
        Self::Conflict {
            message: message.to_owned(),
            details: None,
        }
    }

    /// A 500 with this sentence and the system's words.
    pub fn internal(message: &str, source: &dyn fmt::Display) -> Self {
        Self::Internal {
            message: message.to_owned(),
            details: Some(source.to_string()),
        }
    }

    /// The same error with the engine's or tool's own words. Errors that carry none stay as they are.
    #[must_use]
    pub fn with_details(mut self, words: impl Into<String>) -> Self {
        match &mut self {
            Self::BadRequest { details, .. }
            | Self::Conflict { details, .. }
            | Self::Timeout { details, .. }
            | Self::NoRoom { details, .. }
            | Self::NotSupported { details, .. }
            | Self::Engine { details, .. }
            | Self::Program { details, .. }
            | Self::Exhausted { details, .. }
            | Self::Remote { details, .. }
            | Self::Internal { details, .. } => *details = Some(words.into()),
            _ => {}
        }
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest { .. } | Self::Build { .. } | Self::NotAnObject | Self::Framing(_) => {
                400
            }
            Self::Head(error) => status_of_head(error),
            Self::Unauthorized => 401,
            Self::AddressNotAllowed | Self::Forbidden(_) => 403,
            Self::NotFound(_) | Self::NoRoute => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::RequestTimeout => 408,
            Self::Conflict { .. } => 409,
            Self::LengthRequired => 411,
            Self::TooLarge { .. } | Self::WrongForm(_) | Self::TooMuch(_) => 413,
            Self::TooMany(_) => 429,
            Self::UnsupportedMediaType { .. } => 415,
            Self::Internal { .. } => 500,
            // For the log alone; nobody is there to be answered.
            Self::ClientGone(_) => 499,
            Self::NotSupported { .. } => 501,
            Self::Busy { .. } | Self::Stopping | Self::Exhausted { .. } | Self::Program { .. } => {
                503
            }
            Self::Timeout { .. } => 504,
            Self::NoRoom { .. } => 507,
            Self::Remote { status, .. } => *status,
            Self::Reported(error) => error.status(),
            Self::Engine { source, .. } => status_of_engine(source),
            Self::Pull { source, .. } => status_of_pull(source),
            Self::Login { source, .. } => status_of_login(source),
        }
    }

    /// The engine's or tool's own words, if there are any.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::BadRequest { details, .. }
            | Self::Conflict { details, .. }
            | Self::Timeout { details, .. }
            | Self::NoRoom { details, .. }
            | Self::NotSupported { details, .. }
            | Self::Engine { details, .. }
            | Self::Program { details, .. }
            | Self::Exhausted { details, .. }
            | Self::Remote { details, .. }
            | Self::Internal { details, .. } => details.as_deref(),
            Self::Build { output, .. } => Some(output),
            Self::Pull { source, .. } | Self::Login { source, .. } => source.words(),
            Self::Reported(error) => error.details(),
            _ => None,
        }
    }

    /// What the log says of it: the sentence and the engine's words, but not what a command printed until its time was
    /// over, or a step of a build. That is the client's business and may hold secrets.
    pub fn for_log(&self) -> String {
        let words = match self {
            Self::Timeout { .. } => None,
            Self::Build { output, .. } => output.lines().last(),
            Self::Reported(error) => return error.for_log(),
            _ => self.details(),
        };
        match words {
            Some(details) => format!("{self}: {details}"),
            None => self.to_string(),
        }
    }

    /// Headers that belong to the status.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::MethodNotAllowed { allow } => vec![("Allow", allow.clone())],
            Self::Busy {
                retry_after_seconds,
            } => vec![("Retry-After", retry_after_seconds.to_string())],
            Self::Stopping | Self::Exhausted { .. } => vec![("Retry-After", "5".to_owned())],
            // It is we who cannot reach it.
            Self::Engine { source, .. } if source.is_exhausted() => {
                vec![("Retry-After", "5".to_owned())]
            }
            Self::Unauthorized => vec![("WWW-Authenticate", "X-API-Key".to_owned())],
            _ => Vec::new(),
        }
    }

    /// Whether the connection cannot be used after this error: nobody knows where the next request starts.
    pub fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::Head(_) | Self::Framing(_) | Self::RequestTimeout | Self::ClientGone(_)
        )
    }

    /// The JSON body: `{"error": …, "details": …}`.
    pub fn body(&self) -> Vec<u8> {
        let error = self.to_string();
        let body = ErrorBody {
            error: &error,
            details: self.details(),
        };
        // Two strings always serialize.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// The engine's own client errors are the client's too; its 500 is one of ours, for want of a better word.
fn status_of_engine(error: &EngineError) -> u16 {
    match error {
        EngineError::Answer { status, .. } => match status {
            400 | 404 | 409 | 501 | 503 => *status,
            _ => 500,
        },
        EngineError::Unreachable { .. } => 503,
        EngineError::Timeout { .. } => 504,
        EngineError::Nonsense { .. } => 502,
        EngineError::InStream { .. } | EngineError::Abandoned | EngineError::Taker(_) => 500,
    }
}

/// A pull fails by the name, by the credentials, by the registry, or by the engine.
fn status_of_pull(error: &EngineError) -> u16 {
    match classify(error) {
        Some(PullFailure::BadReference) => 400,
        Some(PullFailure::Denied) => 401,
        Some(PullFailure::Unknown) => 404,
        Some(PullFailure::Registry) => 502,
        None => status_of_engine(error),
    }
}

/// A login fails by its credentials, by the registry, or by the engine.
fn status_of_login(error: &EngineError) -> u16 {
    match classify(error) {
        Some(PullFailure::BadReference) => 400,
        Some(PullFailure::Denied) => 401,
        Some(PullFailure::Unknown | PullFailure::Registry) => 502,
        None => status_of_engine(error),
    }
}

fn status_of_head(error: &HeadError) -> u16 {
    match error {
        HeadError::TargetTooLong => 414,
        HeadError::Expectation => 417,
        HeadError::TooLong | HeadError::TooManyHeaders => 431,
        HeadError::UnknownCoding => 501,
        HeadError::Version => 505,
        _ => 400,
    }
}

impl std::error::Error for ApiError {}
