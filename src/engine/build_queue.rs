//! One build at a time: two at once would need the memory of a small droplet twice. The next ones wait in the order in
//! which they came, a few of them and not for ever.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Engine;
use crate::limits;
use crate::sys::poll;

/// Who builds and who waits.
#[derive(Debug, Default)]
pub(super) struct BuildQueue {
    /// Tickets; the first one builds.
    tickets: Mutex<Tickets>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Tickets {
    last: u64,
    waiting: VecDeque<u64>,
}

/// The turn to build; ends when it is dropped.
pub struct BuildTurn<'q> {
    queue: &'q BuildQueue,
    ticket: u64,
}

/// Why there is no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTurn {
    /// Enough wait already.
    Full,
    /// The builds before took too long.
    TooLong,
    /// The client went away.
    Abandoned,
}

impl Engine {
    /// Waits until nobody else builds.
    pub fn build_turn(&self, client: BorrowedFd<'_>) -> Result<BuildTurn<'_>, NoTurn> {
        self.0.builds.turn(client, limits::BUILD_TURN_WAIT)
    }

    /// Whether somebody builds.
    pub fn is_building(&self) -> bool {
        !self.0.builds.lock().waiting.is_empty()
    }
}

impl BuildQueue {
    fn turn(&self, client: BorrowedFd<'_>, patience: Duration) -> Result<BuildTurn<'_>, NoTurn> {
        let until = Instant::now() + patience;
        let mut tickets = self.lock();
        // The one that builds does not wait.
        if tickets.waiting.len() > limits::BUILDS_WAITING {
            return Err(NoTurn::Full);
        }
        tickets.last += 1;
        let ticket = tickets.last;
        tickets.waiting.push_back(ticket);
        // From here on its drop takes the ticket back.
        let turn = BuildTurn {
            queue: self,
            ticket,
        };
        while tickets.waiting.front() != Some(&ticket) {
            let left = until.saturating_duration_since(Instant::now());
            let waited = self
                .moved
                .wait_timeout(tickets, left.min(limits::CLIENT_LOOK));
            tickets = waited.unwrap_or_else(PoisonError::into_inner).0;
            let reason = if left.is_zero() {
                Some(NoTurn::TooLong)
            } else {
                poll::is_hung_up(client).then_some(NoTurn::Abandoned)
            };
            if let Some(reason) = reason {
                drop(tickets);
                return Err(reason);
            }
        }
        drop(tickets);
        Ok(turn)
    }

    fn lock(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for BuildTurn<'_> {
    fn drop(&mut self) {
        self.queue
            .lock()
            .waiting
            .retain(|ticket| *ticket != self.ticket);
        self.queue.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn one_at_a_time_in_the_order_they_came() {
        let queue = BuildQueue::default();
        let (_client, ours) = UnixStream::pair().unwrap();
        let first = queue.turn(ours.as_fd(), LONG).ok().unwrap();
        let (done, order) = mpsc::channel();
        std::thread::scope(|scope| {
            for number in 0..3 {
                let (done, queue, ours) = (done.clone(), &queue, &ours);
                scope.spawn(move || {
                    let turn = queue.turn(ours.as_fd(), LONG).ok().unwrap();
                    done.send((number, queue.lock().waiting[0] == turn.ticket))
                        .unwrap();
                });
                while queue.lock().waiting.len() < number + 2 {
                    std::thread::yield_now();
                }
            }
            assert!(order.try_recv().is_err());
            drop(first);
            let seen: Vec<_> = order.iter().take(3).collect();
            assert_eq!(seen, [(0, true), (1, true), (2, true)]);
        });
        assert!(queue.lock().waiting.is_empty());
    }

    #[test]
    fn nobody_waits_for_ever_or_for_a_client_that_left() {
        let queue = BuildQueue::default();
        let (client, ours) = UnixStream::pair().unwrap();
        let turn = queue.turn(ours.as_fd(), LONG).ok().unwrap();
        let refused = |patience| queue.turn(ours.as_fd(), patience).err();
        assert_eq!(refused(Duration::from_millis(1)), Some(NoTurn::TooLong));
        drop(client);
        assert_eq!(refused(LONG), Some(NoTurn::Abandoned));
        assert_eq!(queue.lock().waiting.len(), 1);
        drop(turn);
        assert!(queue.turn(ours.as_fd(), LONG).is_ok());
    }

    #[test]
    fn only_a_few_wait() {
        let queue = BuildQueue::default();
        let (_client, ours) = UnixStream::pair().unwrap();
        queue
            .lock()
            .waiting
            .extend(0..=limits::BUILDS_WAITING as u64);
        assert_eq!(queue.turn(ours.as_fd(), LONG).err(), Some(NoTurn::Full));
    }
}
