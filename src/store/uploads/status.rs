//! What there is to say about one upload.
#![forbid(unsafe_code)]

use super::id::UploadId;
use super::slot::State;
use super::{Terms, UploadError, Uploads};

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Chunks that are there.
    pub received: u32,
    /// Chunks of the whole set.
    pub total: u32,
    /// Those that are missing; the first [`crate::limits::UPLOAD_MISSING`] of them.
    pub missing: Vec<u32>,
    /// Whether none is missing.
    pub is_complete: bool,
}

/// What an upload is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Chunks are awaited; or all are there and extracting them has failed or was interrupted: any chunk that is sent
    /// again makes it be tried again.
    Receiving,
    /// A request extracts it.
    Extracting,
    /// It was extracted, and this was the answer.
    Finished(String),
}

/// What there is to say about an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How far it is.
    pub progress: Progress,
    /// What is to be done with it, as far as it is known.
    pub terms: Terms,
    /// Bytes that are there; 0 when it is finished.
    pub bytes: u64,
    /// What it is at.
    pub phase: Phase,
}

impl Uploads {
    /// How far the upload `id` is.
    pub fn status(&self, id: &str) -> Result<Status, UploadError> {
        let hold = self.hold(UploadId::parse(id)?);
        let mut known = hold.look()?;
        match &mut known.state {
            State::New => Err(UploadError::Unknown),
            State::Open(open) => Ok(Status {
                progress: open.progress(),
                terms: open.manifest.terms.clone(),
                bytes: open.bytes,
                phase: if open.is_claimed {
                    Phase::Extracting
                } else {
                    Phase::Receiving
                },
            }),
            State::Finished(manifest) => Ok(Status {
                progress: Progress {
                    received: manifest.total,
                    total: manifest.total,
                    missing: Vec::new(),
                    is_complete: true,
                },
                terms: manifest.terms.clone(),
                bytes: 0,
                phase: Phase::Finished(hold.answer()?),
            }),
        }
    }
}
