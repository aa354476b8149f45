//! One line a request: id, peer, method, path without its query (which may carry secrets), status, duration, bytes.
#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::time::Duration;

use crate::limits;
use crate::log::{self, Value};
use crate::wire::RequestHead;

/// What a line tells.
pub(super) struct Access<'a> {
    pub(super) id: &'a str,
    pub(super) peer: SocketAddr,
    /// The request's head; `None` when it could not be read.
    pub(super) head: Option<&'a RequestHead>,
    pub(super) status: u16,
    pub(super) duration: Duration,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    /// Why it failed, in the words of the answer.
    pub(super) error: Option<&'a str>,
}

impl Access<'_> {
    /// Writes the line.
    pub(super) fn log(&self) {
        if ::log::max_level() < ::log::Level::Info {
            return;
        }
        let peer = self.peer.to_string();
        let fields = [
            ("id", Value::Text(self.id)),
            ("peer", Value::Text(&peer)),
            (
                "method",
                Value::Text(self.head.map_or("-", |head| head.method().as_str())),
            ),
            (
                "path",
                Value::Text(self.head.map_or("-", |head| head.target().path())),
            ),
            ("status", Value::Number(self.status.into())),
            ("duration_ms", Value::Milliseconds(self.duration)),
            ("bytes_in", Value::Number(self.bytes_in)),
            ("bytes_out", Value::Number(self.bytes_out)),
            (
                "error",
                Value::Text(beginning(self.error.unwrap_or_default())),
            ),
        ];
        let shown = if self.error.is_some() {
            &fields[..]
        } else {
            &fields[..fields.len() - 1]
        };
        log::line(::log::Level::Info, "request", shown);
    }
}

/// As much of an error as is logged: one may quote what came, and a body has a megabyte.
fn beginning(error: &str) -> &str {
    let end = error
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= limits::LOG_ERROR_BYTES);
    end.map_or(error, |end| &error[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_logged_up_to_a_length() {
        assert_eq!(beginning("short"), "short");
        let logged = beginning(&"ä".repeat(1_000_000)).len();
        assert!((limits::LOG_ERROR_BYTES..limits::LOG_ERROR_BYTES + 4).contains(&logged));
    }
}
