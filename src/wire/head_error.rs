//! What can be wrong with a request's head, and the sentence for it.
#![forbid(unsafe_code)]

use std::fmt;

use crate::limits;

/// Why a head is refused. All end the connection: after a framing error nobody knows where the next request starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// A LF without its CR.
    BareLineFeed,
    /// A CR without its LF.
    BareCarriageReturn,
    /// A NUL byte.
    Nul,
    /// More than [`limits::HEAD_BYTES`].
    TooLong,
    /// A target of more than [`limits::TARGET_BYTES`].
    TargetTooLong,
    /// More than [`limits::HEADERS`] lines.
    TooManyHeaders,
    /// Not HTTP/1.0 or HTTP/1.1.
    Version,
    /// Not `method SP target SP version`, or a header line that is none. What httparse says of it.
    Malformed(&'static str),
    /// A target that is neither `/path`, `http://host/path` nor `*`.
    Target,
    /// HTTP/1.1 without Host (RFC 9112, 3.2).
    HostMissing,
    /// More than one Host.
    HostRepeated,
    /// A Host that is no host.
    HostInvalid,
    /// A header that decides something (`X-API-Key`) given twice.
    Repeated(&'static str),
    /// A Content-Length that is no number, or more than one.
    ContentLength,
    /// Content-Length together with Transfer-Encoding.
    LengthAndCoding,
    /// Transfer-Encoding in HTTP/1.0, repeated, empty, or `chunked` anywhere but alone at the end.
    TransferCoding,
    /// A transfer coding other than `chunked` (501 by RFC 9112, 6.1).
    UnknownCoding,
    /// An expectation other than `100-continue` (417 by RFC 9110, 10.1.1).
    Expectation,
}

impl fmt::Display for HeadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::BareLineFeed => "a line of the request head ends with LF alone; CRLF is required",
            Self::BareCarriageReturn => "the request head has a CR that is not followed by LF",
            Self::Nul => "the request head has a NUL byte",
            Self::TooLong => {
                return write!(
                    out,
                    "the request head is longer than {} bytes",
                    limits::HEAD_BYTES
                );
            }
            Self::TargetTooLong => {
                return write!(
                    out,
                    "the request target is longer than {} bytes",
                    limits::TARGET_BYTES
                );
            }
            Self::TooManyHeaders => {
                return write!(
                    out,
                    "the request has more than {} header lines",
                    limits::HEADERS
                );
            }
            Self::Version => "only HTTP/1.0 and HTTP/1.1 are spoken here",
            Self::Malformed(what) => return write!(out, "the request head is malformed: {what}"),
            Self::Target => "the request target is not a path",
            Self::HostMissing => "an HTTP/1.1 request needs a Host header",
            Self::HostRepeated => "the request has more than one Host header",
            Self::HostInvalid => "the Host header is not a host name or address",
            Self::Repeated(name) => {
                return write!(out, "the request has more than one {name} header");
            }
            Self::ContentLength => "Content-Length must be given once, as a number",
            Self::LengthAndCoding => "Content-Length and Transfer-Encoding exclude each other",
            Self::TransferCoding => "Transfer-Encoding must be `chunked`, once, in HTTP/1.1",
            Self::UnknownCoding => "the only transfer coding supported is `chunked`",
            Self::Expectation => "the only expectation supported is `100-continue`",
        };
        out.write_str(sentence)
    }
}

impl std::error::Error for HeadError {}
