//! Takes the engine's log frames apart: a byte for the stream, three zeros, a length of four bytes (big-endian), data.
//! Docker API, "Attach to a container", stream format.
//!
//! The length is never trusted with memory: data is handed on as it comes. A character whose bytes fall into two
//! pieces is put together again, for each stream on its own, so that text stays text.
#![forbid(unsafe_code)]

/// Where a piece came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or both when the container has a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Where we are in the stream.
#[derive(Debug)]
pub struct Demultiplexer {
    /// With a terminal there are no frames.
    raw: bool,
    header: [u8; 8],
    header_filled: usize,
    left: u32,
    stream: Stream,
    partial: [Partial; 2],
}

/// The first bytes of a character whose rest is still to come.
#[derive(Clone, Copy, Debug, Default)]
struct Partial {
    bytes: [u8; 4],
    filled: usize,
}

impl Demultiplexer {
    /// For a container with a terminal (`raw`) or without.
    pub fn new(raw: bool) -> Self {
        let partial = [Partial::default(); 2];
        Self {
            raw,
            header: [0; 8],
            header_filled: 0,
            left: 0,
            stream: Stream::Stdout,
            partial,
        }
    }

    /// Takes `bytes` as they came and hands on their data, never cutting a character in two. The first error of `take`
    /// ends it.
    pub fn feed<E>(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(Stream, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            if self.raw {
                return self.hand_on(bytes, &mut take);
            }
            if self.left == 0 {
                bytes = self.fill_header(bytes);
                continue;
            }
            let count = bytes
                .len()
                .min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let (data, rest) = bytes.split_at(count);
            self.left -= u32::try_from(count).unwrap_or(self.left);
            bytes = rest;
            self.hand_on(data, &mut take)?;
        }
        Ok(())
    }

    /// Hands on what is left of characters that were never completed.
    pub fn finish<E>(
        &mut self,
        mut take: impl FnMut(Stream, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let partial = std::mem::take(&mut self.partial[stream as usize]);
            if partial.filled > 0 {
                take(stream, &partial.bytes[..partial.filled])?;
            }
        }
        Ok(())
    }

    fn fill_header<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let count = bytes.len().min(8 - self.header_filled);
        self.header[self.header_filled..self.header_filled + count]
            .copy_from_slice(&bytes[..count]);
        self.header_filled += count;
        if self.header_filled == 8 {
            let [kind, _, _, _, length @ ..] = self.header;
            self.header_filled = 0;
            self.left = u32::from_be_bytes(length);
            // 0 is stdin, 1 stdout, 2 stderr; 3 (the daemon's own errors) belongs to the latter.
            self.stream = if kind < 2 {
                Stream::Stdout
            } else {
                Stream::Stderr
            };
        }
        &bytes[count..]
    }

    fn hand_on<E>(
        &mut self,
        mut data: &[u8],
        take: &mut impl FnMut(Stream, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let stream = self.stream;
        let partial = &mut self.partial[stream as usize];
        while partial.filled > 0 && !data.is_empty() {
            let is_continuation = data[0] & 0xc0 == 0x80;
            if is_continuation {
                partial.bytes[partial.filled] = data[0];
                partial.filled += 1;
                data = &data[1..];
            }
            if !is_continuation || partial.filled >= width(partial.bytes[0]) {
                let whole = std::mem::take(partial);
                take(stream, &whole.bytes[..whole.filled])?;
            }
        }
        let cut = data.len() - unfinished(data);
        let (whole, rest) = data.split_at(cut);
        if !rest.is_empty() {
            partial.bytes[..rest.len()].copy_from_slice(rest);
            partial.filled = rest.len();
        }
        if whole.is_empty() {
            Ok(())
        } else {
            take(stream, whole)
        }
    }
}

/// How many bytes a character that starts with `first` has (RFC 3629); 1 for what starts none.
fn width(first: u8) -> usize {
    match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

/// How many bytes at the end of `data` are the beginning of a character whose rest is missing: 0 to 3.
fn unfinished(data: &[u8]) -> usize {
    for back in 1..=data.len().min(3) {
        let byte = data[data.len() - back];
        if byte & 0xc0 != 0x80 {
            return if width(byte) > back { back } else { 0 };
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&[kind, 0, 0, 0][..], &length, data].concat()
    }

    /// All that comes out, by stream; every piece of valid input must be valid text.
    fn run(raw: bool, pieces: &[&[u8]]) -> (String, String) {
        let mut demultiplexer = Demultiplexer::new(raw);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut take = |stream, data: &[u8]| {
            assert!(std::str::from_utf8(data).is_ok(), "{data:?} is cut");
            if stream == Stream::Stdout {
                &mut out
            } else {
                &mut err
            }
            .extend_from_slice(data);
            Ok::<_, std::convert::Infallible>(())
        };
        for piece in pieces {
            demultiplexer.feed(piece, &mut take).unwrap();
        }
        demultiplexer.finish(&mut take).unwrap();
        (
            String::from_utf8(out).unwrap(),
            String::from_utf8(err).unwrap(),
        )
    }

    #[test]
    fn characters_split_over_frames_of_both_streams() {
        let bytes = [
            frame(1, &[0xe2, 0x82]),
            frame(2, &[0xc3]),
            frame(1, &[0xac, b'\n']),
            frame(2, &[0xa9]),
        ]
        .concat();
        assert_eq!(run(false, &[&bytes]), ("€\n".to_owned(), "é".to_owned()));
    }

    #[test]
    fn a_lying_length_takes_no_memory() {
        let mut demultiplexer = Demultiplexer::new(false);
        let mut seen = 0;
        let lie = [&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff][..], b"abc"].concat();
        demultiplexer
            .feed(&lie, |_, data| {
                seen += data.len();
                Ok::<_, ()>(())
            })
            .unwrap();
        assert_eq!(seen, 3);
    }

    #[test]
    fn what_is_no_text_comes_through_whole() {
        let mut demultiplexer = Demultiplexer::new(true);
        let mut seen = Vec::new();
        for byte in [0xff, 0xe2, b'a', 0xf0, 0x9f, 0x80] {
            demultiplexer
                .feed(&[byte], |_, data| {
                    seen.extend_from_slice(data);
                    Ok::<_, ()>(())
                })
                .unwrap();
        }
        demultiplexer
            .finish(|_, data| {
                seen.extend_from_slice(data);
                Ok::<_, ()>(())
            })
            .unwrap();
        assert_eq!(seen, [0xff, 0xe2, b'a', 0xf0, 0x9f, 0x80]);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_text(
            texts in proptest::collection::vec((any::<bool>(), "[aé€😀\n]{0,20}"), 0..8),
            cuts in proptest::collection::vec(1usize..7, 1..20),
        ) {
            let mut bytes = Vec::new();
            let (mut out, mut err) = (String::new(), String::new());
            for (is_out, text) in &texts {
                if *is_out { &mut out } else { &mut err }.push_str(text);
                // Frames cut characters too.
                for piece in text.as_bytes().chunks(3) {
                    bytes.extend(frame(if *is_out { 1 } else { 2 }, piece));
                }
            }
            let mut pieces = Vec::new();
            let mut left = bytes.as_slice();
            let mut cuts = cuts.iter().cycle();
            while !left.is_empty() {
                let (piece, rest) = left.split_at((*cuts.next().unwrap()).min(left.len()));
                pieces.push(piece);
                left = rest;
            }
            prop_assert_eq!(run(false, &pieces), (out, err));
        }
    }
}
