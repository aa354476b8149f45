//! The bytes of an upload: hashed as they come, then gunzipped if they are gzip, in one buffer before and one behind.
//! The source's own errors are kept apart from those of the decompression, so that they come back untouched.
#![forbid(unsafe_code)]

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::UnpackError;
use super::error::Damage;
use super::pieces::Pieces;
use crate::limits;

/// What gzip begins with. RFC 1952, 2.3.1
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The upload as it comes.
struct Body<'a> {
    source: &'a mut dyn Read,
    buffer: Box<[u8]>,
    position: usize,
    filled: usize,
    hash: Sha256,
    failure: Option<io::Error>,
}

impl<'a> Body<'a> {
    fn new(source: &'a mut dyn Read) -> Self {
        Self {
            source,
            buffer: vec![0; limits::STREAM_BUFFER_BYTES].into_boxed_slice(),
            position: 0,
            filled: 0,
            hash: Sha256::new(),
            failure: None,
        }
    }

    /// Reads behind what is there already. How many bytes.
    fn read_more(&mut self) -> io::Result<usize> {
        loop {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(count) => {
                    let end = self.filled + count;
                    self.hash.update(&self.buffer[self.filled..end]);
                    self.filled = end;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    return Err(io::ErrorKind::Other.into());
                }
            }
        }
    }

    /// Whether it begins as gzip does.
    fn is_gzip(&mut self) -> io::Result<bool> {
        while self.filled < GZIP_MAGIC.len() && self.read_more()? > 0 {}
        Ok(self.buffer[..self.filled].starts_with(&GZIP_MAGIC))
    }
}

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Body<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.filled {
            (self.position, self.filled) = (0, 0);
            self.read_more()?;
        }
        Ok(&self.buffer[self.position..self.filled])
    }

    fn consume(&mut self, count: usize) {
        self.position += count;
    }
}

enum Input<'a> {
    Plain(Body<'a>),
    Gzip(Box<MultiGzDecoder<Body<'a>>>),
}

impl<'a> Input<'a> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, UnpackError> {
        let read = match self {
            Self::Plain(body) => body.read(out),
            Self::Gzip(decoder) => decoder.read(out),
        };
        read.map_err(|error| match self.body().failure.take() {
            Some(failure) => UnpackError::Source(failure),
            None => UnpackError::Compression(error),
        })
    }

    fn body(&mut self) -> &mut Body<'a> {
        match self {
            Self::Plain(body) => body,
            Self::Gzip(decoder) => decoder.get_mut(),
        }
    }
}

/// An upload, of which it is known whether it is gzip.
pub(super) struct Upload<'a>(Input<'a>);

impl<'a> Upload<'a> {
    /// Reads the first bytes of `source`.
    pub(super) fn open(source: &'a mut dyn Read) -> Result<Self, UnpackError> {
        let mut body = Body::new(source);
        match body.is_gzip() {
            Ok(true) => Ok(Self(Input::Gzip(Box::new(MultiGzDecoder::new(body))))),
            Ok(false) => Ok(Self(Input::Plain(body))),
            Err(error) => Err(UnpackError::Source(body.failure.take().unwrap_or(error))),
        }
    }

    /// Some of the archive's bytes; 0 at the end of the upload.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, UnpackError> {
        self.0.read(out)
    }

    /// The SHA-256 of the upload. Only at its end is it that of all of it.
    pub(super) fn sha256(&mut self) -> [u8; 32] {
        self.0.body().hash.clone().finalize().into()
    }
}

/// The archive's bytes.
pub(super) struct Source {
    pieces: Pieces,
    buffer: Option<Box<[u8]>>,
    position: usize,
    filled: usize,
    /// Bytes given out.
    offset: u64,
    is_over: bool,
}

impl Source {
    pub(super) fn new(pieces: Pieces) -> Self {
        Self {
            pieces,
            buffer: None,
            position: 0,
            filled: 0,
            offset: 0,
            is_over: false,
        }
    }

    /// Where the next byte is in the archive, gunzipped.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next bytes, at most `most` and at least one; none at the end.
    pub(super) fn piece(&mut self, most: u64) -> Result<&[u8], UnpackError> {
        if self.position == self.filled && !self.is_over {
            self.position = 0;
            let next = self.pieces.exchange(self.buffer.take());
            let (buffer, filled) = next.ok_or_else(broken_off)?;
            self.filled = filled;
            self.is_over = filled == 0;
            self.buffer = Some(buffer);
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let start = self.position;
        let count = most.min(self.filled - start);
        self.position += count;
        self.offset += count as u64;
        let buffer = self.buffer.as_deref().unwrap_or_default();
        Ok(&buffer[start..start + count])
    }

    /// Fills `out`. Whether the end came instead, before the first byte.
    pub(super) fn fill(&mut self, out: &mut [u8]) -> Result<bool, UnpackError> {
        let mut filled = 0;
        while filled < out.len() {
            let piece = self.piece((out.len() - filled) as u64)?;
            if piece.is_empty() && filled > 0 {
                return Err(self.damage(Damage::Truncated));
            }
            if piece.is_empty() {
                return Ok(true);
            }
            out[filled..filled + piece.len()].copy_from_slice(piece);
            filled += piece.len();
        }
        Ok(false)
    }

    /// `damage` at the place that was reached.
    pub(super) fn damage(&self, damage: Damage) -> UnpackError {
        UnpackError::Damaged {
            at: self.offset,
            damage,
        }
    }
}

/// What the side that unpacks sees when the other one has failed, which tells why itself.
fn broken_off() -> UnpackError {
    UnpackError::Source(io::ErrorKind::BrokenPipe.into())
}
