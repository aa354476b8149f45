//! A request's head: parsed by httparse, then held to the rules that httparse leaves to its user.
#![forbid(unsafe_code)]

use std::ops::Range;

use tiny_http::Method;

use super::framing::{self, Framing};
use super::head_error::HeadError;
use super::target::Target;
use crate::limits;

/// Headers that decide something and so may stand only once; Host and the framing ones are checked on their own.
const SINGLE: [&str; 3] = ["X-API-Key", "Content-Type", "Authorization"];

/// A valid request head. Owns its bytes; names and values are ranges of them.
#[derive(Debug)]
pub struct RequestHead {
    bytes: Vec<u8>,
    headers: Vec<(Range<u16>, Range<u16>)>,
    method: Method,
    target: Target,
    version: u8,
    framing: Framing,
}

impl RequestHead {
    /// Parses `bytes`, a complete head as [`super::scan::HeadScan`] found it.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeadError> {
        let mut slots = [httparse::EMPTY_HEADER; limits::HEADERS];
        let mut parsed = httparse::Request::new(&mut slots);
        parsed
            .parse(bytes)
            .map_err(|error| from_httparse(error, bytes))?;
        let (Some(method), Some(target), Some(version)) =
            (parsed.method, parsed.path, parsed.version)
        else {
            return Err(HeadError::Malformed("incomplete"));
        };
        if target.len() > limits::TARGET_BYTES {
            return Err(HeadError::TargetTooLong);
        }
        let headers = parsed
            .headers
            .iter()
            .map(|h| (range_in(bytes, h.name.as_bytes()), range_in(bytes, h.value)));
        let mut head = Self {
            headers: headers.collect(),
            method: method
                .parse()
                .map_err(|()| HeadError::Malformed("method"))?,
            target: Target::parse(target, method)?,
            bytes: bytes.to_vec(),
            version,
            framing: Framing::None,
        };
        head.check_host()?;
        head.check_single()?;
        head.check_expectation()?;
        head.framing = framing::of_request(&head)?;
        Ok(head)
    }

    fn check_host(&self) -> Result<(), HeadError> {
        let mut hosts = self.values("Host");
        match (hosts.next(), hosts.next()) {
            (_, Some(_)) => Err(HeadError::HostRepeated),
            (None, _) if self.version >= 1 => Err(HeadError::HostMissing),
            (Some(host), _) if !is_host(host) => Err(HeadError::HostInvalid),
            _ => Ok(()),
        }
    }

    fn check_single(&self) -> Result<(), HeadError> {
        match SINGLE
            .into_iter()
            .find(|name| self.values(name).nth(1).is_some())
        {
            Some(name) => Err(HeadError::Repeated(name)),
            None => Ok(()),
        }
    }

    fn check_expectation(&self) -> Result<(), HeadError> {
        match self.value("Expect") {
            Some(value) if !value.eq_ignore_ascii_case(b"100-continue") => {
                Err(HeadError::Expectation)
            }
            _ => Ok(()),
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What the request is about.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The minor version: 0 or 1.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// How the body is delimited.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Bytes of the head.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Never: a head has at least its request line.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All values of the header `name`, in order, without surrounding blanks.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(field, _)| self.slice(field).eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| self.slice(value))
    }

    /// The first value of the header `name`.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// The first value of the header `name`, when it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether one of the comma-separated words of the header `name` is `word`, case ignored.
    pub fn has_word(&self, name: &str, word: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Whether the client wants to go on using the connection (RFC 9112, 9.3).
    pub fn keeps_alive(&self) -> bool {
        if self.version == 0 {
            self.has_word("Connection", "keep-alive")
        } else {
            !self.has_word("Connection", "close")
        }
    }

    /// Whether the client waits for `100 Continue` before it sends the body. HTTP/1.0 cannot ask for it.
    pub fn expects_continue(&self) -> bool {
        self.version >= 1 && self.framing.has_body() && self.value("Expect").is_some()
    }

    fn slice(&self, range: &Range<u16>) -> &[u8] {
        &self.bytes[usize::from(range.start)..usize::from(range.end)]
    }
}

fn from_httparse(error: httparse::Error, bytes: &[u8]) -> HeadError {
    match error {
        httparse::Error::TooManyHeaders => HeadError::TooManyHeaders,
        // httparse says "version" for any text there; only HTTP/digit.digit is a version (RFC 9112, 2.3).
        httparse::Error::Version if names_a_version(bytes) => HeadError::Version,
        httparse::Error::Version => {
            HeadError::Malformed("the request line does not end with an HTTP version")
        }
        httparse::Error::HeaderName => {
            HeadError::Malformed("a header name has a character that no name may have")
        }
        httparse::Error::HeaderValue => {
            HeadError::Malformed("a header value has a control character")
        }
        httparse::Error::Token => {
            HeadError::Malformed("the request line is not `method target version`")
        }
        _ => HeadError::Malformed("it does not follow RFC 9112"),
    }
}

fn names_a_version(bytes: &[u8]) -> bool {
    let line = bytes
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// Where `part`, a slice of `whole`, stands in it. Heads are far shorter than 64 KiB.
fn range_in(whole: &[u8], part: &[u8]) -> Range<u16> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    let clamp = |position: usize| u16::try_from(position.min(whole.len())).unwrap_or(u16::MAX);
    clamp(start)..clamp(start + part.len())
}

/// Whether `value` can be a Host: a name, IPv4 or bracketed IPv6 address with an optional port, or empty.
fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value {
        [b'[', ..] => match memchr::memchr(b']', value) {
            Some(end) => value.split_at(end + 1),
            None => return false,
        },
        _ => value.split_at(memchr::memchr(b':', value).unwrap_or(value.len())),
    };
    let port_fits = matches!(port, [] | [b':'])
        || (port[0] == b':' && port[1..].iter().all(u8::is_ascii_digit));
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=[]:".contains(byte);
    port_fits && host.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &str) -> Result<RequestHead, HeadError> {
        RequestHead::parse(format!("{}\r\n\r\n", lines.replace('\n', "\r\n")).as_bytes())
    }

    #[test]
    fn reads_an_ordinary_head() {
        let head = parse(
            "POST /containers/run?a=b HTTP/1.1\nHost: x:9999\nX-API-Key:  k \nConnection: Close",
        )
        .unwrap();
        assert_eq!(*head.method(), Method::Post);
        assert_eq!(head.target().path(), "/containers/run");
        assert_eq!(head.target().query(), Some("a=b"));
        assert_eq!(head.text("x-api-key"), Some("k"));
        assert!(!head.keeps_alive());
    }

    #[test]
    fn keep_alive_follows_the_version() {
        assert!(parse("GET / HTTP/1.1\nHost: a").unwrap().keeps_alive());
        assert!(!parse("GET / HTTP/1.0").unwrap().keeps_alive());
        assert!(
            parse("GET / HTTP/1.0\nConnection: keep-alive")
                .unwrap()
                .keeps_alive()
        );
    }

    #[test]
    fn host_rules() {
        assert_eq!(parse("GET / HTTP/1.1").unwrap_err(), HeadError::HostMissing);
        assert_eq!(
            parse("GET / HTTP/1.1\nHost: a\nHost: a").unwrap_err(),
            HeadError::HostRepeated
        );
        assert_eq!(
            parse("GET / HTTP/1.0\nHost: a\nHost: b").unwrap_err(),
            HeadError::HostRepeated
        );
        for bad in ["a b", "a/b", "a@b", "[::1", "a:b", "a:1:2"] {
            assert_eq!(
                parse(&format!("GET / HTTP/1.1\nHost: {bad}")).unwrap_err(),
                HeadError::HostInvalid,
                "{bad}"
            );
        }
        for good in ["", "a", "a:1", "[::1]:9999", "10.0.0.1", "a_b.c-d"] {
            parse(&format!("GET / HTTP/1.1\nHost: {good}")).unwrap();
        }
    }

    #[test]
    fn malformed_lines() {
        for bad in [
            "GET / HTTP/1.1\nHost : a",
            "GET / HTTP/1.1\n Host: a",
            "GET / HTTP/1.1\nHost: a\n folded",
            "GET / HTTP/1.1\nHost: a\nX(Y: b",
            "GET / HTTP/1.1\nHost: a\nnocolon",
            "GET  / HTTP/1.1\nHost: a",
            "G@T / HTTP/1.1\nHost: a",
            "GET /",
            "GET / HTTQ/1.1\nHost: a",
            "GET / HTTP/1.1 \nHost: a",
            "GET / HTTP/1.1\nHost: a\nX: \u{1}",
        ] {
            assert!(
                matches!(parse(bad).unwrap_err(), HeadError::Malformed(_)),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn versions() {
        assert_eq!(
            parse("GET / HTTP/2.0\nHost: a").unwrap_err(),
            HeadError::Version
        );
        assert_eq!(
            parse("GET / HTTP/0.9\nHost: a").unwrap_err(),
            HeadError::Version
        );
    }

    #[test]
    fn a_deciding_header_stands_once() {
        let twice = "GET / HTTP/1.1\nHost: a\nX-API-Key: k\nx-api-key: k";
        assert_eq!(parse(twice).unwrap_err(), HeadError::Repeated("X-API-Key"));
    }

    #[test]
    fn too_many_headers() {
        let mut lines = String::from("GET / HTTP/1.1\nHost: a");
        for _ in 0..limits::HEADERS {
            lines.push_str("\nA: b");
        }
        assert_eq!(parse(&lines).unwrap_err(), HeadError::TooManyHeaders);
    }

    #[test]
    fn expectations() {
        let head =
            parse("POST / HTTP/1.1\nHost: a\nContent-Length: 3\nExpect: 100-Continue").unwrap();
        assert!(head.expects_continue());
        assert_eq!(
            parse("POST / HTTP/1.1\nHost: a\nExpect: tea").unwrap_err(),
            HeadError::Expectation
        );
    }
}
