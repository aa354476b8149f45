//! The chunked transfer coding (RFC 9112, 7.1) as a state machine that is fed one control byte at a time; the data
//! between is counted, never touched.
#![forbid(unsafe_code)]

use std::fmt;

use crate::limits;

/// What is wrong with a body's framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingError {
    /// A chunk size that is not 1 to 16 hexadecimal digits.
    ChunkSize,
    /// A chunk-size line, or all extensions together, that are too long.
    ChunkLine,
    /// A chunk's data is not followed by CRLF, or a line of the coding does not end with CRLF.
    LineEnd,
    /// A trailer section that is too long.
    Trailer,
    /// The connection ended before the body did.
    Truncated,
}

impl fmt::Display for FramingError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::ChunkSize => "a chunk size in the body is not a hexadecimal number",
            Self::ChunkLine => "a chunk-size line in the body is too long",
            Self::LineEnd => "a chunk of the body does not end with CRLF",
            Self::Trailer => "the trailer of the body is too long",
            Self::Truncated => "the body ended before it was complete",
        })
    }
}

impl std::error::Error for FramingError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    Extension,
    SizeLineFeed,
    Data,
    DataReturn,
    DataLineFeed,
    TrailerStart,
    TrailerLine,
    TrailerLineFeed,
    EndLineFeed,
    Done,
}

/// Where we are in a chunked body.
#[derive(Clone, Debug)]
pub struct ChunkDecoder {
    state: State,
    size: u64,
    digits: usize,
    line: usize,
    extensions: usize,
    trailer: usize,
}

impl Default for ChunkDecoder {
    fn default() -> Self {
        Self {
            state: State::Size,
            size: 0,
            digits: 0,
            line: 0,
            extensions: 0,
            trailer: 0,
        }
    }
}

impl ChunkDecoder {
    /// Bytes of the current chunk that are still to come; the caller takes them and says so with [`Self::took`].
    /// 0: the next byte belongs to [`Self::step`].
    pub fn data_left(&self) -> u64 {
        if self.state == State::Data {
            self.size
        } else {
            0
        }
    }

    /// `count` bytes of data were taken, at most [`Self::data_left`].
    pub fn took(&mut self, count: u64) {
        self.size = self.size.saturating_sub(count);
        if self.size == 0 && self.state == State::Data {
            self.state = State::DataReturn;
        }
    }

    /// Whether the whole body, trailer included, has been seen.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes one byte of the coding itself.
    pub fn step(&mut self, byte: u8) -> Result<(), FramingError> {
        self.state = match self.state {
            State::Size => self.size_byte(byte)?,
            State::Extension => self.extension_byte(byte)?,
            State::SizeLineFeed => self.size_line_end(byte)?,
            State::DataReturn => expect(byte, b'\r', State::DataLineFeed)?,
            State::DataLineFeed => expect(byte, b'\n', State::Size)?,
            State::TrailerStart if byte == b'\r' => State::EndLineFeed,
            State::TrailerStart | State::TrailerLine => self.trailer_byte(byte)?,
            State::TrailerLineFeed => expect(byte, b'\n', State::TrailerStart)?,
            State::EndLineFeed => expect(byte, b'\n', State::Done)?,
            State::Data | State::Done => self.state,
        };
        Ok(())
    }

    fn size_byte(&mut self, byte: u8) -> Result<State, FramingError> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            // Sixteen digits fill 64 bits exactly.
            if self.digits == 16 {
                return Err(FramingError::ChunkSize);
            }
            self.digits += 1;
            self.size = self.size << 4 | u64::from(digit);
            return Ok(State::Size);
        }
        match byte {
            _ if self.digits == 0 => Err(FramingError::ChunkSize),
            b'\r' => Ok(State::SizeLineFeed),
            b';' | b' ' | b'\t' => Ok(State::Extension),
            _ => Err(FramingError::ChunkSize),
        }
    }

    fn extension_byte(&mut self, byte: u8) -> Result<State, FramingError> {
        match byte {
            b'\r' => return Ok(State::SizeLineFeed),
            b'\n' | 0 => return Err(FramingError::LineEnd),
            _ => {}
        }
        self.line += 1;
        self.extensions += 1;
        if self.line > limits::CHUNK_LINE_BYTES || self.extensions > limits::CHUNK_EXTENSION_BYTES {
            return Err(FramingError::ChunkLine);
        }
        Ok(State::Extension)
    }

    fn size_line_end(&mut self, byte: u8) -> Result<State, FramingError> {
        let next = if self.size == 0 {
            State::TrailerStart
        } else {
            State::Data
        };
        self.digits = 0;
        self.line = 0;
        expect(byte, b'\n', next)
    }

    fn trailer_byte(&mut self, byte: u8) -> Result<State, FramingError> {
        self.trailer += 1;
        match byte {
            _ if self.trailer > limits::TRAILER_BYTES => Err(FramingError::Trailer),
            b'\r' => Ok(State::TrailerLineFeed),
            b'\n' | 0 => Err(FramingError::LineEnd),
            _ => Ok(State::TrailerLine),
        }
    }
}

fn expect(byte: u8, expected: u8, next: State) -> Result<State, FramingError> {
    if byte == expected {
        Ok(next)
    } else {
        Err(FramingError::LineEnd)
    }
}
