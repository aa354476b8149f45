//! Base64 decoded as it arrives, in constant memory. Uses the base64 crate's reader.
//!
//! `base64` and Python's `encodebytes` break lines; the crate takes none, so a filter drops them first.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, Read};

use base64::DecodeError;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::read::DecoderReader;

/// With `=` at the end or without: JavaScript's and Go's encoders have both.
static ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes that the base64 text in `reader` stands for. Pass `&mut reader` to have it back afterwards. The crate
/// reads a kilobyte at a time, so `reader` should have a buffer of its own; what comes out is as large as it is read.
pub fn decoded(reader: impl Read) -> impl Read {
    Filling {
        source: DecoderReader::new(WithoutBlanks(reader), &ENGINE),
        failure: None,
    }
}

/// What is wrong with a base64 text. Positions are characters from its start, line ends and blanks not counted. Never
/// says what stands there: it may be part of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base64Error {
    /// A character that is none of the 64.
    Character {
        /// Where.
        at: usize,
    },
    /// One character is left over: something was cut off.
    Truncated,
    /// Padding where none can be, or too little of it.
    Padding,
}

/// The base64 error inside `error`, if it is one. Anything else is the source's own.
pub fn base64_error(error: &io::Error) -> Option<Base64Error> {
    let error = error.get_ref()?.downcast_ref::<DecodeError>()?;
    Some(match *error {
        DecodeError::InvalidByte(_, b'=') | DecodeError::InvalidPadding => Base64Error::Padding,
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol { offset: at, .. } => {
            Base64Error::Character { at }
        }
        DecodeError::InvalidLength(_) => Base64Error::Truncated,
    })
}

impl fmt::Display for Base64Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { at } => {
                write!(out, "the base64 text is invalid at its character {at}")
            }
            Self::Truncated => out.write_str("the base64 text was cut off"),
            Self::Padding => out.write_str("the base64 text is padded where it should not be"),
        }
    }
}

impl std::error::Error for Base64Error {}

/// A source without its CR, LF, spaces and tabs.
struct WithoutBlanks<R>(R);

fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | b' ' | b'\t')
}

/// Moves the bytes that are not blank to the front. How many there are.
fn squeeze(bytes: &mut [u8]) -> usize {
    // No base64 character is below the space, and all blanks are at most that.
    if bytes.iter().fold(u8::MAX, |least, byte| least.min(*byte)) > b' ' {
        return bytes.len();
    }
    let mut kept = 0;
    for position in 0..bytes.len() {
        let byte = bytes[position];
        bytes[kept] = byte;
        kept += usize::from(!is_blank(byte));
    }
    kept
}

impl<R: Read> Read for WithoutBlanks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.0.read(buffer)?;
            let kept = squeeze(&mut buffer[..count]);
            // Nothing but blanks is not the end.
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

/// Fills the reader's buffer: the crate gives 768 bytes at a time, and each would be a system call of the copy to disk.
struct Filling<R> {
    source: R,
    /// Came when the buffer was partly filled already.
    failure: Option<io::Error>,
}

impl<R: Read> Read for Filling<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let mut filled = 0;
        while filled < buffer.len() {
            match self.source.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::pieces::Pieces;
    use base64::Engine as _;
    use proptest::prelude::*;

    fn decode(text: &[u8], sizes: &[usize]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        decoded(Pieces::new(text, sizes)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn error_of(text: &str) -> Base64Error {
        base64_error(&decode(text.as_bytes(), &[3]).unwrap_err()).unwrap()
    }

    #[test]
    fn line_ends_blanks_and_padding_do_not_matter() {
        for text in [
            "aGVsbG8h",
            "aGVs\r\nbG8h\n",
            " aG Vs\tbG8h ",
            "aGVsbG8h\n\n\n\n",
        ] {
            assert_eq!(decode(text.as_bytes(), &[2]).unwrap(), b"hello!");
        }
        for text in ["aGk=", "aGk", "aG\nk=\n", "aGk\n="] {
            assert_eq!(decode(text.as_bytes(), &[2]).unwrap(), b"hi");
        }
        assert_eq!(decode(b" \n", &[1]).unwrap(), b"");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_text() {
        assert_eq!(error_of("aGV!bG8h"), Base64Error::Character { at: 3 });
        assert_eq!(error_of("aGV\nsbG8-"), Base64Error::Character { at: 7 });
        assert_eq!(error_of("aGVsb"), Base64Error::Truncated);
        assert_eq!(error_of("aGl="), Base64Error::Character { at: 2 });
        for text in ["aGk=aGk=", "a===", "===="] {
            assert_eq!(error_of(text), Base64Error::Padding, "{text}");
        }
        let far = ["aGVs".repeat(50_000).as_str(), "?GVs"].concat();
        assert_eq!(error_of(&far), Base64Error::Character { at: 200_000 });
    }

    #[test]
    fn the_sources_error_comes_as_it_is_after_what_came_before() {
        let timeout = io::Error::from(io::ErrorKind::TimedOut);
        let source = b"aGVsbG8h".chain(crate::wire::pieces::Failing(Some(timeout)));
        let mut reader = decoded(source);
        let mut buffer = [0; 64];
        assert_eq!(reader.read(&mut buffer).unwrap(), 6);
        let error = reader.read(&mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(base64_error(&error), None);
    }

    proptest! {
        #[test]
        fn as_when_it_is_decoded_at_once(
            text in "[AQgw/+aGk9]{0,40}[=]{0,2}[ \t\r\nA=-]{0,3}",
            blanks in proptest::collection::vec(0usize..50, 0..10),
            sizes in proptest::collection::vec(1usize..50, 1..6),
        ) {
            let mut text = text.into_bytes();
            for place in blanks {
                text.insert(place.min(text.len()), b'\n');
            }
            let plain: Vec<u8> = text.iter().copied().filter(|byte| !is_blank(*byte)).collect();
            let expected = ENGINE.decode(&plain).ok();
            prop_assert_eq!(decode(&text, &sizes).ok(), expected);
        }

        #[test]
        fn whatever_was_encoded_comes_back(
            bytes in proptest::collection::vec(any::<u8>(), 0..5000),
            width in 1usize..100,
            sizes in proptest::collection::vec(1usize..3000, 1..6),
        ) {
            let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
            let lines: Vec<&[u8]> = text.as_bytes().chunks(width).collect();
            prop_assert_eq!(decode(&lines.join(&b"\r\n"[..]), &sizes).unwrap(), bytes);
        }
    }
}
