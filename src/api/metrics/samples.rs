//! The samples of processor time that are kept, so that the next request can tell the use since then.
//!
//! Two are kept, at least [`limits::METRICS_SPACING`] apart. Whoever asks gets the use since the newer one, or, when
//! somebody else has just asked, since the older one: a scraper's figures are never about the few milliseconds since
//! another scraper's.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::host::machine::CpuTimes;
use crate::limits;

/// What the machine and the containers had used at one moment.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) machine: Option<CpuTimes>,
    /// By id.
    pub(super) containers: HashMap<String, Reading>,
}

/// What one container had used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Which run of it.
    pub(super) run: u64,
    pub(super) at: Instant,
    pub(super) used: Duration,
}

/// The samples.
#[derive(Debug, Default)]
pub(super) struct Samples(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    newer: Option<Arc<Sample>>,
    older: Option<Arc<Sample>>,
}

impl Reading {
    /// The processors that it kept busy since `earlier`; `None` when that was another run, or no time ago.
    pub(super) fn cores_since(&self, earlier: &Self) -> Option<f64> {
        let used = self.used.checked_sub(earlier.used)?.as_secs_f64();
        let passed = self.at.checked_duration_since(earlier.at)?.as_secs_f64();
        (self.run == earlier.run && passed > 0.0).then(|| used / passed)
    }
}

impl Samples {
    /// The sample to compare with at `now`: not too fresh, not too old.
    pub(super) fn earlier(&self, now: Instant) -> Option<Arc<Sample>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |sample: &Arc<Sample>| now.saturating_duration_since(sample.at);
        let at_least = |least: Duration, sample: &Option<Arc<Sample>>| {
            let sample = sample.as_ref()?;
            (least..=limits::METRICS_SAMPLE_KEPT)
                .contains(&age(sample))
                .then(|| Arc::clone(sample))
        };
        at_least(limits::METRICS_SPACING, &kept.newer)
            .or_else(|| at_least(limits::METRICS_WINDOW, &kept.older))
            .or_else(|| at_least(limits::METRICS_WINDOW, &kept.newer))
    }

    /// Keeps `sample`, unless one was kept a moment ago. The oldest goes.
    pub(super) fn keep(&self, sample: Sample) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spacing = kept
            .newer
            .as_ref()
            .map(|newer| sample.at.saturating_duration_since(newer.at));
        if spacing.is_none_or(|spacing| spacing >= limits::METRICS_SPACING) {
            let newer = kept.newer.replace(Arc::new(sample));
            kept.older = newer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: Instant) -> Sample {
        Sample {
            at,
            machine: None,
            containers: HashMap::new(),
        }
    }

    /// The age of what is compared with after `milliseconds`, with samples taken at these.
    fn age(taken: &[u64], milliseconds: u64) -> Option<u128> {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let samples = Samples::default();
        for moment in taken {
            samples.keep(sample(at(*moment)));
        }
        let earlier = samples.earlier(at(milliseconds))?;
        Some((at(milliseconds) - earlier.at).as_millis())
    }

    #[test]
    fn the_last_one_of_a_steady_reader() {
        assert_eq!(age(&[], 0), None);
        assert_eq!(age(&[0], 15_000), Some(15_000));
        assert_eq!(age(&[0, 15_000, 30_000], 45_000), Some(15_000));
    }

    #[test]
    fn a_reader_just_before_does_not_disturb() {
        assert_eq!(age(&[0, 15_000], 15_005), Some(15_005));
        assert_eq!(age(&[0, 15_000, 15_005, 15_010], 30_000), Some(15_000));
        // Ten readers a second get figures over more than a second.
        let many: Vec<u64> = (0..100).map(|tenth| tenth * 100).collect();
        assert_eq!(age(&many, 9_950), Some(1_950));
    }

    #[test]
    fn one_that_is_too_fresh_or_too_old_is_none() {
        assert_eq!(age(&[0], 50), None);
        assert_eq!(age(&[0], 300), Some(300));
        assert_eq!(age(&[0], 150_000), Some(150_000));
        assert_eq!(age(&[0], 150_001), None);
        assert_eq!(age(&[0, 400_000], 400_005), None);
    }

    #[test]
    fn cores_are_told_of_one_run_only() {
        let start = Instant::now();
        let reading = |run, seconds, used| Reading {
            run,
            at: start + Duration::from_secs(seconds),
            used: Duration::from_millis(used),
        };
        let earlier = reading(1, 0, 1000);
        assert_eq!(reading(1, 10, 6000).cores_since(&earlier), Some(0.5));
        assert_eq!(reading(2, 10, 6000).cores_since(&earlier), None);
        assert_eq!(reading(1, 10, 999).cores_since(&earlier), None);
        assert_eq!(reading(1, 0, 6000).cores_since(&earlier), None);
    }
}
