//! One reload at a time: a test that was passed must be about the configuration that is then loaded, and new workers must
//! be those of the own reload.
#![forbid(unsafe_code)]

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turns {
    is_taken: Mutex<bool>,
    given_back: Condvar,
}

/// The turn, until it is dropped.
pub(super) struct Turn<'t>(&'t Turns);

impl Turns {
    /// The turn, when it comes within this time.
    pub(super) fn take(&self, within: Duration) -> Option<Turn<'_>> {
        let (mut is_taken, _) = self
            .given_back
            .wait_timeout_while(self.lock(), within, |is_taken| *is_taken)
            .unwrap_or_else(PoisonError::into_inner);
        if *is_taken {
            return None;
        }
        *is_taken = true;
        Some(Turn(self))
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_after_the_other() {
        let turns = Turns::default();
        let first = turns.take(Duration::ZERO);
        assert!(first.is_some() && turns.take(Duration::from_millis(5)).is_none());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| turns.take(Duration::from_secs(10)).is_some());
            drop(first);
            assert!(second.join().unwrap());
        });
        assert!(turns.take(Duration::ZERO).is_some());
    }
}
