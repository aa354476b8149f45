//! The end that a signal asks for: SIGTERM, SIGINT or SIGHUP stop the container, and the run goes to its end as it does
//! when the container stops by itself.
#![forbid(unsafe_code)]

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::engine::Engine;
use crate::limits;
use crate::sys::poll::{Interest, is_hung_up, wait_any};
use crate::sys::signal::Signals;

/// What a run looks at to learn that it is to end.
#[derive(Debug)]
pub struct Stop {
    /// Hangs up when a signal came.
    asked: PipeReader,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: Engine,
    container: Mutex<Option<String>>,
    is_asked: AtomicBool,
}

impl Stop {
    /// Begins to watch `signals`.
    pub fn watch(signals: Signals, engine: Engine) -> io::Result<Self> {
        let (asked, ask) = io::pipe()?;
        let shared = Arc::new(Shared {
            engine,
            container: Mutex::default(),
            is_asked: AtomicBool::new(false),
        });
        let watching = Arc::clone(&shared);
        // It ends with the process.
        thread::Builder::new()
            .name("signals".to_owned())
            .stack_size(limits::SMALL_STACK_BYTES)
            .spawn(move || watching.stop_at(signals, ask))?;
        Ok(Self { asked, shared })
    }

    /// What hangs up when the run is to end: for waits that may end early.
    pub(super) fn watched(&self) -> BorrowedFd<'_> {
        self.asked.as_fd()
    }

    /// Whether the run is to end.
    pub(super) fn is_asked(&self) -> bool {
        is_hung_up(self.watched())
    }

    /// Waits for so long, or until the run is to end.
    pub(super) fn sleep(&self, time: Duration) {
        // A wait that fails is a short one.
        let _ = wait_any([Some((self.watched(), Interest::Hangup))], time);
    }

    /// From now on a signal stops this container. Called before its start; after its start, call
    /// [`Stop::catch_up`].
    pub(super) fn covers(&self, container: &str) {
        *self.shared.container() = Some(container.to_owned());
    }

    /// Stops the container if a signal came when it could not be stopped yet.
    pub(super) fn catch_up(&self) {
        if self.shared.is_asked.load(Ordering::SeqCst) {
            self.shared.stop();
        }
    }
}

impl Shared {
    fn container(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.container
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn stop_at(&self, mut signals: Signals, ask: PipeWriter) {
        while signals.take().is_none() {
            let _ = wait_any([Some((signals.as_fd(), Interest::Read))], limits::CRON_RUN);
        }
        self.is_asked.store(true, Ordering::SeqCst);
        drop(ask);
        self.stop();
    }

    fn stop(&self) {
        let Some(container) = self.container().clone() else {
            return;
        };
        match self.engine.stop(&container, limits::CRON_STOP_GRACE, None) {
            // 404: it ended by itself.
            Err(error) if error.status() != Some(404) => {
                log::warn!("the container could not be stopped: {error}");
            }
            _ => {}
        }
    }
}
