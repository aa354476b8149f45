//! Work that must not be done twice at once, with a bound on the wait for one's turn. A leaf: uses std alone.
#![forbid(unsafe_code)]

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A place for one. A mutex of std's has no wait with an end.
#[derive(Debug, Default)]
pub struct Exclusive {
    is_taken: Mutex<bool>,
    left: Condvar,
}

/// The place is taken until this is dropped.
#[derive(Debug)]
pub struct Turn<'e>(&'e Exclusive);

impl Exclusive {
    /// Waits until the place is free, at most as long as `patience`; `None` when it does not get free.
    pub fn turn(&self, patience: Duration) -> Option<Turn<'_>> {
        let until = Instant::now() + patience;
        let mut is_taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *is_taken {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.left.wait_timeout(is_taken, left);
            is_taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *is_taken = true;
        Some(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut is_taken = self
            .0
            .is_taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *is_taken = false;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_at_a_time_and_all_in_the_end() {
        let place = Exclusive::default();
        let (inside, done) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let _turn = place.turn(Duration::from_secs(60)).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 800);
    }

    #[test]
    fn a_wait_has_an_end_and_a_turn_too() {
        let place = Exclusive::default();
        let turn = place.turn(Duration::ZERO);
        assert!(turn.is_some());
        assert!(place.turn(Duration::from_millis(20)).is_none());
        drop(turn);
        assert!(place.turn(Duration::ZERO).is_some());
    }
}
