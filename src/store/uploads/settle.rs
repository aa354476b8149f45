//! Giving a chunk that came whole its place, under the upload's lock.
#![forbid(unsafe_code)]

use std::io;
use std::sync::PoisonError;

use super::fingerprint;
use super::folder::{Folder, Manifest, chunk_name};
use super::id::UploadId;
use super::receive::{self, Receipt};
use super::received::Received;
use super::slot::{Hold, Known, Open, State};
use super::temporary::{self, Temporary};
use super::{Chunk, Progress, UploadError, Uploads};
use crate::sys::change::{self, Renaming};

/// What came of it; as [`super::Outcome`], before it is known who keeps the hold.
pub(super) enum Settled {
    Accepted(Progress),
    Complete(Manifest, u64),
    Extracting(u64),
    Finished(String),
}

impl<'u> Hold<'u> {
    /// Gives a chunk that came whole its place, without waiting until that is on the disk. Much may have happened while it
    /// came.
    pub(super) fn settle(
        &self,
        chunk: &Chunk,
        receipt: Receipt,
        temporary: Option<Temporary<'u>>,
    ) -> Result<Settled, UploadError> {
        let mut known = self.look()?;
        let attempt = known.attempt;
        match (&mut known.state, temporary) {
            (State::Finished(manifest), _) => {
                manifest.agree(chunk)?;
                let recorded = fingerprint::recorded(&self.folder()?, chunk.index);
                if recorded.is_some_and(|recorded| recorded != receipt.fingerprint) {
                    return Err(UploadError::OtherBytes { index: chunk.index });
                }
                self.answer().map(Settled::Finished)
            }
            (State::Open(open), _) if open.is_claimed => {
                open.manifest.agree(chunk)?;
                Ok(Settled::Extracting(attempt))
            }
            // It was being extracted when the bytes came, so that they were not kept.
            (State::Open(_), None) => Err(UploadError::FailedElsewhere {
                why: known.failure.clone(),
            }),
            (State::New, None) => Err(UploadError::Dropped),
            (State::New | State::Open(_), Some(temporary)) => {
                let added = self.add(&mut known, chunk, receipt, temporary);
                if added.is_err() {
                    // Part of it may have been done: the disk is asked again.
                    known.state = State::New;
                }
                self.slot.arrived.notify_all();
                added
            }
        }
    }

    fn add(
        &self,
        known: &mut Known,
        chunk: &Chunk,
        receipt: Receipt,
        temporary: Temporary<'u>,
    ) -> Result<Settled, UploadError> {
        let bytes = receipt.bytes;
        if let State::Open(open) = &mut known.state {
            self.replace(open, chunk, bytes, temporary)?;
        } else {
            known.state = State::Open(self.make(chunk, bytes, temporary)?);
            // It was about another upload of this name.
            known.lead.start_over();
        }
        let State::Open(open) = &mut known.state else {
            return Err(UploadError::Dropped);
        };
        let terms = &open.manifest.terms;
        known
            .lead
            .chunk_came(chunk.index, receipt.fingerprint, terms);
        if open.received.is_complete() {
            // The disk has the last word: somebody may have removed files by hand.
            let there = self.folder()?.received(open.manifest.total);
            (open.received, open.bytes) =
                there.map_err(UploadError::disk("looking at the upload"))?;
        }
        if !open.received.is_complete() {
            return Ok(Settled::Accepted(open.progress()));
        }
        open.is_claimed = true;
        known.attempt += 1;
        Ok(Settled::Complete(open.manifest.clone(), open.bytes))
    }

    /// Waits until the names of all chunks are on the disk. Without the upload's lock: chunks that come at once wait for
    /// the disk at once, and it does it for all of them together.
    pub(super) fn sync(&self) -> Result<(), UploadError> {
        let synced = change::sync(self.folder()?.as_fd());
        if synced.is_err() {
            self.slot.lock().forget();
        }
        synced.map_err(UploadError::disk("storing the chunk"))
    }

