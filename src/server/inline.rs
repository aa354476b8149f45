//! Answers of the gate itself: pings, refusals and OPTIONS, whole and in memory. The last inline answer is kept
//! encoded: a ping costs a copy with its own request id in it, not a run of the encoder (which is most of the time
//! between reading and writing).
#![forbid(unsafe_code)]

use std::time::{SystemTime, UNIX_EPOCH};

use tiny_http::Method;

use super::encode::{End, Head};
use super::request_id;
use crate::api::reply::{Content, JSON};
use crate::api::{ApiError, Reply};
use crate::wire::RequestHead;

/// An answer that is all there.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) content_type: &'a str,
    pub(super) extra: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer<'_> {
    /// The error's own answer.
    pub(super) fn of_error(error: &ApiError) -> Self {
        Self {
            status: error.status(),
            content_type: JSON,
            extra: error.headers(),
            body: error.body(),
        }
    }

    /// 200, no body, and what is allowed.
    pub(super) fn of_options(allow: String) -> Self {
        Self {
            status: 200,
            content_type: "",
            extra: vec![("Allow", allow)],
            body: Vec::new(),
        }
    }

    /// Appends it to `out`. `head` is the request's, where it could be read.
    pub(super) fn write(
        &self,
        head: Option<&RequestHead>,
        id: &str,
        keep_alive: bool,
        out: &mut Vec<u8>,
    ) {
        let encoded = Head {
            status: self.status,
            content_type: self.content_type,
            request_id: id,
            extra: &self.extra,
            trailers: "",
            keep_alive,
            to_http_1_0: head.is_some_and(|head| head.version() == 0),
        };
        out.extend_from_slice(&encoded.encode(End::Length(self.body.len() as u64)));
        if head.is_none_or(|head| *head.method() != Method::Head) {
            out.extend_from_slice(&self.body);
        }
    }
}

/// The last inline answer, encoded for a keep-alive HTTP/1.1 client with an id of our own.
#[derive(Debug, Default)]
pub(super) struct InlineCache {
    second: u64,
    status: u16,
    body: Vec<u8>,
    encoded: Vec<u8>,
    id_at: usize,
}

impl InlineCache {
    /// Appends `reply` to `out`.
    pub(super) fn write(
        &mut self,
        reply: Reply<'_>,
        head: &RequestHead,
        id: &str,
        keep_alive: bool,
        out: &mut Vec<u8>,
    ) {
        let Content::Whole(body) = reply.content else {
            return;
        };
        let usual = keep_alive
            && head.version() == 1
            && id.len() == request_id::LENGTH
            && *head.method() == Method::Get;
        let mut answer = Answer {
            status: reply.status,
            content_type: reply.content_type,
            extra: Vec::new(),
            body,
        };
        if !usual {
            answer.write(Some(head), id, keep_alive, out);
            return;
        }
        // The Date header has seconds.
        let second = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        if (self.second, self.status) != (second, answer.status) || self.body != answer.body {
            self.encoded.clear();
            answer.write(Some(head), id, keep_alive, &mut self.encoded);
            self.id_at = memchr::memmem::find(&self.encoded, id.as_bytes()).unwrap_or(0);
            self.second = second;
            self.status = answer.status;
            self.body = std::mem::take(&mut answer.body);
        }
        let start = out.len() + self.id_at;
        out.extend_from_slice(&self.encoded);
        out[start..start + id.len()].copy_from_slice(id.as_bytes());
    }
}
