//! What can be wrong with a multipart body, and how it travels through `io::Error`.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use crate::limits;

/// Why a form cannot be read.
#[derive(Debug)]
pub enum MultipartError {
    /// The content type is not `multipart/form-data`.
    NotFormData,
    /// The content type names no boundary.
    NoBoundary,
    /// It names one that cannot be: what is wrong with it.
    BadBoundary(&'static str),
    /// The body ended before its closing delimiter.
    Truncated,
    /// More than [`limits::PART_HEAD_BYTES`] or [`limits::PART_HEADERS`].
    HeadTooLong,
    /// More than [`limits::PARTS`].
    TooManyParts,
    /// A part's head that breaks the rules: how.
    BadPartHead(&'static str),
    /// More than [`limits::AROUND_PARTS_BYTES`] before the first part.
    LongPreamble,
    /// More than [`limits::AROUND_PARTS_BYTES`] after the last part.
    LongEpilogue,
    /// The source's own error, as it came.
    Io(io::Error),
}

impl MultipartError {
    /// Two parsers that disagree about line ends are how requests are smuggled; here too only CRLF counts.
    pub(super) const BARE_LINE_FEED: Self =
        Self::BadPartHead("has a line that ends with LF alone; CRLF is required");
}

/// The multipart error inside `error`, if it is one. Anything else is the source's own.
pub fn multipart_error(error: &io::Error) -> Option<&MultipartError> {
    error.get_ref()?.downcast_ref()
}

/// One that travelled through `io::Error` is itself again.
impl From<io::Error> for MultipartError {
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Io)
    }
}

impl From<MultipartError> for io::Error {
    fn from(error: MultipartError) -> Self {
        match error {
            MultipartError::Io(error) => error,
            error => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}

impl fmt::Display for MultipartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let around = limits::AROUND_PARTS_BYTES;
        match self {
            Self::NotFormData => out.write_str("the content type is not multipart/form-data"),
            Self::NoBoundary => out.write_str("the content type has no `boundary` parameter"),
            Self::BadBoundary(what) => write!(out, "the boundary of the content type {what}"),
            Self::Truncated => out.write_str("the form ended before its closing boundary"),
            Self::HeadTooLong => write!(
                out,
                "the head of a part of the form has more than {} bytes or {} lines",
                limits::PART_HEAD_BYTES,
                limits::PART_HEADERS
            ),
            Self::TooManyParts => write!(out, "the form has more than {} parts", limits::PARTS),
            Self::BadPartHead(what) => write!(out, "the head of a part of the form {what}"),
            Self::LongPreamble => write!(
                out,
                "the form has no boundary in its first {around} bytes; is it the one of the content type?"
            ),
            Self::LongEpilogue => write!(
                out,
                "the form has more than {around} bytes after its closing boundary"
            ),
            Self::Io(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for MultipartError {}
