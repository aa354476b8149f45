//! What the server counts while it works: requests by endpoint and status, how long they took, connections and workers.
//! Atomics of a fixed number: counting takes no lock and no memory, and nothing a client sends becomes a name.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Every status that is answered; 499, which is never sent, stands for clients that went away. Others count as 0.
const STATUSES: [u16; 29] = [
    200, 201, 400, 401, 403, 404, 405, 408, 409, 411, 413, 414, 415, 416, 417, 422, 428, 429, 431,
    499, 500, 501, 502, 503, 504, 505, 507, 206, 304,
];

/// Upper ends of the histogram's buckets: from an answer out of memory to a build.
pub const BOUNDS: [Duration; 12] = [
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
];

/// An endpoint's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `GET`
    pub method: &'static str,
    /// `/containers/{n}/logs`
    pub pattern: &'static str,
}

/// Requests that reached no endpoint: refused for their address, key, path, method or form, or for want of a worker.
const NO_ENDPOINT: Endpoint = Endpoint {
    method: "",
    pattern: "none",
};

/// What is counted.
#[derive(Debug)]
pub struct Counters {
    endpoints: Box<[Count]>,
    /// Open connections.
    pub connections: Gauge,
    /// Workers, busy or not.
    pub workers: Gauge,
    /// Workers that have a request.
    pub busy_workers: Gauge,
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicUsize);

#[derive(Debug)]
struct Count {
    endpoint: Endpoint,
    statuses: [AtomicU64; STATUSES.len() + 1],
    /// Not cumulative; the last one is for what takes longer than all bounds.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// What was counted for an endpoint that had requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Requests {
    /// Which.
    pub endpoint: Endpoint,
    /// Requests with each status that there was.
    pub by_status: Vec<(u16, u64)>,
    /// How long they took.
    pub durations: Histogram,
}

/// How long requests took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Requests that took up to [`BOUNDS`], those of the smaller ones included.
    pub up_to: [u64; BOUNDS.len()],
    /// All requests.
    pub count: u64,
    /// The time of all of them.
    pub sum: Duration,
}

impl Gauge {
    /// It is this now.
    pub fn set(&self, value: usize) {
        self.0.store(value, Relaxed);
    }

    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// One less.
    pub fn subtract(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// What it is.
    pub fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

impl Counters {
    /// Nothing so far. Requests are counted by the place of their endpoint in this list.
    pub fn new(endpoints: impl Iterator<Item = Endpoint>) -> Self {
        Self {
            endpoints: endpoints.chain([NO_ENDPOINT]).map(Count::new).collect(),
            connections: Gauge::default(),
            workers: Gauge::default(),
            busy_workers: Gauge::default(),
        }
    }

    /// Counts an answer. `endpoint` is its place in the list, `None` for a request that reached none.
    pub fn count(&self, endpoint: Option<usize>, status: u16, duration: Duration) {
        let last = self.endpoints.len() - 1;
        let count = &self.endpoints[endpoint.map_or(last, |place| place.min(last))];
        let known = STATUSES.iter().position(|known| *known == status);
        count.statuses[known.unwrap_or(STATUSES.len())].fetch_add(1, Relaxed);
        let bucket = BOUNDS.iter().position(|bound| duration <= *bound);
        count.buckets[bucket.unwrap_or(BOUNDS.len())].fetch_add(1, Relaxed);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        count.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    /// The endpoints that had requests.
    pub fn requests(&self) -> Vec<Requests> {
        let requests = self.endpoints.iter().map(Count::read);
        requests.filter(|one| !one.by_status.is_empty()).collect()
    }
}

impl Count {
    fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            statuses: [const { AtomicU64::new(0) }; STATUSES.len() + 1],
            buckets: [const { AtomicU64::new(0) }; BOUNDS.len() + 1],
            nanoseconds: AtomicU64::new(0),
        }
    }

    fn read(&self) -> Requests {
        let statuses = STATUSES.iter().copied().chain([0]).zip(&self.statuses);
        let counted = statuses.map(|(status, count)| (status, count.load(Relaxed)));
        let mut by_status: Vec<_> = counted.filter(|(_, count)| *count > 0).collect();
        by_status.sort_unstable();
        Requests {
            endpoint: self.endpoint,
            by_status,
            durations: self.durations(),
        }
    }

    fn durations(&self) -> Histogram {
        let mut histogram = Histogram::default();
        for (bucket, up_to) in self.buckets.iter().zip(&mut histogram.up_to) {
            histogram.count += bucket.load(Relaxed);
            *up_to = histogram.count;
        }
        histogram.count += self.buckets[BOUNDS.len()].load(Relaxed);
        histogram.sum = Duration::from_nanos(self.nanoseconds.load(Relaxed));
        histogram
    }
}

impl Histogram {
    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.up_to.iter_mut().zip(other.up_to) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: Endpoint = Endpoint {
        method: "GET",
        pattern: "/ping",
    };

    #[test]
    fn counts_by_endpoint_and_status() {
        let counters = Counters::new([PING].into_iter());
        assert_eq!(counters.requests(), []);
        for (status, milliseconds) in [(200, 1), (200, 2), (503, 700_000)] {
            counters.count(Some(0), status, Duration::from_millis(milliseconds));
        }
        counters.count(None, 299, Duration::ZERO);
        // A place that is not in the list is nobody's, and no panic.
        counters.count(Some(9), 404, Duration::ZERO);
        let requests = counters.requests();
        assert_eq!(requests[0].endpoint, PING);
        assert_eq!(requests[0].by_status, [(200, 2), (503, 1)]);
        let durations = requests[0].durations;
        assert_eq!(
            (durations.up_to[0], durations.up_to[1], durations.up_to[11]),
            (1, 2, 2)
        );
        assert_eq!(
            (durations.count, durations.sum),
            (3, Duration::from_millis(700_003))
        );
        assert_eq!(requests[1].by_status, [(0, 1), (404, 1)]);
        assert_eq!(requests[1].endpoint, NO_ENDPOINT);
        assert_eq!(durations.plus(&durations).count, 6);
    }

    #[test]
    fn every_status_has_one_place() {
        let mut sorted = STATUSES;
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|two| two[0] < two[1]));
        assert!(BOUNDS.windows(2).all(|two| two[0] < two[1]));
    }
}
