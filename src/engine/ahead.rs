//! An answer that is read piece by piece, and what of it was read ahead: a buffer that grows up to a bound, for whoever
//! looks for the end of something.
#![forbid(unsafe_code)]

use std::ops::Range;
use std::time::Duration;

use super::{Answer, EngineError};

/// What was read of an answer and not taken yet.
pub(super) struct Ahead<'w> {
    answer: Answer<'w>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Most bytes that are held.
    most: usize,
}

impl<'w> Ahead<'w> {
    /// Nothing of `answer` yet, with room for `first` bytes and at most `most`.
    pub(super) fn new(answer: Answer<'w>, first: usize, most: usize) -> Self {
        Self {
            answer,
            buffer: vec![0; first],
            start: 0,
            end: 0,
            most,
        }
    }

    /// What is held.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Takes the first `count` bytes; where they stand until the next [`Self::fill`].
    pub(super) fn take(&mut self, count: usize) -> Range<usize> {
        let range = self.start..self.start + count;
        self.start = range.end;
        range
    }

    /// What was taken.
    pub(super) fn taken(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Reads more. False at the end of the answer; an error with this `problem` when that would be more than is held.
    pub(super) fn fill(&mut self, problem: &str) -> Result<bool, EngineError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.buffer.len() >= self.most {
                return Err(self.answer.nonsense(problem));
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let count = self.answer.read(&mut self.buffer[self.end..])?;
        self.end += count;
        Ok(count > 0)
    }

    /// Whether more of the answer is there, or comes `within` this time.
    pub(super) fn is_at_hand(&mut self, within: Duration) -> bool {
        self.answer.is_at_hand(within)
    }

    /// The error that the answer is not what it should be.
    pub(super) fn nonsense(&self, problem: &str) -> EngineError {
        self.answer.nonsense(problem)
    }
}
