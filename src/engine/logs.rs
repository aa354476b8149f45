//! Logs of a container. Docker API, /containers/{id}/logs.
#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;

use super::{Answer, Demultiplexer, Engine, EngineError, Patience, Stream, path_segment, query};
use crate::limits;

/// Which logs.
#[derive(Debug)]
pub struct LogQuery {
    /// Number of lines from the end; `None` is all.
    pub tail: Option<u64>,
    /// Seconds since 1970, with a fraction, as the engine wants it.
    pub since: Option<String>,
    /// The same.
    pub until: Option<String>,
    /// Whether each line starts with its time.
    pub timestamps: bool,
    /// Whether standard output is wanted. One of the two must be.
    pub stdout: bool,
    /// Whether standard error is wanted.
    pub stderr: bool,
    /// Whether to go on as the container writes.
    pub follow: bool,
}

/// Data of a container on its way, frames taken off.
pub struct Output<'w> {
    answer: Answer<'w>,
    demultiplexer: Demultiplexer,
    buffer: Box<[u8]>,
}

impl Engine {
    /// Opens the logs of the container `name`; `tty` is its `Config.Tty`, the only reliable sign of raw logs (the
    /// engine's Content-Type differs between versions).
    pub fn logs<'w>(
        &self,
        name: &str,
        tty: bool,
        wanted: &LogQuery,
        client: Option<BorrowedFd<'w>>,
    ) -> Result<Output<'w>, EngineError> {
        let flag = u8::from;
        let tail = wanted
            .tail
            .map_or_else(|| "all".to_owned(), |lines| lines.to_string());
        let mut path = format!(
            "/containers/{}/logs?stdout={}&stderr={}&follow={}&timestamps={}&tail={tail}",
            path_segment(name),
            flag(wanted.stdout),
            flag(wanted.stderr),
            flag(wanted.follow),
            flag(wanted.timestamps),
        );
        for (name, value) in [("&since", &wanted.since), ("&until", &wanted.until)] {
            path.push_str(
                &value
                    .as_ref()
                    .map(|value| query(name, value))
                    .unwrap_or_default(),
            );
        }
        // A follow of a silent container may have no first byte for a long time (20.10 holds the head back).
        let first_byte = if wanted.follow {
            limits::STREAM_IDLE
        } else {
            limits::ENGINE_FIRST_BYTE
        };
        let idle = if wanted.follow {
            limits::STREAM_IDLE
        } else {
            limits::ENGINE_IDLE
        };
        let answer = self.get(
            &path,
            Patience {
                first_byte,
                idle,
                client,
            },
        )?;
        Ok(Output::new(answer, tty))
    }
}

impl<'w> Output<'w> {
    pub(super) fn new(answer: Answer<'w>, raw: bool) -> Self {
        let buffer = vec![0; limits::STREAM_BUFFER_BYTES].into_boxed_slice();
        Self {
            answer,
            demultiplexer: Demultiplexer::new(raw),
            buffer,
        }
    }

    /// Reads once and hands on what came, in whole characters. False at the end. Whatever `take` reports as an error
    /// ends it as [`EngineError::Taker`].
    pub fn pump(
        &mut self,
        mut take: impl FnMut(Stream, &[u8]) -> std::io::Result<()>,
    ) -> Result<bool, EngineError> {
        let mut take = |stream, data: &[u8]| take(stream, data).map_err(EngineError::Taker);
        let count = self.answer.read(&mut self.buffer)?;
        if count == 0 {
            self.demultiplexer.finish(take)?;
            return Ok(false);
        }
        self.demultiplexer.feed(&self.buffer[..count], &mut take)?;
        Ok(true)
    }

    /// Whether the engine has more already, or `within` this time.
    pub fn is_at_hand(&mut self, within: std::time::Duration) -> bool {
        self.answer.is_at_hand(within)
    }

    /// Changes how long the next read may wait.
    pub fn set_idle(&mut self, idle: std::time::Duration) {
        self.answer.set_idle(idle);
    }
}
