//! A body that may be of any size, up to `NODE_AGENT_MAX_UPLOAD_BYTES`, and handing it on through one fixed buffer.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, Read, Write};

use super::{ApiError, Context, Request};
use crate::limits;
use crate::wire::BodyReader;

/// The body of an upload. Reading more than the limit is an error with a [`TooMuch`] inside.
pub(super) struct UploadBody<'r, 'a> {
    body: &'r mut BodyReader<Box<dyn Read + 'a>>,
    limit: u64,
    left: u64,
}

/// The body is larger than allowed.
#[derive(Debug)]
pub(super) struct TooMuch {
    /// The most that is taken, in bytes.
    pub(super) limit: u64,
}

impl fmt::Display for TooMuch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the body is larger than {} bytes", self.limit)
    }
}

impl std::error::Error for TooMuch {}

impl<'a> Request<'a> {
    /// The body as an upload. None at all, and one that is announced to be too large, are refused before it is read.
    pub(super) fn upload(&mut self, context: &Context) -> Result<UploadBody<'_, 'a>, ApiError> {
        if self.head.text("Content-Length").is_some() && !self.head.framing().has_body() {
            return Err(ApiError::bad_request("the body is empty"));
        }
        self.limited(context.most_upload_bytes())
    }

    /// The body, which may be empty and have `limit` bytes at most. None at all is refused.
    pub(super) fn limited(&mut self, limit: u64) -> Result<UploadBody<'_, 'a>, ApiError> {
        let framing = self.head.framing();
        if self.head.text("Content-Length").is_none() && !framing.has_body() {
            return Err(ApiError::LengthRequired);
        }
        if framing.length().is_some_and(|length| length > limit) {
            return Err(ApiError::TooLarge { limit });
        }
        Ok(UploadBody {
            body: &mut self.body,
            limit,
            left: limit,
        })
    }
}

impl Context {
    /// Most bytes of an upload.
    pub(super) fn most_upload_bytes(&self) -> u64 {
        match self.max_upload_bytes {
            0 => u64::MAX,
            limit => limit,
        }
    }
}

impl Read for UploadBody<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                Ok(count)
            }
            None => Err(io::Error::other(TooMuch { limit: self.limit })),
        }
    }
}

/// Which side of a copy failed.
#[derive(Debug)]
pub(super) enum CopyFailure {
    /// The one that is read.
    Source(io::Error),
    /// The one that is written.
    Sink(io::Error),
}

/// Hands all of `source` on to `sink`; the bytes that went.
pub(super) fn copy(source: &mut dyn Read, sink: &mut dyn Write) -> Result<u64, CopyFailure> {
    let mut buffer = vec![0; limits::STREAM_BUFFER_BYTES];
    let mut total = 0;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyFailure::Source(error)),
        };
        sink.write_all(&buffer[..count])
            .map_err(CopyFailure::Sink)?;
        total += count as u64;
    }
}