    /// Adds the chunk to an upload that is there.
    fn replace(
        &self,
        open: &mut Open,
        chunk: &Chunk,
        bytes: u64,
        temporary: Temporary<'u>,
    ) -> Result<(), UploadError> {
        let manifest = open.manifest_with(chunk)?;
        let others = open.bytes.saturating_sub(self.bytes_there(chunk.index)?);
        let sum = others + bytes;
        // Others came meanwhile.
        if self.uploads.limits.bytes.is_some_and(|limit| sum > limit) {
            return Err(receive::too_large(self));
        }
        let folder = self.folder()?;
        let store = || {
            if manifest != open.manifest {
                folder.write_manifest(self.uploads.as_fd(), &manifest)?;
            }
            temporary.rename(folder.as_fd(), &chunk_name(chunk.index))
        };
        store().map_err(UploadError::disk("storing the chunk"))?;
        open.manifest = manifest;
        open.bytes = sum;
        open.received.add(chunk.index);
        Ok(())
    }

    /// Makes the upload with its first chunk.
    fn make(
        &self,
        chunk: &Chunk,
        bytes: u64,
        temporary: Temporary<'u>,
    ) -> Result<Open, UploadError> {
        let turn = self.uploads.making.lock();
        let _turn = turn.unwrap_or_else(PoisonError::into_inner);
        let surplus = self.uploads.check_count()?;
        let manifest = Manifest {
            total: chunk.total,
            terms: chunk.terms.clone(),
        };
        let made = self.make_folder(&manifest, chunk.index, temporary);
        made.map_err(UploadError::disk("storing the chunk"))?;
        if let Some(id) = surplus {
            self.uploads.forget(&id);
        }
        let mut received = Received::none(chunk.total);
        received.add(chunk.index);
        Ok(Open {
            manifest,
            received,
            bytes,
            is_claimed: false,
        })
    }

    fn make_folder(
        &self,
        manifest: &Manifest,
        index: u32,
        temporary: Temporary<'u>,
    ) -> io::Result<()> {
        let uploads = self.uploads.as_fd();
        let name = temporary::name()?;
        let make = || {
            let folder = Folder::make(uploads, &name)?;
            temporary.rename(folder.as_fd(), &chunk_name(index))?;
            folder.write_manifest(uploads, manifest)?;
            // Takes the place of an empty directory at most.
            let (from, to) = ((uploads, name.as_os_str()), (uploads, self.id.as_name()));
            change::rename(from, to, Renaming::Replace)
        };
        let made = make();
        if made.is_err() {
            // It may not have come so far; what it failed with is the error that counts.
            let _ = self.uploads.clear(&name);
        }
        made?;
        change::sync(uploads)
    }
}

impl Uploads {
    /// Refuses one more upload when there are enough. The oldest record, if it has to go for the new upload's one.
    pub(super) fn check_count(&self) -> Result<Option<UploadId>, UploadError> {
        let (mut open, mut records) = (0, 0);
        let mut oldest: Option<(i64, UploadId)> = None;
        self.each(|id, folder| match folder.finished() {
            Ok(Some(time)) => {
                records += 1;
                if oldest.as_ref().is_none_or(|(oldest, _)| time < *oldest) {
                    oldest = Some((time, id));
                }
            }
            Ok(None) | Err(_) => open += 1,
        })?;
        let limit = self.limits.open;
        if open >= limit {
            return Err(UploadError::TooMany { limit });
        }
        let oldest = oldest.filter(|_| records >= self.limits.records);
        Ok(oldest.map(|(_, id)| id))
    }

    /// Removes a record that nobody has to wait for. What cannot be removed now goes at the next start.
    fn forget(&self, id: &UploadId) {
        if let Ok(Some(name)) = self.move_away(id) {
            let _ = self.clear(&name);
        }
    }
}
