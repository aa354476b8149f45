//! Finds the end of a head as its bytes come in, and refuses what no head may contain. httparse takes a bare LF for a
//! line end; two parsers that disagree about line ends are how requests are smuggled, so only CRLF counts here.
#![forbid(unsafe_code)]

use super::head_error::HeadError;
use crate::limits;

/// Remembers how far a growing buffer was looked at.
#[derive(Debug, Default)]
pub struct HeadScan {
    seen: usize,
    line_start: usize,
}

impl HeadScan {
    /// Looks at the bytes that came since the last call. `Some(n)`: the head is the first `n` bytes of `buffer`,
    /// empty line included. Leading empty lines (RFC 9112, 2.2) must have been cut off by [`leading_empty_lines`].
    pub fn end(&mut self, buffer: &[u8]) -> Result<Option<usize>, HeadError> {
        while let Some(&byte) = buffer.get(self.seen) {
            match byte {
                b'\n' if self.seen == 0 || buffer[self.seen - 1] != b'\r' => {
                    return Err(HeadError::BareLineFeed);
                }
                b'\n' if self.seen - self.line_start == 1 => return self.finish(),
                b'\n' => self.line_start = self.seen + 1,
                0 => return Err(HeadError::Nul),
                _ if self.seen > 0 && buffer[self.seen - 1] == b'\r' => {
                    return Err(HeadError::BareCarriageReturn);
                }
                _ => {}
            }
            self.seen += 1;
        }
        if buffer.len() >= limits::HEAD_BYTES {
            Err(HeadError::TooLong)
        } else {
            Ok(None)
        }
    }

    fn finish(&self) -> Result<Option<usize>, HeadError> {
        let end = self.seen + 1;
        if end > limits::HEAD_BYTES {
            Err(HeadError::TooLong)
        } else {
            Ok(Some(end))
        }
    }
}

/// How many bytes of CRLF stand before the request line. A server should skip at least one (RFC 9112, 2.2); ours
/// skips two, so that nobody can feed it empty lines for ever.
pub fn leading_empty_lines(buffer: &[u8]) -> usize {
    let mut skipped = 0;
    while skipped < 4 && buffer[skipped..].starts_with(b"\r\n") {
        skipped += 2;
    }
    skipped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(bytes: &[u8]) -> Result<Option<usize>, HeadError> {
        HeadScan::default().end(bytes)
    }

    #[test]
    fn finds_the_end_whatever_the_pieces() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        assert_eq!(scan(head).unwrap(), Some(27));
        let mut scan = HeadScan::default();
        for end in 1..27 {
            assert_eq!(scan.end(&head[..end]).unwrap(), None, "after {end} bytes");
        }
        assert_eq!(scan.end(&head[..27]).unwrap(), Some(27));
    }

    #[test]
    fn refuses_bare_line_ends_and_nul() {
        assert_eq!(
            scan(b"GET / HTTP/1.1\nHost: a\n\n"),
            Err(HeadError::BareLineFeed)
        );
        assert_eq!(scan(b"\nGET"), Err(HeadError::BareLineFeed));
        assert_eq!(
            scan(b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n"),
            Err(HeadError::BareCarriageReturn)
        );
        assert_eq!(
            scan(b"GET / HTTP/1.1\r\r\n"),
            Err(HeadError::BareCarriageReturn)
        );
        assert_eq!(scan(b"GET /\0 HTTP/1.1\r\n\r\n"), Err(HeadError::Nul));
    }

    #[test]
    fn an_endless_head_is_too_long() {
        let mut bytes = b"GET / HTTP/1.1\r\nA: ".to_vec();
        bytes.resize(limits::HEAD_BYTES - 1, b'x');
        assert_eq!(scan(&bytes), Ok(None));
        bytes.push(b'x');
        assert_eq!(scan(&bytes), Err(HeadError::TooLong));
    }

    #[test]
    fn skips_two_empty_lines_and_no_more() {
        assert_eq!(leading_empty_lines(b"GET"), 0);
        assert_eq!(leading_empty_lines(b"\r\nGET"), 2);
        assert_eq!(leading_empty_lines(b"\r\n\r\n\r\n\r\nGET"), 4);
        assert_eq!(leading_empty_lines(b"\r"), 0);
    }
}
