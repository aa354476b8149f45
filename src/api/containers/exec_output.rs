//! What an exec printed, as much as is kept: the first half and the last half of [`limits::EXEC_OUTPUT_BYTES`]. Every
//! piece counts with a few bytes of its own, so that a command which prints single bytes to both streams in turn takes
//! no more memory than any other.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::engine::Stream;
use crate::limits;

/// What a piece costs besides its bytes.
const PIECE_COST: usize = size_of::<Piece>();
const HALF: usize = limits::EXEC_OUTPUT_BYTES / 2;

#[derive(Debug)]
struct Piece {
    stream: Stream,
    bytes: Vec<u8>,
}

impl Piece {
    fn cost(&self) -> usize {
        self.bytes.len() + PIECE_COST
    }
}

/// Output that is kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    head: VecDeque<Piece>,
    head_cost: usize,
    tail: VecDeque<Piece>,
    tail_cost: usize,
    left_out: u64,
}

impl Kept {
    /// Takes a piece.
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let room = HALF.saturating_sub(self.head_cost + PIECE_COST);
        let (first, rest) = bytes.split_at(if self.tail.is_empty() {
            room.min(bytes.len())
        } else {
            0
        });
        if !first.is_empty() {
            self.head_cost += append(&mut self.head, stream, first);
        }
        if !rest.is_empty() {
            self.tail_cost += append(&mut self.tail, stream, rest);
            self.trim();
        }
    }

    fn trim(&mut self) {
        while self.tail_cost > HALF {
            let Some(oldest) = self.tail.front_mut() else {
                return;
            };
            let excess = self.tail_cost - HALF;
            if excess >= oldest.bytes.len() {
                self.left_out += oldest.bytes.len() as u64;
                self.tail_cost -= oldest.cost();
                self.tail.pop_front();
            } else {
                oldest.bytes.drain(..excess);
                self.left_out += excess as u64;
                self.tail_cost -= excess;
            }
        }
    }

    /// Whether something was left out.
    pub(super) fn is_truncated(&self) -> bool {
        self.left_out > 0
    }

    /// The text of one stream, or of both in the order it came.
    pub(super) fn text(&self, stream: Option<Stream>) -> String {
        let wanted = |piece: &&Piece| stream.is_none_or(|stream| piece.stream == stream);
        let mut bytes: Vec<u8> = Vec::new();
        self.head
            .iter()
            .filter(wanted)
            .for_each(|piece| bytes.extend_from_slice(&piece.bytes));
        if self.is_truncated() {
            bytes.extend_from_slice(format!("\n… {} bytes left out …\n", self.left_out).as_bytes());
        }
        self.tail
            .iter()
            .filter(wanted)
            .for_each(|piece| bytes.extend_from_slice(&piece.bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Appends to the last piece when it is of the same stream, otherwise as a new one; what it costs. Pieces have a
/// bounded size, so that dropping the oldest bytes stays cheap.
fn append(pieces: &mut VecDeque<Piece>, stream: Stream, bytes: &[u8]) -> usize {
    match pieces.back_mut() {
        Some(piece)
            if piece.stream == stream && piece.bytes.len() < limits::STREAM_BUFFER_BYTES =>
        {
            piece.bytes.extend_from_slice(bytes);
            bytes.len()
        }
        _ => {
            let piece = Piece {
                stream,
                bytes: bytes.to_vec(),
            };
            let cost = piece.cost();
            pieces.push_back(piece);
            cost
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stream::{Stderr, Stdout};

    #[test]
    fn short_output_is_whole_and_in_order() {
        let mut kept = Kept::default();
        kept.take(Stdout, b"a\n");
        kept.take(Stderr, b"b\n");
        kept.take(Stdout, b"c\n");
        assert_eq!(kept.text(None), "a\nb\nc\n");
        assert_eq!(
            (kept.text(Some(Stdout)), kept.text(Some(Stderr))),
            ("a\nc\n".into(), "b\n".into())
        );
        assert!(!kept.is_truncated());
    }

    #[test]
    fn long_output_keeps_head_and_tail() {
        let mut kept = Kept::default();
        kept.take(Stdout, b"first line\n");
        for _ in 0..100 {
            kept.take(Stdout, &vec![b'x'; 50_000]);
        }
        kept.take(Stdout, b"last line\n");
        let text = kept.text(None);
        assert!(kept.is_truncated());
        assert!(
            text.starts_with("first line\n")
                && text.ends_with("last line\n")
                && text.contains("bytes left out")
        );
        assert!(text.len() <= limits::EXEC_OUTPUT_BYTES + 100);
    }

    #[test]
    fn single_bytes_in_turn_take_no_more_memory() {
        let mut kept = Kept::default();
        for index in 0..400_000 {
            kept.take(if index % 2 == 0 { Stdout } else { Stderr }, b"x");
        }
        let pieces = kept.head.len() + kept.tail.len();
        assert!(
            pieces * PIECE_COST <= limits::EXEC_OUTPUT_BYTES,
            "{pieces} pieces"
        );
    }
}
