//! What is removed because of its age, and what is there.
#![forbid(unsafe_code)]

use std::time::Duration;

use super::folder::Folder;
use super::id::UploadId;
use super::{UploadError, Uploads};
use crate::clock::Timestamp;
use crate::limits;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Uploads to which nothing came for long.
    pub open: usize,
    /// Answers that nobody asks for any more.
    pub finished: usize,
    /// Uploads that should go and cannot be removed.
    pub failed: usize,
}

/// How many uploads there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not finished.
    pub open: usize,
    /// Finished; their answers are kept for a while.
    pub finished: usize,
}

/// What is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Uploads that are not finished.
    pub open: usize,
    /// Answers of finished ones.
    pub finished: usize,
    /// Bytes of all chunks.
    pub bytes: u64,
}

impl Uploads {
    /// Removes what is too old at `now`: to be called every few minutes. What a request uses stays; a time in the future
    /// (a clock that was set back) is as good as now. Also lets go of the memory of uploads that were not used since the
    /// last call.
    pub fn expire(&self, now: Timestamp) -> Result<Expired, UploadError> {
        let mut expired = Expired::default();
        self.each(|id, folder| match self.remove_old(id, &folder, now) {
            Ok(Some(Age::Finished)) => expired.finished += 1,
            Ok(Some(Age::Open)) => expired.open += 1,
            Ok(None) | Err(UploadError::Extracting) => {}
            Err(_) => expired.failed += 1,
        })?;
        self.forget_idle();
        Ok(expired)
    }

    fn remove_old(
        &self,
        id: UploadId,
        folder: &Folder,
        now: Timestamp,
    ) -> Result<Option<Age>, UploadError> {
        if too_old(folder, now).is_none() {
            return Ok(None);
        }
        let hold = self.hold(id);
        if hold.is_shared() {
            return Ok(None);
        }
        // Once more, with the lock held: otherwise a chunk could come between the look and the removal.
        let known = hold.slot.lock();
        let age = self
            .folder(&hold.id)?
            .and_then(|folder| too_old(&folder, now));
        match age {
            Some(age) => hold.remove(known).map(|is_there| is_there.then_some(age)),
            None => Ok(None),
        }
    }

    /// How many there are. Unlike [`Uploads::usage`] it does not look at their chunks, of which there may be thousands.
    pub fn counts(&self) -> Result<Counts, UploadError> {
        let mut counts = Counts::default();
        self.each(|_, folder| match folder.finished() {
            Ok(Some(_)) => counts.finished += 1,
            _ => counts.open += 1,
        })?;
        Ok(counts)
    }

    /// What is there, counted on the disk.
    pub fn usage(&self) -> Result<Usage, UploadError> {
        let mut usage = Usage::default();
        self.each(|_, folder| {
            if let Ok(Some(_)) = folder.finished() {
                usage.finished += 1;
            } else {
                usage.open += 1;
                let received = folder.received(limits::UPLOAD_CHUNKS);
                usage.bytes += received.map_or(0, |(_, bytes)| bytes);
            }
        })?;
        Ok(usage)
    }
}

/// What kind of upload is too old.
#[derive(Clone, Copy)]
enum Age {
    Open,
    Finished,
}

/// Whether it is too old, and as what. One that cannot be asked is not.
fn too_old(folder: &Folder, now: Timestamp) -> Option<Age> {
    let (kind, since, limit) = match folder.finished().ok()? {
        Some(time) => (Age::Finished, time, limits::UPLOAD_RECORD_KEPT),
        None => (Age::Open, folder.touched().ok()?, limits::UPLOAD_UNTOUCHED),
    };
    let age = u64::try_from(now.seconds.saturating_sub(since)).ok()?;
    (Duration::from_secs(age) >= limit).then_some(kind)
}
