//! How a body is delimited, decided from the head alone (RFC 9112, 6).
#![forbid(unsafe_code)]

use super::head_error::HeadError;
use super::request_head::RequestHead;

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// After this many bytes.
    Length(u64),
    /// With the last chunk.
    Chunked,
    /// With the connection: responses only.
    UntilClose,
}

impl Framing {
    /// Whether a body follows the head.
    pub fn has_body(self) -> bool {
        !matches!(self, Self::None | Self::Length(0))
    }

    /// The length of the body, when the head tells it.
    pub fn length(self) -> Option<u64> {
        match self {
            Self::None => Some(0),
            Self::Length(bytes) => Some(bytes),
            Self::Chunked | Self::UntilClose => None,
        }
    }
}

/// The framing of a request's body. Whatever two readers could take differently is an error (RFC 9112, 11.2).
pub fn of_request(head: &RequestHead) -> Result<Framing, HeadError> {
    let mut lengths = head.values("Content-Length");
    let mut codings = head.values("Transfer-Encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(Framing::None),
        (Some(_), Some(_)) => Err(HeadError::LengthAndCoding),
        (Some(_), None) if lengths.next().is_some() => Err(HeadError::ContentLength),
        (Some(length), None) => parse_length(length)
            .map(Framing::Length)
            .ok_or(HeadError::ContentLength),
        (None, Some(_)) if codings.next().is_some() || head.version() == 0 => {
            Err(HeadError::TransferCoding)
        }
        (None, Some(coding)) => of_coding(coding),
    }
}

fn of_coding(coding: &[u8]) -> Result<Framing, HeadError> {
    if coding.eq_ignore_ascii_case(b"chunked") {
        return Ok(Framing::Chunked);
    }
    let words: Vec<_> = coding
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .collect();
    let chunked_at = words
        .iter()
        .position(|word| word.eq_ignore_ascii_case(b"chunked"));
    let is_list_of_tokens = words
        .iter()
        .all(|word| !word.is_empty() && word.iter().all(|b| is_token_byte(*b)));
    match chunked_at {
        // An unknown coding under a final `chunked`, or alone, is well formed but not understood.
        Some(position) if is_list_of_tokens && position > 0 && position + 1 == words.len() => {
            Err(HeadError::UnknownCoding)
        }
        None if is_list_of_tokens => Err(HeadError::UnknownCoding),
        _ => Err(HeadError::TransferCoding),
    }
}

/// A Content-Length: digits and nothing else (RFC 9110, 8.6).
pub fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Whether `byte` may stand in a token (RFC 9110, 5.6.2).
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(lines: &str) -> Result<Framing, HeadError> {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n");
        RequestHead::parse(head.as_bytes()).map(|head| head.framing())
    }

    #[test]
    fn lengths() {
        assert_eq!(framing("Content-Length: 12"), Ok(Framing::Length(12)));
        assert_eq!(
            framing("Content-Length: 18446744073709551615"),
            Ok(Framing::Length(u64::MAX))
        );
        for bad in [
            "",
            "+1",
            "-1",
            "1,1",
            "1 1",
            "0x10",
            "1e3",
            "18446744073709551616",
            "five",
            "1;",
        ] {
            assert_eq!(
                framing(&format!("Content-Length: {bad}")),
                Err(HeadError::ContentLength),
                "{bad}"
            );
        }
        assert_eq!(
            framing("Content-Length: 5\r\nContent-Length: 5"),
            Err(HeadError::ContentLength)
        );
    }

    #[test]
    fn codings() {
        assert_eq!(framing("Transfer-Encoding: Chunked"), Ok(Framing::Chunked));
        for unknown in ["gzip", "identity", "gzip, chunked", "xchunked"] {
            assert_eq!(
                framing(&format!("Transfer-Encoding: {unknown}")),
                Err(HeadError::UnknownCoding),
                "{unknown}"
            );
        }
        for bad in [
            "",
            "chunked, chunked",
            "chunked, gzip",
            "chunked,",
            "chunked;q=1",
            "\"chunked\"",
            "chu nked",
        ] {
            assert_eq!(
                framing(&format!("Transfer-Encoding: {bad}")),
                Err(HeadError::TransferCoding),
                "{bad}"
            );
        }
        let twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked";
        assert_eq!(framing(twice), Err(HeadError::TransferCoding));
        let both = "Content-Length: 1\r\nTransfer-Encoding: chunked";
        assert_eq!(framing(both), Err(HeadError::LengthAndCoding));
    }

    #[test]
    fn http_1_0_has_no_transfer_coding() {
        let head = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(
            RequestHead::parse(head).unwrap_err(),
            HeadError::TransferCoding
        );
    }
}
