//! The workers: made on demand, gone when idle. The gate is the only one that hands out work, so it can count.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::exchange::{Exchange, Returned, Workshop};
use crate::api::Counters;
use crate::limits;

/// The pool, as the gate sees it.
pub(super) struct Pool {
    jobs: Sender<Exchange>,
    shared: Arc<Shared>,
    most_workers: usize,
    most_long: usize,
}

struct Shared {
    jobs: Receiver<Exchange>,
    workshop: Workshop,
    workers: AtomicUsize,
    /// Handed out and not finished.
    running: AtomicUsize,
    long_running: AtomicUsize,
}

impl Pool {
    /// A pool of at most `most_workers`, of which three quarters may do long work, so that short work always finds one.
    pub(super) fn new(most_workers: usize, workshop: Workshop) -> Self {
        let (sender, receiver) = bounded(most_workers + limits::QUEUE);
        let zero = || AtomicUsize::new(0);
        let shared = Shared {
            jobs: receiver,
            workshop,
            workers: zero(),
            running: zero(),
            long_running: zero(),
        };
        let pool = Self {
            jobs: sender,
            shared: Arc::new(shared),
            most_workers,
            most_long: most_workers * 3 / 4,
        };
        for _ in 0..limits::IDLE_WORKERS {
            pool.hire();
        }
        pool
    }

    /// How many requests are with the workers, waiting ones included.
    pub(super) fn running(&self) -> usize {
        self.shared.running.load(SeqCst)
    }

    /// Whether a request can be taken on. Only the gate asks and dispatches, so a yes holds until it does.
    pub(super) fn has_room(&self, is_long: bool) -> bool {
        let has_place = self.running() < self.most_workers + limits::QUEUE;
        let may_run = !is_long || self.shared.long_running.load(SeqCst) < self.most_long;
        has_place && may_run && self.has_worker()
    }

    /// Whether anybody is there who does the work, now. There is nobody when the system gave no thread at the start;
    /// from the first one on there always is.
    fn has_worker(&self) -> bool {
        let is_there = || self.shared.workers.load(SeqCst) > 0;
        is_there() || {
            self.hire();
            is_there()
        }
    }

    /// Hands `job` to a worker; ask [`Self::has_room`] first.
    pub(super) fn dispatch(&self, job: Exchange) {
        let is_long = job.is_long();
        let running = self.shared.running.fetch_add(1, SeqCst) + 1;
        if is_long {
            self.shared.long_running.fetch_add(1, SeqCst);
        }
        if self.jobs.try_send(job).is_err() {
            log::error!("a request found no place in the queue");
            self.shared.finish(is_long);
            return;
        }
        let workers = self.shared.workers.load(SeqCst);
        if running > workers && workers < self.most_workers {
            self.hire();
        }
    }

    /// Starts one more worker. When the system gives no thread, the others take the work; the next dispatch tries again.
    fn hire(&self) {
        let shared = Arc::clone(&self.shared);
        self.shared.workers.fetch_add(1, SeqCst);
        let builder = std::thread::Builder::new()
            .name("worker".into())
            .stack_size(limits::WORKER_STACK_BYTES);
        self.shared.counters().workers.add();
        if let Err(error) = builder.spawn(move || shared.work()) {
            self.shared.workers.fetch_sub(1, SeqCst);
            self.shared.counters().workers.subtract();
            log::error!("cannot start a worker: {error}");
        }
    }
}

impl Shared {
    fn work(&self) {
        loop {
            match self.jobs.recv_timeout(limits::WORKER_IDLE) {
                Ok(job) => {
                    let is_long = job.is_long();
                    // Handlers are caught nearer by; this is for the rest, so that a place is never lost.
                    self.counters().busy_workers.add();
                    let served = catch_unwind(AssertUnwindSafe(|| job.serve(&self.workshop)));
                    self.counters().busy_workers.subtract();
                    self.finish(is_long);
                    match served {
                        Ok(returned) => self.workshop.give_back(returned),
                        Err(_) => log::error!(
                            "a worker panicked outside a handler; its connection is lost"
                        ),
                    }
                }
                Err(crossbeam_channel::RecvTimeoutError::Timeout) if !self.may_leave() => {}
                Err(_) => return,
            }
        }
    }

    fn finish(&self, was_long: bool) {
        self.running.fetch_sub(1, SeqCst);
        if was_long {
            self.long_running.fetch_sub(1, SeqCst);
        }
    }

    /// Signs off first and looks at the queue afterwards: either the gate sees one worker less and hires, or we see its
    /// job and stay.
    fn may_leave(&self) -> bool {
        if self.workers.fetch_sub(1, SeqCst) > limits::IDLE_WORKERS && self.jobs.is_empty() {
            self.counters().workers.subtract();
            return true;
        }
        self.workers.fetch_add(1, SeqCst);
        false
    }

    fn counters(&self) -> &Counters {
        &self.workshop.context.counters
    }
}

/// Where workers put connections for the gate.
pub(super) type Returns = Sender<Returned>;
