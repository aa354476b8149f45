//! A request as a handler sees it.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::Read;
use std::os::fd::BorrowedFd;

use super::ApiError;
use super::query::Query;
use crate::wire::{BodyReader, RequestHead};

/// A request: its head, and its body as it comes from the connection.
pub struct Request<'a> {
    /// The head.
    pub head: RequestHead,
    /// The values of the placeholders in the route's pattern, percent-decoded, in order.
    pub params: Vec<String>,
    /// The body; reading it has deadlines of its own.
    pub body: BodyReader<Box<dyn Read + 'a>>,
    /// The client's socket: watch it for a hangup, never read or write it.
    pub client: BorrowedFd<'a>,
    /// The request's id, as in `X-Request-Id` and the log.
    pub id: String,
}

impl Request<'_> {
    /// The first placeholder of the route's pattern.
    pub fn name(&self) -> &str {
        self.params.first().map_or("", String::as_str)
    }

    /// The query string, taken apart.
    pub fn query(&self) -> Result<Query, ApiError> {
        Query::parse(self.head.target().query().unwrap_or_default())
    }

    /// Whether the client asks for `media_type` by name: `*/*` and nothing at all mean that the default will do.
    pub fn accepts_explicitly(&self, media_type: &str) -> bool {
        let bare = |item: &[u8]| {
            item.split(|byte| *byte == b';')
                .next()
                .unwrap_or_default()
                .trim_ascii()
                .to_vec()
        };
        self.head
            .values("Accept")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| bare(item).eq_ignore_ascii_case(media_type.as_bytes()))
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The head stays out: it carries the key.
        out.debug_struct("Request")
            .field("id", &self.id)
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}
