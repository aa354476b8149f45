//! Takes the engine's log frames apart: a byte for the stream, three zeros, a length of four bytes (big-endian), data.
//! Docker API, "Attach to a container", stream format.
//!
//! The length is never trusted with memory: data is handed on as it comes. A character whose bytes fall into two
//! pieces is put together again, for each stream on its own, so that text stays text.
#![forbid(unsafe_code)]

use super::EngineError;

/// Where a piece came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or both when the container has a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The stream byte of the engine's own words: it could not go on reading the log (stdcopy's `Systemerr`).
const SYSTEM_ERROR: u8 = 3;
/// Bytes of those words that are kept.
const ERROR_BYTES: usize = 4096;

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
    /// The frame is the engine's own error, of which this much came.
    error: Option<Vec<u8>>,
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
            error: None,
        }
    }

    /// Takes `bytes` as they came and hands on their data, never cutting a character in two. The first error of `take`
    /// ends it, and so do a frame that is none and the engine's own error.
    pub fn feed<E: From<EngineError>>(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(Stream, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            if self.raw {
                return self.hand_on(bytes, &mut take);
            }
            if self.left == 0 {
                bytes = self.fill_header(bytes)?;
                self.end_error()?;
                continue;
            }
            let count = bytes
                .len()
                .min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let (data, rest) = bytes.split_at(count);
            self.left -= u32::try_from(count).unwrap_or(self.left);
            bytes = rest;
            match &mut self.error {
                Some(words) => {
                    let room = ERROR_BYTES - words.len();
                    words.extend_from_slice(&data[..room.min(data.len())]);
                    self.end_error()?;
                }
                None => self.hand_on(data, &mut take)?,
            }
        }
        Ok(())
    }

    /// Hands on what is left of characters that were never completed. An end inside a frame is an error: there was more.
    pub fn finish<E: From<EngineError>>(
        &mut self,
        mut take: impl FnMut(Stream, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let partial = std::mem::take(&mut self.partial[stream as usize]);
            if partial.filled > 0 {
                take(stream, &partial.bytes[..partial.filled])?;
            }
        }
        if self.left > 0 || self.header_filled > 0 {
            return Err(nonsense("it ends inside a frame").into());
        }
        Ok(())
    }

    fn fill_header<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], EngineError> {
        let count = bytes.len().min(8 - self.header_filled);
        self.header[self.header_filled..self.header_filled + count]
            .copy_from_slice(&bytes[..count]);
        self.header_filled += count;
        if self.header_filled == 8 {
            let [kind, padding @ .., a, b, c, d] = self.header;
            if kind > SYSTEM_ERROR || padding != [0; 3] {
                return Err(nonsense("it has a frame that is none"));
            }
            self.header_filled = 0;
            self.left = u32::from_be_bytes([a, b, c, d]);
            self.error = (kind == SYSTEM_ERROR).then(Vec::new);
            // 0 is stdin, which moby's own reader takes for output.
            self.stream = if kind < 2 {
                Stream::Stdout
            } else {
                Stream::Stderr
            };
        }
        Ok(&bytes[count..])
    }

    /// The engine's error, when all of it is there.
    fn end_error(&mut self) -> Result<(), EngineError> {
        match self.error.take_if(|_| self.left == 0) {
            Some(words) => Err(EngineError::InStream {
                message: String::from_utf8_lossy(&words).trim().to_owned(),
                code: None,
            }),
            None => Ok(()),
        }
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

fn nonsense(problem: &str) -> EngineError {
    EngineError::Nonsense {
        call: "the output of a container".to_owned(),
        problem: problem.to_owned(),
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
            Ok::<_, EngineError>(())
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
                Ok::<_, EngineError>(())
            })
            .unwrap();
        assert_eq!(seen, 3);
        let end = demultiplexer.finish(|_, _| Ok::<_, EngineError>(()));
        assert!(
            matches!(end, Err(EngineError::Nonsense { .. })),
            "the rest is missing"
        );
    }

    fn failure(bytes: &[u8]) -> EngineError {
        let mut demultiplexer = Demultiplexer::new(false);
        let nothing = |_, _: &[u8]| Ok::<_, EngineError>(());
        let fed: Result<(), _> = bytes
            .chunks(3)
            .try_for_each(|piece| demultiplexer.feed(piece, nothing));
        fed.and_then(|()| demultiplexer.finish(nothing))
            .unwrap_err()
    }

    #[test]
    fn what_is_no_frame_is_not_taken_for_output() {
        for bad in [
            &b"\x04\0\0\0\0\0\0\x01x"[..],
            b"\x01\0\x01\0\0\0\0\x01x",
            b"plain text",
            b"\x01\0\0",
        ] {
            assert!(
                matches!(failure(bad), EngineError::Nonsense { .. }),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn the_engines_own_error_is_an_error() {
        let long = vec![b'x'; 2 * ERROR_BYTES];
        for words in [&b"Error grabbing logs: gone\n"[..], b"", &long] {
            let bytes = [frame(1, b"fine\n"), frame(3, words)].concat();
            let EngineError::InStream { message, .. } = failure(&bytes) else {
                panic!("not told");
            };
            let kept = &words[..words.len().min(ERROR_BYTES)];
            assert_eq!(message.as_bytes(), kept.trim_ascii());
        }
    }

    #[test]
    fn what_is_no_text_comes_through_whole() {
        let mut demultiplexer = Demultiplexer::new(true);
        let mut seen = Vec::new();
        for byte in [0xff, 0xe2, b'a', 0xf0, 0x9f, 0x80] {
            demultiplexer
                .feed(&[byte], |_, data| {
                    seen.extend_from_slice(data);
                    Ok::<_, EngineError>(())
                })
                .unwrap();
        }
        demultiplexer
            .finish(|_, data| {
                seen.extend_from_slice(data);
                Ok::<_, EngineError>(())
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
