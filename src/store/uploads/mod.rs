//! Resumable uploads: an archive in chunks that come in any order, in parallel, once or twice, and that are still there
//! when the agent was killed in between. This is the store; what the archive is for is known above.
//!
//! Every upload is a directory below `<state>/uploads` (see `folder`); the disk alone says what is there. In memory are
//! a lock and a bit for each chunk of the uploads that are in use (see `slot`). Chunks are received beside the uploads,
//! synced, and renamed to their names, the last step under the upload's lock, so that exactly one request completes a set.
//! Who extracts it may begin before that (see `ahead`).
//!
//! Locks are those of this process: a state directory belongs to one agent, which its service manager sees to. A second
//! one could do no harm to chunks, only extract a set twice and sweep away what the first one is receiving.
//!
//! Uses `spool`, `space`, sys, limits and clock.
#![forbid(unsafe_code)]

mod ahead;
mod claim;
mod error;
mod expire;
mod fingerprint;
mod folder;
mod id;
mod lead;
mod opening;
mod put;
mod reader;
mod receive;
mod received;
mod settle;
mod slot;
mod status;
mod sweep;
mod temporary;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::space::Reserve;
use crate::limits;
use crate::sys::change::{self, Renaming};
use crate::sys::open::{self, Purpose};

pub use ahead::{Ahead, AheadReader};
pub use claim::{Claim, Pending};
pub use error::UploadError;
pub use expire::{Counts, Expired, Usage};
pub use opening::UploadStore;
pub use put::{Chunk, Outcome};
pub use reader::SetReader;
pub use status::{Phase, Progress, Status};
pub use sweep::{Oddity, Swept};
pub use terms::Terms;

use ahead::Crew;
use folder::Folder;
use id::UploadId;
use slot::Slot;

/// Where uploads are, below the state directory.
const DIRECTORY: &str = "uploads";

/// How much is taken.
#[derive(Clone, Copy, Debug)]
pub struct UploadLimits {
    /// Chunks of one upload.
    pub chunks: u32,
    /// Uploads that are not finished.
    pub open: usize,
    /// Answers of finished uploads; one more costs the oldest.
    pub records: usize,
    /// Bytes of one upload; `None`: as many as there is room for.
    pub bytes: Option<u64>,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            chunks: limits::UPLOAD_CHUNKS,
            open: limits::UPLOADS_OPEN,
            records: limits::UPLOAD_RECORDS,
            bytes: None,
        }
    }
}

/// All uploads of a state directory.
#[derive(Debug)]
pub struct Uploads {
    directory: OwnedFd,
    path: PathBuf,
    reserve: Reserve,
    limits: UploadLimits,
    slots: Mutex<HashMap<UploadId, Arc<Slot>>>,
    /// Held while an upload is counted and made, so that there are never more than allowed.
    making: Mutex<()>,
    /// Those who extract before a set is complete.
    crew: Arc<Crew>,
}

impl Uploads {
    /// Those below `state_directory`, which is there already. [`Uploads::sweep`] comes first, before anything is put.
    pub fn new(
        state_directory: &Path,
        reserve: Reserve,
        limits: UploadLimits,
    ) -> Result<Self, UploadError> {
        let directory = open_private(state_directory);
        Ok(Self {
            directory: directory.map_err(UploadError::disk("opening the directory of uploads"))?,
            path: state_directory.join(DIRECTORY),
            reserve,
            limits,
            slots: Mutex::default(),
            making: Mutex::default(),
            crew: Arc::default(),
        })
    }

    /// Removes the upload `id`, finished or not. Requests that are sending a chunk of it fail with
    /// [`UploadError::Dropped`], the next one begins anew. While it is extracted it stays.
    pub fn discard(&self, id: &str) -> Result<(), UploadError> {
        let hold = self.hold(UploadId::parse(id)?);
        let known = hold.slot.lock();
        if hold.remove(known)? {
            Ok(())
        } else {
            Err(UploadError::Unknown)
        }
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    fn folder(&self, id: &UploadId) -> Result<Option<Folder>, UploadError> {
        Folder::open(self.as_fd(), id).map_err(UploadError::disk("opening the upload"))
    }

    /// Shows every upload on the disk. One that cannot be looked at does not keep the others from being seen.
    fn each(&self, mut visit: impl FnMut(UploadId, Folder)) -> Result<(), UploadError> {
        let visited = folder::each_name(self.as_fd(), |name, _| {
            if let Some(id) = UploadId::from_name(name)
                && let Ok(Some(folder)) = Folder::open(self.as_fd(), &id)
            {
                visit(id, folder);
            }
            Ok(())
        });
        visited.map_err(UploadError::disk("listing the uploads"))
    }

    /// Takes the upload's name away in one step, so that no half of it is ever seen; what it is called then, until
    /// [`Uploads::clear`].
    fn move_away(&self, id: &UploadId) -> io::Result<Option<OsString>> {
        let name = temporary::name()?;
        let (from, to) = (
            (self.as_fd(), id.as_name()),
            (self.as_fd(), name.as_os_str()),
        );
        match change::rename(from, to, Renaming::Replace) {
            Ok(()) => change::sync(self.as_fd()).map(|()| Some(name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the directory of the temporary name `name`, whatever is in it.
    fn clear(&self, name: &OsStr) -> io::Result<()> {
        std::fs::remove_dir_all(self.path.join(name))
    }
}

/// The directory of uploads, made if it is not there, for nobody else to look into.
fn open_private(state_directory: &Path) -> io::Result<OwnedFd> {
    let state = open::directory(state_directory)?;
    let name = OsStr::new(DIRECTORY);
    match change::make_directory(state.as_fd(), name, 0o700) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let directory = open::child(state.as_fd(), name, Purpose::Directory)?;
    change::set_mode(directory.as_fd(), 0o700)?;
    change::sync(state.as_fd())?;
    Ok(directory)
}
