//! Reads a body by its framing, and gives back what the connection delivered beyond it.
#![forbid(unsafe_code)]

use std::io::{self, Read};

use super::chunked::{ChunkDecoder, FramingError};
use super::framing::Framing;

/// Buffer for the control lines of a chunked body; data goes straight to the reader's own buffer.
const AHEAD_BYTES: usize = 4 * 1024;

/// A body being read from `R`. Framing errors are `InvalidData` with a [`FramingError`] inside.
#[derive(Debug)]
pub struct BodyReader<R> {
    source: R,
    ahead: Vec<u8>,
    position: usize,
    rest: Rest,
    read: u64,
}

#[derive(Debug)]
enum Rest {
    Length(u64),
    Chunked(ChunkDecoder),
    UntilClose,
    Done,
}

/// The error that carries `error` through `io::Error`.
fn invalid(error: FramingError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The framing error inside `error`, if it is one.
pub fn framing_error(error: &io::Error) -> Option<FramingError> {
    error.get_ref()?.downcast_ref::<FramingError>().copied()
}

impl<R: Read> BodyReader<R> {
    /// A body of `framing` that starts with `ahead`, bytes that were read together with the head, and goes on in
    /// `source`.
    pub fn new(source: R, ahead: Vec<u8>, framing: Framing) -> Self {
        let rest = match framing {
            Framing::None | Framing::Length(0) => Rest::Done,
            Framing::Length(bytes) => Rest::Length(bytes),
            Framing::Chunked => Rest::Chunked(ChunkDecoder::default()),
            Framing::UntilClose => Rest::UntilClose,
        };
        Self {
            source,
            ahead,
            position: 0,
            rest,
            read: 0,
        }
    }

    /// Whether the body was read to its end.
    pub fn is_done(&self) -> bool {
        matches!(self.rest, Rest::Done)
    }

    /// Bytes of body (without framing) read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// The source, for changing its deadlines.
    pub fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// Whether a read would bring something without touching the source. The end of a chunk that was read along with
    /// its data is nothing yet.
    pub fn has_ahead(&self) -> bool {
        let ahead = &self.ahead[self.position..];
        let Rest::Chunked(decoder) = &self.rest else {
            return !ahead.is_empty();
        };
        let mut decoder = decoder.clone();
        ahead.iter().any(|byte| {
            decoder.data_left() > 0 || decoder.step(*byte).is_err() || decoder.is_done()
        })
    }

    /// The source and the bytes that were read from it but do not belong to this body.
    pub fn into_parts(mut self) -> (R, Vec<u8>) {
        self.ahead.drain(..self.position);
        (self.source, self.ahead)
    }

    /// Reads and drops what is left, at most `limit` bytes. Whether the end was reached.
    pub fn drain(&mut self, limit: u64) -> io::Result<bool> {
        let mut scrap = [0; AHEAD_BYTES];
        let start = self.read;
        while !self.is_done() && self.read - start < limit {
            // Counted by `take`; the end shows in `is_done`.
            let _ = self.read(&mut scrap)?;
        }
        Ok(self.is_done())
    }

    /// Some of the next bytes of the connection, at most `most`, into `buffer`.
    fn take(&mut self, buffer: &mut [u8], most: u64) -> io::Result<usize> {
        let most = usize::try_from(most)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let ahead = &self.ahead[self.position..];
        let count = if ahead.is_empty() {
            self.source.read(&mut buffer[..most])?
        } else {
            let count = most.min(ahead.len());
            buffer[..count].copy_from_slice(&ahead[..count]);
            self.position += count;
            count
        };
        self.read += count as u64;
        Ok(count)
    }

    fn next_byte(&mut self) -> io::Result<u8> {
        if self.position == self.ahead.len() {
            self.ahead.resize(AHEAD_BYTES, 0);
            self.position = 0;
            let filled = self.source.read(&mut self.ahead);
            self.ahead.truncate(*filled.as_ref().unwrap_or(&0));
            filled?;
        }
        let byte = *self
            .ahead
            .get(self.position)
            .ok_or_else(|| invalid(FramingError::Truncated))?;
        self.position += 1;
        Ok(byte)
    }

    fn read_chunked(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Rest::Chunked(decoder) = &self.rest else {
                return Ok(0);
            };
            let left = decoder.data_left();
            if left > 0 {
                let count = self.take(buffer, left)?;
                if count == 0 {
                    return Err(invalid(FramingError::Truncated));
                }
                self.chunked(|decoder| {
                    decoder.took(count as u64);
                    Ok(())
                })?;
                return Ok(count);
            }
            let byte = self.next_byte()?;
            self.chunked(|decoder| decoder.step(byte))?;
        }
    }

    fn chunked(
        &mut self,
        step: impl FnOnce(&mut ChunkDecoder) -> Result<(), FramingError>,
    ) -> io::Result<()> {
        if let Rest::Chunked(decoder) = &mut self.rest {
            step(decoder).map_err(invalid)?;
            if decoder.is_done() {
                self.rest = Rest::Done;
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for BodyReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        match self.rest {
            Rest::Done => Ok(0),
            Rest::Chunked(_) => self.read_chunked(buffer),
            Rest::Length(left) => {
                let count = self.take(buffer, left)?;
                if count == 0 {
                    return Err(invalid(FramingError::Truncated));
                }
                let left = left - count as u64;
                self.rest = if left == 0 {
                    Rest::Done
                } else {
                    Rest::Length(left)
                };
                Ok(count)
            }
            Rest::UntilClose => {
                let count = self.take(buffer, u64::MAX)?;
                if count == 0 {
                    self.rest = Rest::Done;
                }
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::pieces::Pieces;
    use proptest::prelude::*;

    fn read_all(
        bytes: &[u8],
        ahead: usize,
        sizes: &[usize],
        framing: Framing,
    ) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let source = Pieces::new(&bytes[ahead..], sizes);
        let mut body = BodyReader::new(source, bytes[..ahead].to_vec(), framing);
        let mut content = Vec::new();
        body.read_to_end(&mut content)?;
        assert!(body.is_done());
        let (source, mut rest) = body.into_parts();
        rest.extend_from_slice(source.left());
        Ok((content, rest))
    }

    fn error_of(bytes: &[u8]) -> FramingError {
        framing_error(&read_all(bytes, 0, &[1], Framing::Chunked).unwrap_err()).unwrap()
    }

    #[test]
    fn chunked_bodies_end_where_they_end() {
        let bytes = b"4\r\nWiki\r\n5;a=\"b\"\r\npedia\r\n0\r\nTrailer: x\r\n\r\nGET /next";
        let (content, rest) = read_all(bytes, 0, &[3], Framing::Chunked).unwrap();
        assert_eq!(content, b"Wikipedia");
        assert_eq!(rest, b"GET /next");
    }

    #[test]
    fn bad_chunks() {
        for bytes in [
            &b"\r\n"[..],
            b"g\r\n",
            b"-1\r\n",
            b"0x4\r\n",
            b"11111111111111111\r\n",
            b"4\n",
        ] {
            assert_eq!(
                error_of(bytes),
                FramingError::ChunkSize,
                "{:?}",
                String::from_utf8_lossy(bytes)
            );
        }
        for bytes in [
            &b"1\rx"[..],
            b"1\r\nab",
            b"1\r\na\rb",
            b"1;x\ny\r\n",
            b"0\r\nA: b\n",
            b"0\r\n\rx",
        ] {
            assert_eq!(
                error_of(bytes),
                FramingError::LineEnd,
                "{:?}",
                String::from_utf8_lossy(bytes)
            );
        }
        for bytes in [&b""[..], b"4", b"4\r\nab", b"0\r\n", b"0\r\n\r"] {
            assert_eq!(
                error_of(bytes),
                FramingError::Truncated,
                "{:?}",
                String::from_utf8_lossy(bytes)
            );
        }
        let long = [&b"1;"[..], &[b'x'; limits::CHUNK_LINE_BYTES + 1], b"\r\n"].concat();
        assert_eq!(error_of(&long), FramingError::ChunkLine);
        let trailer = [&b"0\r\n"[..], &[b'x'; limits::TRAILER_BYTES + 1]].concat();
        assert_eq!(error_of(&trailer), FramingError::Trailer);
    }

    #[test]
    fn a_short_body_of_known_length_is_truncated() {
        let error = read_all(b"abc", 0, &[2], Framing::Length(4)).unwrap_err();
        assert_eq!(framing_error(&error), Some(FramingError::Truncated));
    }

    #[test]
    fn the_end_of_a_chunk_is_nothing_at_hand() {
        let ahead_after_one_read = |bytes: &[u8]| {
            let mut body = BodyReader::new(io::empty(), bytes.to_vec(), Framing::Chunked);
            assert_eq!(body.read(&mut [0; 64]).unwrap(), 2);
            body.has_ahead()
        };
        assert!(!ahead_after_one_read(b"2\r\nab\r\n"));
        assert!(!ahead_after_one_read(b"2\r\nab\r\n3\r\n"));
        assert!(ahead_after_one_read(b"2\r\nab\r\n3\r\nc"));
        assert!(ahead_after_one_read(b"2\r\nab\r\n0\r\n\r\n"));
        assert!(ahead_after_one_read(b"2\r\nab\r\nx"));
    }

    #[test]
    fn drain_stops_at_its_limit() {
        let bytes = vec![b'x'; 20_000];
        let source = Pieces::new(&bytes, &[20_000]);
        let mut body = BodyReader::new(source, Vec::new(), Framing::Length(20_000));
        assert!(!body.drain(5_000).unwrap());
        assert!(body.drain(20_000).unwrap());
    }

    use crate::limits;

    proptest! {
        #[test]
        fn any_pieces_give_the_same_body(
            content in proptest::collection::vec(any::<u8>(), 0..300),
            cuts in proptest::collection::vec(1usize..40, 1..10),
            sizes in proptest::collection::vec(1usize..50, 1..6),
            ahead in 0usize..20,
            after in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut coded = Vec::new();
            let mut left = content.as_slice();
            let mut cuts = cuts.iter().cycle();
            while !left.is_empty() {
                let (chunk, rest) = left.split_at((*cuts.next().unwrap()).min(left.len()));
                coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                coded.extend_from_slice(chunk);
                coded.extend_from_slice(b"\r\n");
                left = rest;
            }
            coded.extend_from_slice(b"0\r\n\r\n");
            coded.extend_from_slice(&after);
            let ahead = ahead.min(coded.len());
            let (read, rest) = read_all(&coded, ahead, &sizes, Framing::Chunked).unwrap();
            prop_assert_eq!(&read, &content);
            prop_assert_eq!(&rest, &after);
            let plain = [content.as_slice(), after.as_slice()].concat();
            let length = Framing::Length(content.len() as u64);
            let (read, rest) = read_all(&plain, ahead.min(content.len()), &sizes, length).unwrap();
            prop_assert_eq!(&read, &content);
            prop_assert_eq!(&rest, &after);
        }
    }
}
