//! What is known, under an upload's lock, about extracting it before its set is complete: who does it, how far it has
//! read, and whether what it has read is still what is there.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Terms;
use crate::limits;

/// An upload's attempts at it, one at a time.
#[derive(Debug, Default)]
pub(super) struct Lead {
    attempts: u32,
    /// Chunks that came, the same one again counts again.
    arrivals: u64,
    /// Whether anybody is at it still, also one whose attempt was ended: what that has unpacked is there until then.
    is_manned: bool,
    run: Option<Run>,
}

/// One attempt.
#[derive(Debug)]
pub(super) struct Run {
    /// Set when it is no longer wanted, and then it is none of the lead's any more.
    stop: Arc<AtomicBool>,
    terms: Terms,
    /// Chunks that were opened: all before this one.
    pub(super) opened: u32,
    /// The sums of those that were read to their end: eight bytes a chunk, 0.8 MB at most.
    fingerprints: Vec<u64>,
    /// That of what took the place of the chunk that is being read.
    successor: Option<u64>,
    answer: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Gain {
    pub(super) answer: String,
    /// Of all chunks, in their order.
    pub(super) fingerprints: Vec<u64>,
}

impl Lead {
    /// Whether somebody may begin.
    pub(super) fn is_free(&self) -> bool {
        !self.is_manned && self.run.is_none() && self.attempts < limits::UPLOAD_AHEAD_ATTEMPTS
    }

    /// Begins an attempt for these terms. It ends when what is returned becomes true.
    pub(super) fn begin(&mut self, terms: Terms) -> Arc<AtomicBool> {
        self.stop();
        self.attempts += 1;
        self.is_manned = true;
        let stop = Arc::<AtomicBool>::default();
        self.run = Some(Run {
            stop: Arc::clone(&stop),
            terms,
            opened: 0,
            fingerprints: Vec::new(),
            successor: None,
            answer: None,
        });
        stop
    }

