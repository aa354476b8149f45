//! What a handler gives back: an answer that is ready, or one that is made while it is sent.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::Write;

use serde::Serialize;

use super::ApiError;

/// Where a streamed body goes. A failed write means that the client is gone: hand it on as
/// [`ApiError::ClientGone`] and stop.
pub trait Sink: Write {
    /// Adds a trailer field, sent after a chunked body. HTTP/1.0 clients do not get it.
    fn trailer(&mut self, name: &'static str, value: String);
}

/// Makes a body. An error before the first [`crate::limits::REPLY_HOLD_BYTES`] were written still becomes a proper
/// error answer (unless the reply is live); later the connection is broken off, so that nobody takes half for all.
pub type Producer<'a> = Box<dyn FnOnce(&mut dyn Sink) -> Result<(), ApiError> + 'a>;

/// The body of a reply.
pub enum Content<'a> {
    /// All there.
    Whole(Vec<u8>),
    /// Made while it is sent. Short ones get a Content-Length.
    Stream(Producer<'a>),
    /// Made while it is sent, with a length that is known before. One that ends early is broken off.
    Sized {
        /// Bytes of the body.
        length: u64,
        /// Makes it.
        produce: Producer<'a>,
    },
    /// Made while it is sent; the head leaves at once and every flush reaches the client.
    Live {
        /// Makes the body.
        produce: Producer<'a>,
        /// Names for the `Trailer` header.
        trailers: &'static str,
        /// Whether it goes on until the client leaves: then it is broken off when the agent stops, others are finished.
        endless: bool,
    },
}

/// A successful answer. Failures are [`ApiError`]s.
pub struct Reply<'a> {
    /// 200 or 201.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub content: Content<'a>,
}

/// JSON, the usual media type.
pub const JSON: &str = "application/json";
/// A JSON object a line, as progress has it.
pub const NDJSON: &str = "application/x-ndjson";
/// Bytes, as files have them.
pub const BYTES: &str = "application/octet-stream";
/// Text, as logs and command output have it.
pub const TEXT: &str = "text/plain; charset=utf-8";

impl<'a> Reply<'a> {
    /// 200 with `answer` as JSON.
    pub fn json<T: Serialize>(answer: &T) -> Result<Self, ApiError> {
        Self::json_with(200, answer, &[])
    }

    /// 200 with `answer`, an object, and the warnings, if there are any.
    pub fn json_warned<T: Serialize>(answer: &T, warnings: &[String]) -> Result<Self, ApiError> {
        Self::json_with(200, answer, warnings)
    }

    /// 201 with `answer`, an object, and the warnings, if there are any.
    pub fn created<T: Serialize>(answer: &T, warnings: &[String]) -> Result<Self, ApiError> {
        Self::json_with(201, answer, warnings)
    }

    fn json_with<T: Serialize>(
        status: u16,
        answer: &T,
        warnings: &[String],
    ) -> Result<Self, ApiError> {
        let mut bytes = serde_json::to_vec(answer)
            .map_err(|error| ApiError::internal("the answer cannot be written as JSON", &error))?;
        if !warnings.is_empty() {
            add_warnings(&mut bytes, warnings);
        }
        Ok(Self {
            status,
            content_type: JSON,
            content: Content::Whole(bytes),
        })
    }

    /// 200 with these bytes.
    pub fn whole(content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            status: 200,
            content_type,
            content: Content::Whole(bytes),
        }
    }

    /// 200 with a body that `produce` makes.
    pub fn stream(
        content_type: &'static str,
        produce: impl FnOnce(&mut dyn Sink) -> Result<(), ApiError> + 'a,
    ) -> Self {
        Self {
            status: 200,
            content_type,
            content: Content::Stream(Box::new(produce)),
        }
    }

    /// 200 with a body of `length` bytes that `produce` makes.
    pub fn sized(
        content_type: &'static str,
        length: u64,
        produce: impl FnOnce(&mut dyn Sink) -> Result<(), ApiError> + 'a,
    ) -> Self {
        Self {
            status: 200,
            content_type,
            content: Content::Sized {
                length,
                produce: Box::new(produce),
            },
        }
    }

    /// Whether it may go on for ever (a follow).
    pub fn is_endless(&self) -> bool {
        matches!(self.content, Content::Live { endless: true, .. })
    }

    /// 200 at once, with a body that `produce` makes as things happen, and perhaps these trailers.
    pub fn live(
        content_type: &'static str,
        trailers: &'static str,
        produce: impl FnOnce(&mut dyn Sink) -> Result<(), ApiError> + 'a,
    ) -> Self {
        Self {
            status: 200,
            content_type,
            content: Content::Live {
                produce: Box::new(produce),
                trailers,
                endless: false,
            },
        }
    }

    /// The same without an end of its own.
    pub fn follow(
        content_type: &'static str,
        produce: impl FnOnce(&mut dyn Sink) -> Result<(), ApiError> + 'a,
    ) -> Self {
        Self {
            status: 200,
            content_type,
            content: Content::Live {
                produce: Box::new(produce),
                trailers: "",
                endless: true,
            },
        }
    }
}

/// Adds the member `warnings` to an object that is written already: `#[serde(flatten)]` would have each answer's code in
/// the program twice.
fn add_warnings(object: &mut Vec<u8>, warnings: &[String]) {
    // A list of texts always serializes.
    let Ok(list) = serde_json::to_vec(warnings) else {
        return;
    };
    if object.pop_if(|last| *last == b'}').is_none() {
        return;
    }
    if object.last() != Some(&b'{') {
        object.push(b',');
    }
    object.extend_from_slice(b"\"warnings\":");
    object.extend_from_slice(&list);
    object.push(b'}');
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = match &self.content {
            Content::Whole(bytes) => format!("{} bytes", bytes.len()),
            Content::Stream(_) => "a stream".to_owned(),
            Content::Sized { length, .. } => format!("a stream of {length} bytes"),
            Content::Live { .. } => "a live stream".to_owned(),
        };
        out.debug_struct("Reply")
            .field("status", &self.status)
            .field("content", &content)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_added_to_any_object() {
        for (object, expected) in [
            ("{}", r#"{"warnings":["a \"b\""]}"#),
            (r#"{"x":{}}"#, r#"{"x":{},"warnings":["a \"b\""]}"#),
        ] {
            let mut bytes = object.as_bytes().to_vec();
            add_warnings(&mut bytes, &["a \"b\"".to_owned()]);
            assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        }
    }
}
