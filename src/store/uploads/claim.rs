//! The right to extract a complete set, which one request has; and the wait of the others for it.
#![forbid(unsafe_code)]

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::fingerprint::Fingerprints;
use super::folder::Manifest;
use super::reader::SetReader;
use super::slot::{Hold, State};
use super::{Terms, UploadError};
use crate::limits;
use crate::sys::poll;

/// The right to extract a set. Nothing of the upload changes until it is given up: by [`Claim::finish`], by
/// [`Claim::fail`], or by dropping it, which is a failure, too. An agent that is killed in between keeps all chunks: the
/// set is extracted again when any of them is sent again, so extracting has to be something that can be done twice.
#[derive(Debug)]
pub struct Claim<'u> {
    hold: Hold<'u>,
    manifest: Manifest,
    bytes: u64,
    fingerprints: Fingerprints<'u>,
    is_settled: bool,
}

impl<'u> Claim<'u> {
    pub(super) fn new(hold: Hold<'u>, manifest: Manifest, bytes: u64) -> Self {
        Self {
            fingerprints: Fingerprints::default(),
            hold,
            manifest,
            bytes,
            is_settled: false,
        }
    }

    /// Waits until the last chunk has its name on the disk, too.
    pub(super) fn sync(&self) -> Result<(), UploadError> {
        self.hold.sync()
    }

    /// What is to be done with the set.
    pub fn terms(&self) -> &Terms {
        &self.manifest.terms
    }

    /// Chunks of the set.
    pub fn total(&self) -> u32 {
        self.manifest.total
    }

    /// Bytes of all chunks.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes of all chunks, in their order, from the disk.
    pub fn reader(&mut self) -> Result<SetReader<'_, 'u>, UploadError> {
        let folder = self.hold.folder()?;
        self.fingerprints = Fingerprints::create(self.hold.uploads.as_fd());
        let total = self.manifest.total;
        Ok(SetReader::new(folder, total, &mut self.fingerprints))
    }

    /// The answer of somebody who began to extract the set before it was complete, when that comes to its end. None:
    /// nobody did, or it has failed, and the set is to be extracted from its beginning.
    pub fn ahead(&mut self) -> Option<String> {
        let slot = &self.hold.slot;
        let mut known = slot.lock();
        // All chunks are there, so it waits for nothing; and whatever happens to it, its end is told. Also that of one that
        // was stopped: there is room for what one unpacks.
        while known.lead.is_manned() {
            let waited = slot.settled.wait(known);
            known = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let gain = known.lead.take()?;
        drop(known);
        self.fingerprints = Fingerprints::create(self.hold.uploads.as_fd());
        for fingerprint in gain.fingerprints {
            self.fingerprints.push(fingerprint);
        }
        Some(gain.answer)
    }

    /// The set was extracted: `answer` is what this upload's requests are told from now on, also after a restart. The
    /// chunks go. When the answer cannot be recorded they stay, and the next request extracts them again.
    pub fn finish(mut self, answer: &str) -> Result<(), UploadError> {
        let recorded = self.record(answer);
        if let Err(error) = recorded {
            self.release(&error.to_string());
            return Err(error);
        }
        self.is_settled = true;
        self.hold.slot.lock().state = State::Finished(self.manifest.clone());
        self.hold.slot.settled.notify_all();
        // They are not looked at any more; the next start removes what is left of them.
        if let Ok(folder) = self.hold.folder() {
            let _ = folder.remove_chunks();
        }
        Ok(())
    }

    /// The set was not extracted, and those who waited are told `why`. All chunks stay: one that is sent again, with
    /// other bytes or other terms, makes it be tried again.
    pub fn fail(mut self, why: &str) {
        self.release(why);
    }

    fn record(&mut self, answer: &str) -> Result<(), UploadError> {
        let doing = "recording the upload's answer";
        if answer.len() > limits::UPLOAD_ANSWER_BYTES {
            return Err(UploadError::Disk {
                doing,
                source: io::Error::new(io::ErrorKind::InvalidInput, "it is too long"),
            });
        }
        let folder = self.hold.folder()?;
        let uploads = self.hold.uploads.as_fd();
        // A help and no need.
        let _ = self.fingerprints.keep(&folder);
        let written = folder.write_answer(uploads, answer);
        written.map_err(UploadError::disk(doing))
    }

    fn release(&mut self, why: &str) {
        self.is_settled = true;
        let mut known = self.hold.slot.lock();
        if let State::Open(open) = &mut known.state {
            open.is_claimed = false;
        }
        why.clone_into(&mut known.failure);
        drop(known);
        self.hold.slot.settled.notify_all();
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.release("it broke off");
        }
    }
}

/// A wait for the request that extracts the set.
#[derive(Debug)]
pub struct Pending<'u> {
    hold: Hold<'u>,
    attempt: u64,
}

impl<'u> Pending<'u> {
    pub(super) fn new(hold: Hold<'u>, attempt: u64) -> Self {
        Self { hold, attempt }
    }

    /// Waits for its answer, no longer than `patience` and only while `client` is there.
    pub fn wait(&self, patience: Duration, client: BorrowedFd<'_>) -> Result<String, UploadError> {
        let until = Instant::now() + patience;
        let slot = &self.hold.slot;
        let mut known = slot.lock();
        loop {
            if slot.is_dropped() {
                return Err(UploadError::Dropped);
            }
            match &known.state {
                State::Finished(_) => return self.hold.answer(),
                State::Open(open) if open.is_claimed && known.attempt == self.attempt => {}
                _ => {
                    return Err(UploadError::FailedElsewhere {
                        why: known.failure.clone(),
                    });
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(UploadError::WaitedTooLong);
            }
            if poll::is_hung_up(client) {
                return Err(UploadError::Abandoned);
            }
            let waited = slot
                .settled
                .wait_timeout(known, left.min(limits::CLIENT_LOOK));
            known = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
