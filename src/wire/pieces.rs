//! Sources for the tests of readers: bytes that come in pieces, and errors in their midst.
#![forbid(unsafe_code)]

use std::io::{self, Read};

/// Gives out its bytes in pieces of the sizes given, over and over.
pub(super) struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl<'a> Pieces<'a> {
    /// Gives out `bytes`.
    pub(super) fn new(bytes: &'a [u8], sizes: &'a [usize]) -> Self {
        let sizes = sizes.iter().cycle();
        Self { bytes, sizes }
    }

    /// What was not given out.
    pub(super) fn left(&self) -> &'a [u8] {
        self.bytes
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().copied().unwrap_or(1).max(1);
        let count = size.min(buffer.len()).min(self.bytes.len());
        buffer[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}

/// Fails once, then is at its end.
pub(super) struct Failing(pub(super) Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
