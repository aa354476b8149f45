//! Response heads, by tiny_http's encoder. What it leaves to its own server (`Connection`, `Trailer`) is added behind.
#![forbid(unsafe_code)]

use std::io;

use tiny_http::{HTTPVersion, Header, Response, StatusCode};

/// How the client finds the end of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// After so many bytes.
    Length(u64),
    /// With the last chunk.
    Chunked,
    /// With the connection: HTTP/1.0 and a length nobody knows yet.
    Close,
}

/// What a response head says.
#[derive(Clone, Debug)]
pub(super) struct Head<'h> {
    pub(super) status: u16,
    pub(super) content_type: &'h str,
    pub(super) request_id: &'h str,
    pub(super) extra: &'h [(&'static str, String)],
    pub(super) trailers: &'static str,
    pub(super) keep_alive: bool,
    /// HTTP/1.0 clients must be told that the connection stays (RFC 9112, C.2.2).
    pub(super) to_http_1_0: bool,
}

impl Head<'_> {
    /// The bytes of the head, empty line included.
    pub(super) fn encode(&self, end: End) -> Vec<u8> {
        let length = match end {
            // As far as memory reaches, which is everywhere but on 32 bits.
            End::Length(bytes) => usize::try_from(bytes).ok(),
            End::Chunked | End::Close => None,
        };
        let mut bytes = Vec::with_capacity(384);
        let response = Response::new(
            StatusCode(self.status),
            self.headers(),
            io::empty(),
            length,
            None,
        )
        .with_chunked_threshold(usize::MAX);
        // Writing to memory does not fail. No request headers and 1.1: the encoder must not choose a framing itself.
        let _ = response.raw_print(&mut bytes, HTTPVersion(1, 1), &[], true, None);
        bytes.truncate(bytes.len().saturating_sub(2));
        if end == End::Close {
            strip_suffix(&mut bytes, b"Transfer-Encoding: chunked\r\n");
        }
        self.append_connection(&mut bytes, end);
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    fn headers(&self) -> Vec<Header> {
        let fixed = [
            ("Server", "node-agent"),
            ("Content-Type", self.content_type),
            ("X-Request-Id", self.request_id),
            ("Cache-Control", "no-store"),
        ];
        let extra = self
            .extra
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        fixed
            .into_iter()
            .chain(extra)
            .filter_map(|(name, value)| header(name, value))
            .collect()
    }

    fn append_connection(&self, bytes: &mut Vec<u8>, end: End) {
        if !self.trailers.is_empty() && end == End::Chunked {
            bytes.extend_from_slice(b"Trailer: ");
            bytes.extend_from_slice(self.trailers.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        if !self.keep_alive {
            bytes.extend_from_slice(b"Connection: close\r\n");
        } else if self.to_http_1_0 {
            bytes.extend_from_slice(b"Connection: keep-alive\r\n");
        }
    }
}

/// A header field that is one: tiny_http's own check lets CRLF into values. One that is not is left out.
fn header(name: &str, value: &str) -> Option<Header> {
    let is_visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    let fits = !value.is_empty() && value.bytes().all(is_visible);
    fits.then(|| Header::from_bytes(name, value).ok()).flatten()
}

fn strip_suffix(bytes: &mut Vec<u8>, suffix: &[u8]) {
    if bytes.ends_with(suffix) {
        bytes.truncate(bytes.len() - suffix.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(extra: &'a [(&'static str, String)]) -> Head<'a> {
        Head {
            status: 200,
            content_type: "text/plain",
            request_id: "abc",
            extra,
            trailers: "X-Exit-Code",
            keep_alive: true,
            to_http_1_0: false,
        }
    }

    fn lines(head: &Head<'_>, end: End) -> Vec<String> {
        let text = String::from_utf8(head.encode(end)).unwrap();
        assert!(text.ends_with("\r\n\r\n"), "{text:?}");
        text.trim_end().split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn each_end_has_its_own_header() {
        let length = lines(&head(&[]), End::Length(7));
        assert_eq!(length[0], "HTTP/1.1 200 OK");
        assert!(
            length.contains(&"Content-Length: 7".to_owned())
                && length.contains(&"X-Request-Id: abc".to_owned())
        );
        let chunked = lines(&head(&[]), End::Chunked);
        assert!(chunked.contains(&"Transfer-Encoding: chunked".to_owned()));
        assert!(chunked.contains(&"Trailer: X-Exit-Code".to_owned()));
        let close = lines(
            &Head {
                keep_alive: false,
                ..head(&[])
            },
            End::Close,
        );
        assert!(!close.iter().any(
            |line| line.starts_with("Transfer-Encoding") || line.starts_with("Content-Length")
        ));
        assert!(close.contains(&"Connection: close".to_owned()));
    }

    #[test]
    fn a_value_cannot_start_a_new_line() {
        let extra = [("Allow", "GET\r\nX-Evil: 1".to_owned())];
        assert!(
            !lines(&head(&extra), End::Length(0))
                .iter()
                .any(|line| line.contains("Evil"))
        );
    }
}
