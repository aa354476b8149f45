//! When a live stream is flushed: a line that comes alone leaves at once, lines that come in a rush travel together.
//! The engine writes a log line by line; a flush for each was a system call a line (260,000 for 50 MB).
#![forbid(unsafe_code)]

use std::time::Instant;

use crate::api::{ApiError, Sink};
use crate::engine::Output;
use crate::limits;

/// Remembers when a stream was flushed.
#[derive(Default)]
pub(super) struct Pace {
    flushed: Option<Instant>,
}

impl Pace {
    /// Flushes what was written, unless more is about to come and the last flush was a moment ago.
    pub(super) fn flush(
        &mut self,
        output: &mut Output<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), ApiError> {
        let now = Instant::now();
        let due = self
            .flushed
            .map_or(now, |flushed| flushed + limits::GATHER_LINES);
        let wait = due.saturating_duration_since(now);
        if !wait.is_zero() && output.is_at_hand(wait) {
            return Ok(());
        }
        self.flushed = Some(Instant::now());
        sink.flush().map_err(ApiError::ClientGone)
    }
}
