//! Short sums of chunks, to tell one that is sent once more after the upload was finished from one of another upload
//! that took the same name: without them the second one would be told that it was extracted.
//!
//! Not cryptographic: whoever sends chunks may drop the upload as well. SHA-256 would cost more than everything else
//! that is done with a chunk on a CPU without instructions for it.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;

use super::folder::{FINGERPRINTS, Folder};
use super::temporary::Temporary;

/// Odd, and with as many ones as zeros: 2⁶⁴ by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
/// Bytes of one in the file.
const BYTES: usize = 8;
/// Bytes that are written to the file at once.
const GATHERED: usize = 4096;

/// The sum of the bytes of one chunk, eight at a time.
#[derive(Debug, Default)]
pub(super) struct Fingerprint {
    state: u64,
    rest: [u8; BYTES],
    filled: usize,
    length: u64,
}

impl Fingerprint {
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if self.filled > 0 {
            let count = bytes.len().min(BYTES - self.filled);
            self.rest[self.filled..self.filled + count].copy_from_slice(&bytes[..count]);
            self.filled += count;
            bytes = &bytes[count..];
            if self.filled < BYTES {
                return;
            }
            self.mix(u64::from_le_bytes(self.rest));
        }
        let (words, rest) = bytes.as_chunks::<BYTES>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        self.rest[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
    }

    pub(super) fn finish(mut self) -> u64 {
        self.rest[self.filled..].fill(0);
        self.mix(u64::from_le_bytes(self.rest));
        self.mix(self.length);
        self.state ^ self.state >> 32
    }

    fn mix(&mut self, word: u64) {
        self.state = (self.state.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }
}

/// The sums of all chunks in their order, on their way into a file. It is a help: when it cannot be written, chunks that
/// are sent again are believed to be the same.
#[derive(Debug, Default)]
pub(super) struct Fingerprints<'u> {
    file: Option<Temporary<'u>>,
    gathered: Vec<u8>,
}

impl<'u> Fingerprints<'u> {
    pub(super) fn create(uploads: BorrowedFd<'u>) -> Self {
        Self {
            file: Temporary::create(uploads).ok(),
            gathered: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, fingerprint: u64) {
        self.gathered.extend(fingerprint.to_le_bytes());
        if self.gathered.len() >= GATHERED {
            self.write_out();
        }
    }

    /// Puts the file where [`recorded`] looks for it.
    pub(super) fn keep(&mut self, folder: &Folder) -> io::Result<()> {
        self.write_out();
        match self.file.take() {
            Some(file) => file.keep(folder.as_fd(), OsStr::new(FINGERPRINTS)),
            None => Ok(()),
        }
    }

    fn write_out(&mut self) {
        if let Some(temporary) = &mut self.file
            && temporary.file.write_all(&self.gathered).is_err()
        {
            self.file = None;
        }
        self.gathered.clear();
    }
}

/// The sum that chunk `index` of a finished upload had, if it is known.
pub(super) fn recorded(folder: &Folder, index: u32) -> Option<u64> {
    let file = folder.file(OsStr::new(FINGERPRINTS)).ok()??;
    let mut bytes = [0; BYTES];
    file.read_exact_at(&mut bytes, u64::from(index) * BYTES as u64)
        .ok()?;
    Some(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(pieces: &[&[u8]]) -> u64 {
        let mut fingerprint = Fingerprint::default();
        for piece in pieces {
            fingerprint.update(piece);
        }
        fingerprint.finish()
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference_and_a_byte_does(
            bytes in proptest::collection::vec(any::<u8>(), 1..200),
            first in any::<proptest::sample::Index>(),
            second in any::<proptest::sample::Index>(),
            bit in 0u32..8,
        ) {
            let whole = of(&[&bytes]);
            let (head, tail) = bytes.split_at(first.index(bytes.len()));
            let (middle, end) = tail.split_at(second.index(tail.len()));
            prop_assert_eq!(of(&[head, middle, end]), whole);
            let mut other = bytes.clone();
            other[first.index(bytes.len())] ^= 1 << bit;
            prop_assert_ne!(of(&[&other]), whole);
            prop_assert_ne!(of(&[&bytes, &[0]]), whole);
        }
    }
}
