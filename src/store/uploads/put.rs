//! Taking a chunk.
#![forbid(unsafe_code)]

use std::io::Read;

use super::claim::{Claim, Pending};
use super::folder::Manifest;
use super::id::UploadId;
use super::receive::{self, Intake};
use super::settle::Settled;
use super::slot::{Hold, Open, State};
use super::terms::{Known as KnownTerm, Terms};
use super::{Progress, UploadError, Uploads};

/// What a request says about the chunk it brings.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// Which one of the set, counted from 0.
    pub index: u32,
    /// Chunks of the set.
    pub total: u32,
    /// What is to be done with the set, as far as this request says.
    pub terms: Terms,
    /// The SHA-256 of this chunk's bytes, in hexadecimal digits.
    pub sha256: Option<String>,
    /// Bytes that will come, where that is known.
    pub length: Option<u64>,
}

/// What came of a chunk.
#[derive(Debug)]
pub enum Outcome<'u> {
    /// It is kept, and others are missing.
    Accepted(Progress),
    /// All are there, and this request is the one to extract them.
    Complete(Claim<'u>),
    /// All are there, and another request extracts them. The bytes that came now were not kept.
    Extracting(Pending<'u>),
    /// The set was extracted before, and this was the answer.
    Finished(String),
}

/// What is done with a chunk's bytes.
enum Admission {
    /// They are kept; how many at most.
    Keep { most: u64 },
    /// They are read and compared: the set is being extracted, or was.
    Read,
}

impl Chunk {
    fn check(&self, limit: u32) -> Result<(), UploadError> {
        let (index, total) = (self.index, self.total);
        if total == 0 || total > limit {
            return Err(UploadError::BadTotal { total, limit });
        }
        if index >= total {
            return Err(UploadError::BadIndex { index, total });
        }
        let is_sum =
            |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !self.sha256.as_ref().is_none_or(is_sum) {
            return Err(UploadError::BadChecksum);
        }
        self.terms.check()
    }
}

impl Manifest {
    /// Refuses a chunk that says anything else about a set that is being extracted, or was.
    pub(super) fn agree(&self, chunk: &Chunk) -> Result<(), UploadError> {
        self.same_total(chunk)?;
        self.terms.agree(&chunk.terms)
    }

    fn same_total(&self, chunk: &Chunk) -> Result<(), UploadError> {
        let (known, given) = (self.total, chunk.total);
        if known != given {
            return Err(UploadError::TotalDiffers { known, given });
        }
        Ok(())
    }
}

impl Open {
    /// The manifest with what `chunk` adds. Where all chunks are there and nobody extracts them, that has failed or was
    /// interrupted; then other terms may be the remedy.
    pub(super) fn manifest_with(&self, chunk: &Chunk) -> Result<Manifest, UploadError> {
        self.manifest.same_total(chunk)?;
        let known = if self.received.is_complete() {
            KnownTerm::GivesWay
        } else {
            KnownTerm::Stands
        };
        Ok(Manifest {
            total: self.manifest.total,
            terms: self.manifest.terms.with(&chunk.terms, known)?,
        })
    }
}

impl Uploads {
    /// Takes a chunk of the upload `id`, whose bytes are `body`. When this returns it is on the disk to stay; when it
    /// fails, or the agent is killed, nothing of it is. A chunk that comes once more replaces the one that is there, as
    /// long as nobody extracts the set.
    pub fn put(
        &self,
        id: &str,
        chunk: &Chunk,
        body: &mut dyn Read,
    ) -> Result<Outcome<'_>, UploadError> {
        let id = UploadId::parse(id)?;
        chunk.check(self.limits.chunks)?;
        let hold = self.hold(id);
        let (receipt, temporary) = match hold.admit(chunk)? {
            Admission::Keep { most } => {
                let intake = Intake::open(&hold, most, chunk.length)?;
                let (receipt, temporary) = intake.receive(chunk, body)?;
                (receipt, Some(temporary))
            }
            Admission::Read => (receive::read(chunk, body, |_| Ok(()))?, None),
        };
        Ok(match hold.settle(chunk, receipt, temporary)? {
            Settled::Accepted(progress) => {
                hold.sync()?;
                Outcome::Accepted(progress)
            }
            Settled::Complete(manifest, bytes) => {
                let claim = Claim::new(hold, manifest, bytes);
                claim.sync()?;
                Outcome::Complete(claim)
            }
            Settled::Extracting(attempt) => Outcome::Extracting(Pending::new(hold, attempt)),
            Settled::Finished(answer) => Outcome::Finished(answer),
        })
    }
}

impl Hold<'_> {
    /// Refuses what can be refused before the bytes come.
    fn admit(&self, chunk: &Chunk) -> Result<Admission, UploadError> {
        let limit = self.uploads.limits.bytes.unwrap_or(u64::MAX);
        let mut known = self.look()?;
        match &mut known.state {
            State::New => {
                self.uploads.check_count()?;
                Ok(Admission::Keep { most: limit })
            }
            State::Open(open) if !open.is_claimed => {
                open.manifest_with(chunk)?;
                let others = open.bytes.saturating_sub(self.bytes_there(chunk.index)?);
                Ok(Admission::Keep {
                    most: limit.saturating_sub(others),
                })
            }
            State::Open(Open { manifest, .. }) | State::Finished(manifest) => {
                manifest.agree(chunk)?;
                Ok(Admission::Read)
            }
        }
    }

    pub(super) fn bytes_there(&self, index: u32) -> Result<u64, UploadError> {
        let bytes = self.folder()?.chunk_bytes(index);
        bytes.map_err(UploadError::disk("looking at the upload"))
    }
}