    /// Ends the attempt; another one may follow.
    pub(super) fn stop(&mut self) {
        if let Some(run) = self.run.take() {
            run.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Another upload has the name now.
    pub(super) fn start_over(&mut self) {
        self.stop();
        self.attempts = 0;
    }

    /// Whoever was at the attempt of `stop` has left. If it came to nothing there will be no other one: the archive is no
    /// good, or its target is not.
    pub(super) fn leave(&mut self, stop: &Arc<AtomicBool>) {
        self.is_manned = false;
        if self.run(stop).is_some_and(|run| run.answer.is_none()) {
            self.stop();
            self.attempts = limits::UPLOAD_AHEAD_ATTEMPTS;
        }
    }

    /// A chunk came, of an upload with these terms. Ends the attempt when it has read another one in its place, or works
    /// by other terms.
    pub(super) fn chunk_came(&mut self, index: u32, fingerprint: u64, terms: &Terms) {
        self.arrivals += 1;
        let is_stale = self
            .run
            .as_mut()
            .is_some_and(|run| run.terms != *terms || run.has_read_another(index, fingerprint));
        if is_stale {
            self.stop();
        }
    }

    /// Counts what came.
    pub(super) fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// The attempt of `stop` has read a chunk to its end. Ends it when that was replaced by another one meanwhile.
    pub(super) fn was_read(&mut self, stop: &Arc<AtomicBool>, fingerprint: u64) {
        let Some(run) = self.run(stop) else {
            return;
        };
        run.fingerprints.push(fingerprint);
        if run
            .successor
            .take()
            .is_some_and(|other| other != fingerprint)
        {
            self.stop();
        }
    }

    /// The attempt that `stop` belongs to, unless it was ended.
    pub(super) fn run(&mut self, stop: &Arc<AtomicBool>) -> Option<&mut Run> {
        let run = self.run.as_mut();
        run.filter(|run| Arc::ptr_eq(&run.stop, stop))
    }

    /// Whether anybody is at it.
    pub(super) fn is_manned(&self) -> bool {
        self.is_manned
    }

    /// What the last attempt has come to, if it has.
    pub(super) fn take(&mut self) -> Option<Gain> {
        let run = self.run.take()?;
        Some(Gain {
            answer: run.answer?,
            fingerprints: run.fingerprints,
        })
    }
}

impl Run {
    /// It was extracted.
    pub(super) fn succeed(&mut self, answer: String) {
        self.answer = Some(answer);
    }

    /// Whether it has read something else in the place of this chunk. Of one that it is just reading this is not known
    /// yet: then it is kept in mind.
    fn has_read_another(&mut self, index: u32, fingerprint: u64) -> bool {
        let known = self.fingerprints.get(index as usize);
        match known.or(self.successor.as_ref()) {
            _ if index >= self.opened => false,
            Some(known) => *known != fingerprint,
            None => {
                self.successor = Some(fingerprint);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_over(stop: &Arc<AtomicBool>) -> bool {
        stop.load(Ordering::Relaxed)
    }

    #[test]
    fn only_what_was_read_otherwise_ends_it() {
        let (mut lead, terms) = (Lead::default(), Terms::default());
        let stop = lead.begin(terms.clone());
        lead.run(&stop).unwrap().opened = 2;
        lead.was_read(&stop, 7);
        lead.chunk_came(2, 1, &terms);
        lead.chunk_came(0, 7, &terms);
        // It is open, and not read to its end.
        lead.chunk_came(1, 8, &terms);
        lead.chunk_came(1, 8, &terms);
        lead.was_read(&stop, 8);
        lead.chunk_came(1, 8, &terms);
        assert!(!is_over(&stop));
        lead.run(&stop).unwrap().opened = 3;
        lead.chunk_came(2, 9, &terms);
        lead.was_read(&stop, 10);
        assert!(is_over(&stop) && lead.run(&stop).is_none());
        assert!(lead.is_manned() && !lead.is_free());
        lead.leave(&stop);
        assert!(!lead.is_manned() && lead.is_free());
        let stop = lead.begin(terms.clone());
        lead.run(&stop).unwrap().opened = 1;
        lead.was_read(&stop, 7);
        lead.chunk_came(0, 8, &terms);
        assert!(is_over(&stop));
        lead.leave(&stop);
        let stop = lead.begin(terms.clone());
        lead.run(&stop).unwrap().opened = 1;
        lead.chunk_came(0, 7, &terms);
        lead.chunk_came(0, 8, &terms);
        assert!(is_over(&stop), "it cannot be both");
        assert_eq!(lead.arrivals(), 9);
    }

    #[test]
    fn other_terms_end_it_and_a_few_attempts_are_all() {
        let mut lead = Lead::default();
        for _ in 0..limits::UPLOAD_AHEAD_ATTEMPTS {
            assert!(lead.is_free());
            let stop = lead.begin(Terms::default());
            let more = Terms {
                mode: Some("replace".to_owned()),
                ..Terms::default()
            };
            lead.chunk_came(3, 1, &more);
            assert!(is_over(&stop));
            lead.leave(&stop);
        }
        assert!(!lead.is_free());
        lead.start_over();
        assert!(lead.is_free());
        let stop = lead.begin(Terms::default());
        lead.leave(&stop);
        assert!(is_over(&stop) && !lead.is_free(), "it came to nothing");
    }

    #[test]
    fn what_it_came_to_is_there_once() {
        let mut lead = Lead::default();
        let stop = lead.begin(Terms::default());
        lead.was_read(&stop, 7);
        lead.run(&stop).unwrap().succeed("{}".to_owned());
        lead.leave(&stop);
        let gain = lead.take().unwrap();
        assert_eq!(
            (gain.answer.as_str(), &gain.fingerprints[..]),
            ("{}", &[7][..])
        );
        assert!(lead.take().is_none());
    }
}
