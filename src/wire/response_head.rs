//! A response's head, as the engine sends it.
#![forbid(unsafe_code)]

use super::framing::{self, Framing};
use crate::limits;

/// A response head. Header names are lower case.
#[derive(Debug)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    framing: Framing,
}

impl ResponseHead {
    /// Parses a complete head (empty line included), the answer to a HEAD request when `to_head`. The error says what
    /// is wrong with it.
    pub fn parse(bytes: &[u8], to_head: bool) -> Result<Self, &'static str> {
        let mut slots = [httparse::EMPTY_HEADER; limits::HEADERS];
        let mut parsed = httparse::Response::new(&mut slots);
        match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err("the response head is incomplete"),
            Err(_) => return Err("the response head is not HTTP"),
        }
        let status = parsed.code.ok_or("the response has no status")?;
        let headers: Vec<_> = parsed
            .headers
            .iter()
            .map(|header| {
                (
                    header.name.to_ascii_lowercase(),
                    String::from_utf8_lossy(header.value).into_owned(),
                )
            })
            .collect();
        let framing = framing_of(status, to_head, &headers)?;
        Ok(Self {
            status,
            headers,
            framing,
        })
    }

    /// The first value of the header `name`, given in lower case.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// How the body is delimited.
    pub fn framing(&self) -> Framing {
        self.framing
    }
}

/// RFC 9112, 6.3, in its order.
fn framing_of(
    status: u16,
    to_head: bool,
    headers: &[(String, String)],
) -> Result<Framing, &'static str> {
    if to_head || matches!(status, 100..=199 | 204 | 304) {
        return Ok(Framing::None);
    }
    let all = |name: &str| {
        headers
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .collect()
    };
    let codings: Vec<&str> = all("transfer-encoding");
    let lengths: Vec<&str> = all("content-length");
    match (codings.as_slice(), lengths.as_slice()) {
        ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        ([], [length]) => framing::parse_length(length.as_bytes())
            .map(Framing::Length)
            .ok_or("the Content-Length is no number"),
        ([], []) => Ok(Framing::UntilClose),
        _ => Err("the body's framing is ambiguous"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(text: &str) -> Result<Framing, &'static str> {
        ResponseHead::parse(
            format!("{}\r\n\r\n", text.replace('\n', "\r\n")).as_bytes(),
            false,
        )
        .map(|h| h.framing())
    }

    #[test]
    fn framings() {
        assert_eq!(
            framing("HTTP/1.1 200 OK\nContent-Length: 7"),
            Ok(Framing::Length(7))
        );
        assert_eq!(
            framing("HTTP/1.1 200 OK\nTransfer-Encoding: chunked"),
            Ok(Framing::Chunked)
        );
        assert_eq!(framing("HTTP/1.1 200 OK\nA: b"), Ok(Framing::UntilClose));
        assert_eq!(
            framing("HTTP/1.1 204 No Content\nContent-Length: 7"),
            Ok(Framing::None)
        );
        assert_eq!(
            framing("HTTP/1.1 101 UPGRADED\nUpgrade: tcp"),
            Ok(Framing::None)
        );
        assert!(framing("HTTP/1.1 200 OK\nContent-Length: 7\nTransfer-Encoding: chunked").is_err());
        assert!(framing("HTTP/1.1 200 OK\nContent-Length: x").is_err());
        assert!(framing("garbage").is_err());
    }

    #[test]
    fn names_are_found_in_lower_case() {
        let head =
            ResponseHead::parse(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n\r\n", false).unwrap();
        assert_eq!(head.value("api-version"), Some("1.41"));
    }
}
