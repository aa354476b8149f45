//! Progress for a client that asked for it: the engine's lines, one JSON object each, and a last line that is the result
//! or an error. For `pull` and `build`.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::api::{ApiError, Sink};
use crate::limits;

/// Lines on their way to the client. In a rush they are flushed no more often than a person can see: a pull of many
/// layers reports hundreds of times a second.
pub(in crate::api) struct ProgressLines<'s> {
    sink: &'s mut dyn Sink,
    flushed: Option<Instant>,
}

/// The last line of a stream that failed.
#[derive(Serialize)]
struct Failure<'f> {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'f str>,
}

impl<'s> ProgressLines<'s> {
    /// Lines to `sink`.
    pub(in crate::api) fn new(sink: &'s mut dyn Sink) -> Self {
        Self {
            sink,
            flushed: None,
        }
    }

    /// Hands on a line of the engine's, which may be empty: then there is nothing to hand on. It leaves at once, unless
    /// `more` is about to come within a moment and the last one left a moment ago.
    pub(in crate::api) fn hand_on(
        &mut self,
        line: &[u8],
        more: impl FnOnce(Duration) -> bool,
    ) -> Result<(), ApiError> {
        if line.is_empty() {
            return Ok(());
        }
        let sent = self.sink.write_all(line.trim_ascii_end());
        sent.and_then(|()| self.sink.write_all(b"\n"))
            .map_err(ApiError::ClientGone)?;
        let due = self
            .flushed
            .map(|flushed| flushed + limits::GATHER_PROGRESS);
        let wait = due.map(|due| due.saturating_duration_since(Instant::now()));
        if wait.is_some_and(|wait| !wait.is_zero() && more(wait)) {
            return Ok(());
        }
        self.flushed = Some(Instant::now());
        self.sink.flush().map_err(ApiError::ClientGone)
    }

    /// Ends with the result. The status has left long ago: an error is the last line, and the error of the request in
    /// the log.
    pub(in crate::api) fn end<T: Serialize>(
        self,
        result: Result<T, ApiError>,
    ) -> Result<(), ApiError> {
        let line = match &result {
            Ok(answer) => serde_json::to_vec(answer),
            Err(ApiError::ClientGone(_)) => return result.map(drop),
            Err(error) => serde_json::to_vec(&Failure {
                error: error.to_string(),
                details: error.details(),
            }),
        };
        // Strings and numbers always serialize.
        let line = line.unwrap_or_default();
        let sent = self.sink.write_all(&line);
        sent.and_then(|()| self.sink.write_all(b"\n"))
            .map_err(ApiError::ClientGone)?;
        match result {
            Ok(_) => Ok(()),
            Err(error) => Err(ApiError::Reported(Box::new(error))),
        }
    }
}
