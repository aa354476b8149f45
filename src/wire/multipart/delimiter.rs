//! What the bytes at hand are: content, a delimiter, or too few to say. Pure.
#![forbid(unsafe_code)]

use memchr::memmem::Finder;

use super::error::MultipartError;
use crate::limits;

/// CRLF, `--` and the boundary, prepared for searching.
#[derive(Debug)]
pub(super) struct Delimiter(Finder<'static>);

/// What stands at the front of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// So many bytes of content, at least one.
    Content(usize),
    /// The delimiter before another part, so many bytes without the CRLF of its line.
    Next(usize),
    /// The closing delimiter, so many bytes.
    Last(usize),
    /// Perhaps a delimiter: more bytes will tell.
    Unclear,
}

impl Delimiter {
    /// For this boundary.
    pub(super) fn new(boundary: &[u8]) -> Self {
        let text = [b"\r\n--", boundary].concat();
        Self(Finder::new(&text).into_owned())
    }

    /// Looks at the bytes that come next. The answer never depends on how many of them are there yet.
    pub(super) fn look(&self, bytes: &[u8]) -> Result<Found, MultipartError> {
        let length = self.0.needle().len();
        match self.0.find(bytes) {
            Some(0) => after(&bytes[length..], length),
            Some(content) => Ok(Found::Content(content)),
            None => match bytes.len() - self.begun(bytes) {
                0 => Ok(Found::Unclear),
                content => Ok(Found::Content(content)),
            },
        }
    }

    /// How many bytes at the end may be the start of a delimiter. It has one CR, so only the last one can be that.
    fn begun(&self, bytes: &[u8]) -> usize {
        let needle = self.0.needle();
        let tail = &bytes[bytes.len().saturating_sub(needle.len() - 1)..];
        memchr::memrchr(b'\r', tail)
            .map(|start| &tail[start..])
            .filter(|begun| needle.starts_with(begun))
            .map_or(0, <[u8]>::len)
    }
}

/// `rest` stands behind `length` bytes that are CRLF, `--` and the boundary. Is it a delimiter?
fn after(rest: &[u8], length: usize) -> Result<Found, MultipartError> {
    if rest.starts_with(b"--") {
        return Ok(Found::Last(length + 2));
    }
    let blanks = rest
        .iter()
        .take(limits::DELIMITER_PADDING_BYTES + 1)
        .take_while(|byte| b" \t".contains(byte))
        .count();
    if blanks > limits::DELIMITER_PADDING_BYTES {
        return Ok(Found::Content(length));
    }
    match &rest[blanks..] {
        [b'\r', b'\n', ..] => Ok(Found::Next(length + blanks)),
        // Nobody's content; a whole body with such line ends would be all preamble without this.
        [b'\n', ..] => Err(MultipartError::BARE_LINE_FEED),
        [] | [b'\r'] => Ok(Found::Unclear),
        [b'-'] if blanks == 0 => Ok(Found::Unclear),
        _ => Ok(Found::Content(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(bytes: &[u8]) -> Found {
        Delimiter::new(b"b-").look(bytes).unwrap()
    }

    #[test]
    fn content_ends_where_a_delimiter_may_begin() {
        assert_eq!(look(b""), Found::Unclear);
        assert_eq!(look(b"abc"), Found::Content(3));
        assert_eq!(look(b"abc\r\n--"), Found::Content(3));
        assert_eq!(look(b"\r\r\n-"), Found::Content(1));
        assert_eq!(look(b"\r\n--b"), Found::Unclear);
        assert_eq!(look(b"\r\n--c"), Found::Content(5));
        assert_eq!(look(b"ab\r\n--b-\r\n"), Found::Content(2));
        assert_eq!(look(b"--b-\r\n"), Found::Content(4));
    }

    #[test]
    fn what_follows_the_boundary_decides() {
        assert_eq!(look(b"\r\n--b-\r\n"), Found::Next(6));
        assert_eq!(look(b"\r\n--b- \t\r\n"), Found::Next(8));
        assert_eq!(look(b"\r\n--b---"), Found::Last(8));
        for unclear in [
            &b"\r\n--b-"[..],
            b"\r\n--b--",
            b"\r\n--b- \t",
            b"\r\n--b-\r",
        ] {
            assert_eq!(look(unclear), Found::Unclear, "{unclear:?}");
        }
        for content in [
            &b"\r\n--b-x"[..],
            b"\r\n--b--x",
            b"\r\n--b- -",
            b"\r\n--b-\rx",
        ] {
            assert_eq!(look(content), Found::Content(6), "{content:?}");
        }
    }

    #[test]
    fn padding_has_an_end_and_lines_end_with_crlf() {
        let padded = |blanks: usize| format!("\r\n--b-{}\r\n", " ".repeat(blanks));
        let most = limits::DELIMITER_PADDING_BYTES;
        assert_eq!(look(padded(most).as_bytes()), Found::Next(6 + most));
        assert_eq!(look(padded(most + 1).as_bytes()), Found::Content(6));
        let error = Delimiter::new(b"b").look(b"\r\n--b \n");
        assert!(matches!(error, Err(MultipartError::BadPartHead(_))));
    }
}
