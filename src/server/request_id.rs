//! Request ids: the client's own when it is harmless, otherwise ours. In `X-Request-Id` and the log.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use crate::wire::RequestHead;

/// Characters of an id of ours: eight for the process, eight for the request.
pub(super) const LENGTH: usize = 16;

/// Makes ids that differ between processes and requests.
#[derive(Debug)]
pub(super) struct RequestIds {
    process: u32,
    next: AtomicU32,
}

impl RequestIds {
    /// Ids of a new process.
    pub(super) fn new() -> Self {
        let random = crate::sys::process::random_bytes::<4>();
        let process = random.map_or(0, u32::from_ne_bytes);
        Self {
            process,
            next: AtomicU32::new(1),
        }
    }

    /// The next id.
    pub(super) fn next(&self) -> String {
        format!(
            "{:08x}{:08x}",
            self.process,
            self.next.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// The id of a request.
    pub(super) fn of(&self, head: &RequestHead) -> String {
        let harmless = |id: &&str| {
            let allowed =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            (1..=64).contains(&id.len()) && id.bytes().all(allowed)
        };
        head.text("X-Request-Id")
            .filter(harmless)
            .map_or_else(|| self.next(), str::to_owned)
    }
}
