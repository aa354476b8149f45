//! Reading a set that is not complete yet, in its order, as its chunks come: whoever extracts it has done most of the
//! work when the last one is there. It is a help and nothing depends on it: whatever goes wrong here, the request that
//! completes the set extracts it from the disk. After a restart of the agent the next chunk begins it anew.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::fingerprint::Fingerprint;
use super::folder::{Folder, chunk_name};
use super::id::UploadId;
use super::slot::{Known, Open, Slot, State};
use super::{Terms, Uploads};
use crate::limits;

/// The right to extract an upload while its chunks come; one upload has one at a time. Ended by [`Ahead::finish`], or by
/// dropping it: then nobody tries again before the set is complete.
#[derive(Debug)]
pub struct Ahead {
    slot: Arc<Slot>,
    folder: Folder,
    terms: Terms,
    total: u32,
    stop: Arc<AtomicBool>,
    _berth: Berth,
}

impl Uploads {
    /// The right to extract the upload `id` from now on: when its first chunk is there and it is known where to. None
    /// when somebody has it, when enough others do the same, or when there is nothing to be gained.
    pub fn ahead(&self, id: &str) -> Option<Ahead> {
        let hold = self.hold(UploadId::parse(id).ok()?);
        let mut known = hold.look().ok()?;
        let Known { state, lead, .. } = &mut *known;
        let State::Open(open) = state else {
            return None;
        };
        if !is_worth_it(open) || !lead.is_free() {
            return None;
        }
        let (folder, berth) = (hold.folder().ok()?, self.crew.berth()?);
        let terms = open.manifest.terms.clone();
        Some(Ahead {
            stop: lead.begin(terms.clone()),
            slot: Arc::clone(&hold.slot),
            folder,
            terms,
            total: open.manifest.total,
            _berth: berth,
        })
    }

    /// Ends all that is extracted before its set is complete, and waits until it has ended, no longer than `patience`.
    /// Nothing begins afterwards.
    pub(super) fn stop_ahead(&self, patience: Duration) {
        self.crew.close();
        let slots: Vec<_> = {
            let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.values().map(Arc::clone).collect()
        };
        for slot in slots {
            slot.lock().lead.stop();
            slot.arrived.notify_all();
        }
        self.crew.wait(patience);
    }
}

/// Whether its first chunk is there, others are missing, and it is known where to.
fn is_worth_it(open: &Open) -> bool {
    let is_begun = open.received.contains(0) && !open.received.is_complete();
    is_begun && open.manifest.terms.extract_path.is_some()
}

impl Ahead {
    /// What is to be done with the set. With other terms it ends.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The bytes of the set. Fails when nothing comes for `patience`, and when what was read is not valid any more. Its
    /// end comes only when the set is complete and a request waits for the answer: from then on nothing changes.
    pub fn reader(&self, patience: Duration) -> AheadReader<'_> {
        AheadReader {
            ahead: self,
            patience,
            current: None,
        }
    }

    /// It was extracted to its end, and this is the answer.
    pub fn finish(self, answer: String) {
        if let Some(run) = self.slot.lock().lead.run(&self.stop) {
            run.succeed(answer);
        }
    }

    /// The next chunk, when it is there; none at the end.
    fn next(&self, patience: Duration) -> io::Result<Option<File>> {
        let mut known = self.slot.lock();
        let mut seen = known.lead.arrivals();
        let mut until = Instant::now() + patience;
        loop {
            match self.step(&mut known) {
                Ok(Step::Wait) => {}
                Ok(Step::Read(file)) => return Ok(Some(file)),
                Ok(Step::End) => return Ok(None),
                Err(error) => {
                    known.lead.stop();
                    return Err(error);
                }
            }
            if seen != known.lead.arrivals() {
                (seen, until) = (known.lead.arrivals(), Instant::now() + patience);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Not for ever: the next chunk may begin it anew.
                known.lead.stop();
                return Err(io::ErrorKind::TimedOut.into());
            }
            known = self.wait(known, left);
        }
    }

    fn step(&self, known: &mut Known) -> io::Result<Step> {
        let Known { state, lead, .. } = known;
        let (State::Open(open), Some(run)) = (state, lead.run(&self.stop)) else {
            return Err(stopped());
        };
        if run.opened == self.total {
            return Ok(if open.is_claimed {
                Step::End
            } else {
                Step::Wait
            });
        }
        if !open.received.contains(run.opened) {
            return Ok(Step::Wait);
        }
        let file = self.folder.file(&chunk_name(run.opened))?;
        run.opened += 1;
        file.map(Step::Read).ok_or_else(stopped)
    }

    fn wait<'k>(&self, known: MutexGuard<'k, Known>, most: Duration) -> MutexGuard<'k, Known> {
        let waited = self.slot.arrived.wait_timeout(known, most);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.slot.lock().lead.leave(&self.stop);
        self.slot.settled.notify_all();
    }
}

enum Step {
    Read(File),
    Wait,
    End,
}

/// See [`Ahead::reader`].
#[derive(Debug)]
pub struct AheadReader<'a> {
    ahead: &'a Ahead,
    patience: Duration,
    current: Option<(File, Fingerprint)>,
}

impl Read for AheadReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.ahead.stop.load(Ordering::Relaxed) {
                return Err(stopped());
            }
            let (mut file, mut fingerprint) = match self.current.take() {
                Some(current) => current,
                None => match self.ahead.next(self.patience)? {
                    Some(file) => (file, Fingerprint::default()),
                    None => return Ok(0),
                },
            };
            let count = file.read(buffer)?;
            if count > 0 {
                fingerprint.update(&buffer[..count]);
                self.current = Some((file, fingerprint));
                return Ok(count);
            }
            let mut known = self.ahead.slot.lock();
            let sum = fingerprint.finish();
            known.lead.was_read(&self.ahead.stop, sum);
        }
    }
}

fn stopped() -> io::Error {
    io::Error::other("the upload has changed")
}

/// Those who extract sets that are not complete: few at a time.
#[derive(Debug, Default)]
pub(super) struct Crew {
    state: Mutex<Berths>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Berths {
    taken: usize,
    is_closed: bool,
}

/// A place among them.
#[derive(Debug)]
struct Berth(Arc<Crew>);

impl Crew {
    fn berth(self: &Arc<Self>) -> Option<Berth> {
        let mut state = self.lock();
        if state.is_closed || state.taken >= limits::UPLOADS_AHEAD {
            return None;
        }
        state.taken += 1;
        Some(Berth(Arc::clone(self)))
    }

    fn close(&self) {
        self.lock().is_closed = true;
    }

    fn wait(&self, patience: Duration) {
        let is_taken = |state: &mut Berths| state.taken > 0;
        // What has not ended by then ends with the process; the next start removes what is left.
        drop(
            self.left
                .wait_timeout_while(self.lock(), patience, is_taken),
        );
    }

    fn lock(&self) -> MutexGuard<'_, Berths> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        self.0.lock().taken -= 1;
        self.0.left.notify_all();
    }
}
