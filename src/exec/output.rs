//! What a program printed, as much as is kept of it.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::fmt;

use crate::limits;

const HALF: usize = limits::PROGRAM_OUTPUT_BYTES / 2;

/// Where a program printed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What is kept of both streams.
#[derive(Debug, Default)]
pub struct Output {
    /// Standard output.
    pub stdout: Kept,
    /// Standard error.
    pub stderr: Kept,
}

impl Output {
    /// Takes what was printed, from a program or from whoever speaks for one.
    pub fn take(&mut self, stream: Stream, bytes: &[u8]) {
        match stream {
            Stream::Stdout => self.stdout.take(bytes),
            Stream::Stderr => self.stderr.take(bytes),
        }
    }
}

/// The first and the last half of [`limits::PROGRAM_OUTPUT_BYTES`] of one stream.
#[derive(Default)]
pub struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Kept {
    fn take(&mut self, bytes: &[u8]) {
        let room = (HALF - self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        let newest = &rest[rest.len().saturating_sub(HALF)..];
        let excess = (self.tail.len() + newest.len()).saturating_sub(HALF);
        self.tail.drain(..excess);
        self.tail.extend(newest);
        self.left_out += (rest.len() - newest.len() + excess) as u64;
    }

    /// Bytes between head and tail that are not kept.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All of it; `None` when something was left out.
    pub fn whole(mut self) -> Option<Vec<u8>> {
        if self.left_out > 0 {
            return None;
        }
        self.head.extend(self.tail);
        Some(self.head)
    }

    /// As text, with a line that says how much was left out.
    pub fn text(&self) -> String {
        let mut bytes = self.head.clone();
        if self.left_out > 0 {
            bytes.extend_from_slice(format!("\n… {} bytes left out …\n", self.left_out).as_bytes());
        }
        bytes.extend(&self.tail);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a program printed may be a secret.
        let kept = self.head.len() + self.tail.len();
        write!(out, "Kept({kept} bytes, {} left out)", self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_both_ends_of_any_pieces(sizes in prop::collection::vec(0..50_000_usize, 0..8)) {
            let mut kept = Kept::default();
            let mut all = Vec::new();
            for (index, size) in sizes.into_iter().enumerate() {
                let piece: Vec<u8> = (0..=250).cycle().skip(index * 7).take(size).collect();
                kept.take(&piece);
                all.extend(piece);
            }
            let left_out = all.len().saturating_sub(2 * HALF);
            prop_assert_eq!(kept.left_out(), left_out as u64);
            prop_assert_eq!(&kept.head, &all[..HALF.min(all.len())]);
            prop_assert_eq!(kept.tail.make_contiguous(), &all[kept.head.len() + left_out..]);
            prop_assert_eq!(kept.whole(), (left_out == 0).then_some(all));
        }
    }
}
