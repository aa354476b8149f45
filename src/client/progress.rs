//! How far something is, on a terminal; nothing on a pipe.
#![forbid(unsafe_code)]

use std::io::{self, IsTerminal, Read, Write};
use std::time::Instant;

use super::table::{bytes, duration};
use crate::limits;

/// Characters of the bar.
const WIDTH: u64 = 30;
/// Back to the beginning of the line, which is cleared.
const CLEAR: &str = "\r\u{1b}[K";

/// A bar on standard error.
pub(super) struct Progress {
    what: String,
    total: Option<u64>,
    done: u64,
    /// What was there before, and counts for the bar but not for the rate.
    before: u64,
    started: Instant,
    drawn: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    /// Of `what`, with so many bytes in all.
    pub(super) fn new(what: &str, total: Option<u64>) -> Self {
        Self {
            what: what.to_owned(),
            total,
            done: 0,
            before: 0,
            started: Instant::now(),
            drawn: None,
            is_shown: io::stderr().is_terminal(),
        }
    }

    /// So many bytes were there before.
    pub(super) fn begin_at(&mut self, before: u64) {
        self.before = before;
        self.done = before;
    }

    /// So many bytes more.
    pub(super) fn add(&mut self, count: u64) {
        self.done += count;
        self.draw();
    }

    /// So many bytes less: they did not arrive.
    pub(super) fn take(&mut self, count: u64) {
        self.done = self.done.saturating_sub(count);
    }

    /// So many of so many.
    pub(super) fn set(&mut self, done: u64, total: u64) {
        self.done = done;
        self.total = Some(total);
        self.draw();
    }

    /// Something else than bytes is to be said.
    pub(super) fn note(&mut self, note: &str) {
        if self.is_shown {
            self.write(&format!("{CLEAR}{}: {note}", self.what));
        }
    }

    fn draw(&mut self) {
        let is_due = self
            .drawn
            .is_none_or(|drawn| drawn.elapsed() >= limits::CLIENT_DRAW);
        if self.is_shown && is_due {
            self.write(&format!("{CLEAR}{}", self.line()));
        }
    }

    fn line(&self) -> String {
        let milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let new = self.done.saturating_sub(self.before);
        let rate = new.saturating_mul(1000) / milliseconds.max(1);
        let Some(total) = self.total.filter(|total| *total > 0) else {
            return format!("{}  {}  {}/s", self.what, bytes(self.done), bytes(rate));
        };
        let done = self.done.min(total);
        let filled =
            usize::try_from(u128::from(done) * u128::from(WIDTH) / u128::from(total)).unwrap_or(0);
        let percent = u128::from(done) * 100 / u128::from(total);
        let left = (total - done)
            .checked_div(rate)
            .map_or_else(String::new, duration);
        let empty = usize::try_from(WIDTH).unwrap_or(0) - filled;
        format!(
            "{} [{}{}] {percent}%  {} of {}  {}/s  {left}",
            self.what,
            "#".repeat(filled),
            " ".repeat(empty),
            bytes(done),
            bytes(total),
            bytes(rate),
        )
    }

    fn write(&mut self, text: &str) {
        self.drawn = Some(Instant::now());
        let mut out = io::stderr();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown && self.drawn.is_some() {
            self.write(CLEAR);
        }
    }
}

/// A source whose bytes are counted.
pub(super) struct Counted<'p, R> {
    pub(super) source: R,
    pub(super) progress: &'p mut Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(place)?;
        self.progress.add(count as u64);
        Ok(count)
    }
}
