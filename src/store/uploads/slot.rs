//! What is in memory about an upload that is in use: who holds its lock decides what happens next. Everything here can
//! be read from the disk again, and is, when anything went wrong.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::folder::{Folder, Manifest};
use super::id::UploadId;
use super::lead::Lead;
use super::received::Received;
use super::{Progress, UploadError, Uploads};
use crate::limits;

/// An upload in use, shared by the requests that use it.
#[derive(Debug, Default)]
pub(super) struct Slot {
    known: Mutex<Known>,
    /// Told when an extraction ends.
    pub(super) settled: Condvar,
    /// Told when a chunk came, or when none will.
    pub(super) arrived: Condvar,
    is_dropped: AtomicBool,
    /// Not used since somebody looked last.
    is_idle: AtomicBool,
}

/// What is known about it.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) state: State,
    /// Counts the attempts to extract it, so that one who waits knows when his is over.
    pub(super) attempt: u64,
    /// Why the last attempt failed.
    pub(super) failure: String,
    /// Who extracts it before it is complete.
    pub(super) lead: Lead,
}

/// How far it is.
#[derive(Debug, Default)]
pub(super) enum State {
    /// Nothing is there, or nobody has looked yet.
    #[default]
    New,
    /// Some chunks are there, or all.
    Open(Open),
    /// Its answer is there.
    Finished(Manifest),
}

/// An upload that is not finished.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) manifest: Manifest,
    pub(super) received: Received,
    /// Bytes of the chunks that are there.
    pub(super) bytes: u64,
    /// Whether a request extracts it: nothing of it changes then.
    pub(super) is_claimed: bool,
}

impl Open {
    pub(super) fn progress(&self) -> Progress {
        Progress {
            received: self.received.count(),
            total: self.manifest.total,
            missing: self.received.missing(),
            is_complete: self.received.is_complete(),
        }
    }
}

/// One request's use of an upload, or of the name of one that is not there yet.
#[derive(Debug)]
pub(super) struct Hold<'u> {
    pub(super) uploads: &'u Uploads,
    pub(super) id: UploadId,
    pub(super) slot: Arc<Slot>,
}

impl Uploads {
    pub(super) fn hold(&self, id: UploadId) -> Hold<'_> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry(id.clone()).or_default();
        if slot.is_dropped() {
            // Those who still hold it fail; the name is free.
            *slot = Arc::default();
        }
        slot.is_idle.store(false, Ordering::Relaxed);
        Hold {
            uploads: self,
            slot: Arc::clone(slot),
            id,
        }
    }

    /// Forgets what nobody has used since it was called last; the disk still knows it.
    pub(super) fn forget_idle(&self) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| {
            Arc::strong_count(slot) > 1 || !slot.is_idle.swap(true, Ordering::Relaxed)
        });
    }

    /// Uploads that something is known about in memory.
    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.slots.lock().unwrap().len()
    }
}

impl Known {
    /// Makes the disk be asked again what is there, unless the set is being extracted.
    pub(super) fn forget(&mut self) {
        if !matches!(&self.state, State::Open(open) if open.is_claimed) {
            self.state = State::New;
        }
    }
}

impl Slot {
    pub(super) fn is_dropped(&self) -> bool {
        self.is_dropped.load(Ordering::Relaxed)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold<'_> {
    /// The upload's lock, with what the disk says where that was not known.
    pub(super) fn look(&self) -> Result<MutexGuard<'_, Known>, UploadError> {
        let mut known = self.slot.lock();
        if self.slot.is_dropped() {
            return Err(UploadError::Dropped);
        }
        match (self.uploads.folder(&self.id)?, &known.state) {
            (Some(folder), State::New) => {
                let state = state_of(&folder);
                known.state = state.map_err(UploadError::disk("reading the upload"))?;
            }
            (None, State::Open(open)) if open.is_claimed => {}
            // Somebody may have removed it by hand.
            (None, _) => known.state = State::New,
            (Some(_), _) => {}
        }
        Ok(known)
    }

    /// Its directory, which has to be there.
    pub(super) fn folder(&self) -> Result<Folder, UploadError> {
        self.uploads.folder(&self.id)?.ok_or(UploadError::Dropped)
    }

    /// The answer of an upload that is finished.
    pub(super) fn answer(&self) -> Result<String, UploadError> {
        let answer = self.folder()?.answer();
        answer
            .map_err(UploadError::disk("reading the upload's answer"))?
            .ok_or(UploadError::Dropped)
    }

    /// Whether somebody else uses it, too.
    pub(super) fn is_shared(&self) -> bool {
        // The table has one, we have one.
        Arc::strong_count(&self.slot) > 2
    }

    /// Removes it, with its lock held by the caller; whether there was anything.
    pub(super) fn remove(&self, mut known: MutexGuard<'_, Known>) -> Result<bool, UploadError> {
        let doing = "removing the upload";
        if matches!(&known.state, State::Open(open) if open.is_claimed) {
            return Err(UploadError::Extracting);
        }
        let moved = self.uploads.move_away(&self.id);
        let moved = moved.map_err(UploadError::disk(doing))?;
        self.slot.is_dropped.store(true, Ordering::Relaxed);
        known.state = State::New;
        known.lead.stop();
        self.slot.settled.notify_all();
        self.slot.arrived.notify_all();
        // So that nothing is left when that is told.
        let is_manned = |known: &mut Known| known.lead.is_manned();
        let settled = &self.slot.settled;
        drop(settled.wait_timeout_while(known, limits::UPLOAD_AHEAD_STOP, is_manned));
        match moved {
            Some(name) => {
                let cleared = self.uploads.clear(&name);
                cleared.map_err(UploadError::disk(doing)).map(|()| true)
            }
            None => Ok(false),
        }
    }
}

impl Drop for Hold<'_> {
    /// Only uploads that are open stay known: there is a limit to those.
    fn drop(&mut self) {
        let slots = self.uploads.slots.lock();
        let mut slots = slots.unwrap_or_else(PoisonError::into_inner);
        let is_in_table = slots
            .get(&self.id)
            .is_some_and(|slot| Arc::ptr_eq(slot, &self.slot));
        // Nobody else has it and the table is locked, so that the slot's own lock is free.
        if is_in_table && !self.is_shared() {
            let is_open = matches!(self.slot.lock().state, State::Open(_));
            if !is_open || self.slot.is_dropped() {
                slots.remove(&self.id);
            }
        }
    }
}

fn state_of(folder: &Folder) -> std::io::Result<State> {
    let manifest = folder.manifest()?;
    if folder.finished()?.is_some() {
        return Ok(State::Finished(manifest));
    }
    let (received, bytes) = folder.received(manifest.total)?;
    Ok(State::Open(Open {
        manifest,
        received,
        bytes,
        is_claimed: false,
    }))
}
