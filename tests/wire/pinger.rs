//! Somebody who asks `/ping` all the time, on fresh connections and on a kept one, while others attack.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::Client;

/// Between two rounds.
const PACE: Duration = Duration::from_millis(20);

/// The times of pings; a ping that fails makes [`Self::stop`] fail.
pub struct Pinger {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Duration>>>,
}

impl Pinger {
    /// Starts asking.
    pub fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut kept = Client::connect(address);
            let mut times = Vec::new();
            while !told.load(Ordering::Relaxed) {
                times.push(timed(|| ping(&mut kept)));
                times.push(timed(|| ping(&mut Client::connect(address))));
                std::thread::sleep(PACE);
            }
            times
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// Stops; the time that 99 of 100 pings kept, and the worst.
    pub fn stop(mut self) -> (Duration, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let mut times = self.thread.take().unwrap().join().expect("a ping failed");
        times.sort();
        assert!(times.len() >= 20, "only {} pings", times.len());
        (times[times.len() * 99 / 100], times[times.len() - 1])
    }
}

impl Drop for Pinger {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn ping(client: &mut Client) {
    client.request("GET", "/ping", &[], b"").expect(200);
}
