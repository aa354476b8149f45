//! Input that comes in pieces.

use std::io::{self, Read};

/// Splits `data` into sizes of pieces (its first three bytes) and the rest.
pub fn split(data: &[u8]) -> Option<([usize; 3], &[u8])> {
    let (sizes, rest) = data.split_at_checked(3)?;
    // Mostly small ones: borders matter, not amounts.
    let size = |byte: u8| match byte {
        0..=199 => usize::from(byte) % 16 + 1,
        _ => usize::from(byte) * 8,
    };
    Some(([size(sizes[0]), size(sizes[1]), size(sizes[2])], rest))
}

/// Gives out its bytes in pieces of these sizes, over and over.
pub struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: [usize; 3],
    turn: usize,
}

impl<'a> Pieces<'a> {
    pub fn new(bytes: &'a [u8], sizes: [usize; 3]) -> Self {
        Self {
            bytes,
            sizes,
            turn: 0,
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % 3];
        self.turn += 1;
        let count = size.min(buffer.len()).min(self.bytes.len());
        buffer[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}
