//! Starts the real binary on a free port with its own directories, and talks to it. Whatever a test starts is stopped
//! and removed when its owner is dropped, also when the test fails.

pub mod agent;
pub mod builds;
pub mod cron_lab;
pub mod dev;
pub mod docker;
pub mod dockerd;
pub mod figures;
pub mod file_lab;
pub mod git_host;
pub mod git_lab;
pub mod haproxy;
pub mod http;
pub mod lab;
pub mod liar;
pub mod made;
pub mod numbers;
pub mod operator;
pub mod peer;
pub mod process;
pub mod reference;
pub mod registry;
pub mod seen;
pub mod shelf;
pub mod ssh_host;
pub mod tar_builder;
pub mod tmpfs;
pub mod upload;
pub mod upload_lab;
pub mod web;
pub mod yard;

pub use agent::Agent;
pub use http::{Client, Response};

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Waits until `condition` gives something, and fails loudly when it does not in time.
pub fn eventually<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(20), what, condition)
}

/// The same for what may take longer.
pub fn eventually_within<T>(
    time: Duration,
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let until = Instant::now() + time;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(
            Instant::now() < until,
            "waited {time:?} in vain for: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Tells other threads to end when it is dropped, also when the test fails.
pub struct Over<'a>(pub &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
