//! Work that must not be done twice at once on the same thing, with a bound on the wait for one's turn. A leaf: uses std
//! alone.
#![forbid(unsafe_code)]

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is worked on, by name. A mutex of std's has no wait with an end.
#[derive(Debug, Default)]
pub struct Exclusive {
    taken: Mutex<Vec<String>>,
    left: Condvar,
}

/// A name is taken until this is dropped.
#[derive(Debug)]
pub struct Turn<'e> {
    place: &'e Exclusive,
    name: String,
}

impl Exclusive {
    /// Waits until nobody works on `name`, at most as long as `patience`; `None` when somebody still does.
    pub fn turn(&self, name: &str, patience: Duration) -> Option<Turn<'_>> {
        let until = Instant::now() + patience;
        let mut taken = self.taken();
        while taken.iter().any(|other| other == name) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.left.wait_timeout(taken, left);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        taken.push(name.to_owned());
        Some(Turn {
            place: self,
            name: name.to_owned(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, Vec<String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.place.taken().retain(|name| *name != self.name);
        // Those who wait may wait for other names.
        self.place.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_at_a_time_and_all_in_the_end() {
        let place = Exclusive::default();
        let inside = [AtomicU32::new(0), AtomicU32::new(0)];
        let done = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for index in 0..8 {
                let (place, inside, done) = (&place, &inside[index % 2], &done);
                scope.spawn(move || {
                    for _ in 0..100 {
                        let name = ["a", "b"][index % 2];
                        let _turn = place.turn(name, Duration::from_secs(60)).unwrap();
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
        let turn = place.turn("a", Duration::ZERO);
        assert!(turn.is_some());
        assert!(place.turn("a", Duration::from_millis(20)).is_none());
        assert!(place.turn("b", Duration::ZERO).is_some());
        drop(turn);
        assert!(place.turn("a", Duration::ZERO).is_some());
    }
}
