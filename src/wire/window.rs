//! One fixed buffer over a source: what was read and not yet taken. The scanners of this module look at it, and the
//! size of what is being read never decides how much is held.
#![forbid(unsafe_code)]

use std::io::{self, Read};

use crate::limits;

/// A source, seen through a buffer of [`limits::STREAM_BUFFER_BYTES`]. No `Debug`: what it holds may be secret.
pub(super) struct Window<R> {
    source: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    taken: u64,
}

impl<R: Read> Window<R> {
    /// Over `source`, which is not touched yet, as if `first` stood before it.
    pub(super) fn new(source: R, first: &[u8]) -> Self {
        let mut buffer = vec![0; limits::STREAM_BUFFER_BYTES].into_boxed_slice();
        buffer[..first.len()].copy_from_slice(first);
        Self {
            source,
            buffer,
            start: 0,
            end: first.len(),
            taken: 0,
        }
    }

    /// What was read and not yet taken.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Bytes taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The first `count` bytes are done with.
    pub(super) fn take(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.taken += count as u64;
    }

    /// Reads once more. How many bytes that brought: 0 at the source's end, or when the buffer is full of bytes that
    /// nobody took. What is left is moved to the front, so callers take most of it first.
    pub(super) fn fill(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => {
                    let count = result?;
                    self.end += count;
                    return Ok(count);
                }
            }
        }
    }
}
