//! The uploads of an agent whose disk may not be usable yet: opened when they are first needed, and asked for again until
//! that works, because a full or read-only disk does not stop the start-up.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Counts, UploadError, UploadLimits, Uploads};
use crate::clock::Timestamp;
use crate::limits;
use crate::store::space::Reserve;

/// Uploads to be opened.
#[derive(Debug)]
pub struct UploadStore {
    state_directory: PathBuf,
    reserve: Reserve,
    limits: UploadLimits,
    opened: OnceLock<Uploads>,
    /// Held while they are opened: only one may sweep.
    opening: Mutex<()>,
}

impl UploadStore {
    /// Those below `state_directory`. Nothing is opened yet.
    pub fn new(state_directory: PathBuf, reserve: Reserve, limits: UploadLimits) -> Self {
        Self {
            state_directory,
            reserve,
            limits,
            opened: OnceLock::new(),
            opening: Mutex::default(),
        }
    }

    /// The uploads. The first time what a killed agent left of them is removed.
    pub fn get(&self) -> Result<&Uploads, UploadError> {
        if let Some(uploads) = self.opened.get() {
            return Ok(uploads);
        }
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(uploads) = self.opened.get() {
            return Ok(uploads);
        }
        let uploads = Uploads::new(&self.state_directory, self.reserve, self.limits)?;
        let swept = uploads.sweep()?;
        if swept.temporaries > 0 {
            log::info!(
                "removed {} unfinished chunks of an earlier run",
                swept.temporaries
            );
        }
        for oddity in swept.oddities {
            log::warn!("{oddity}");
        }
        Ok(self.opened.get_or_init(|| uploads))
    }

    /// How many there are; nothing is opened for it when there never were any.
    pub fn counts(&self) -> Result<Counts, UploadError> {
        if self.has_none() {
            return Ok(Counts::default());
        }
        self.get()?.counts()
    }

    fn has_none(&self) -> bool {
        self.opened.get().is_none() && !self.state_directory.join(super::DIRECTORY).exists()
    }

    /// Ends what is extracted before its set is complete: the agent ends.
    pub fn stop(&self) {
        if let Some(uploads) = self.opened.get() {
            uploads.stop_ahead(limits::UPLOAD_AHEAD_STOP);
        }
    }

    /// Removes what is too old, if there was ever anything. What cannot be removed is told and tried again the next time.
    pub fn expire(&self) {
        if self.has_none() {
            return;
        }
        let expired = self
            .get()
            .and_then(|uploads| uploads.expire(Timestamp::now()));
        match expired {
            Ok(expired) if expired.open + expired.failed > 0 => log::info!(
                "{} uploads that nobody went on with were removed, {} could not be",
                expired.open,
                expired.failed
            ),
            Ok(_) => {}
            Err(error) => log::warn!("uploads that are too old stay: {error}"),
        }
    }
}
