//! What a killed agent, or a filesystem that lost something, has left in the directory of uploads.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fmt;
use std::io;

use super::folder::{self, Folder, Item};
use super::id::UploadId;
use super::{UploadError, Uploads};
use crate::limits;
use crate::store::spool::TEMPORARY_PREFIX;
use crate::sys::change;

/// What was found at the start.
#[derive(Debug, Default)]
pub struct Swept {
    /// Files and directories that were on their way in or out when the agent was killed: removed.
    pub temporaries: usize,
    /// What does not belong there, the first [`limits::UPLOAD_ODDITIES`].
    pub oddities: Vec<Oddity>,
}

/// Something that does not belong into the directory of uploads. `Display` makes one sentence for a person.
#[derive(Debug)]
pub struct Oddity {
    /// Its name there.
    pub name: String,
    /// What is the matter with it.
    pub problem: String,
    /// Whether it was removed; otherwise it was left alone.
    pub is_removed: bool,
}

impl fmt::Display for Oddity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, problem) = (&self.name, &self.problem);
        let done = if self.is_removed {
            "removed"
        } else {
            "left alone"
        };
        write!(out, "{name:?} among the uploads: {problem}; {done}")
    }
}

impl Swept {
    fn note(&mut self, name: &OsStr, problem: &str, is_removed: bool) {
        if self.oddities.len() < limits::UPLOAD_ODDITIES {
            self.oddities.push(Oddity {
                name: name.to_string_lossy().into_owned(),
                problem: problem.to_owned(),
                is_removed,
            });
        }
    }
}

impl Uploads {
    /// Cleans up at the start of the agent: nobody may put anything meanwhile. An upload without a manifest that makes
    /// sense is removed, for its chunks are of no use to anybody; files of others are told of and left alone.
    pub fn sweep(&self) -> Result<Swept, UploadError> {
        let mut swept = Swept::default();
        let seen = folder::each_name(self.as_fd(), |name, _| {
            if name
                .as_encoded_bytes()
                .starts_with(TEMPORARY_PREFIX.as_bytes())
            {
                self.sweep_temporary(name, &mut swept);
            } else if let Some(id) = UploadId::from_name(name) {
                self.sweep_upload(&id, &mut swept);
            } else {
                swept.note(name, "no upload can have this name", false);
            }
            Ok(())
        });
        seen.map_err(UploadError::disk("listing the uploads"))?;
        Ok(swept)
    }

    fn sweep_temporary(&self, name: &OsStr, swept: &mut Swept) {
        let removed = change::remove_file(self.as_fd(), name).or_else(|_| self.clear(name));
        match removed {
            Ok(()) => swept.temporaries += 1,
            Err(error) => swept.note(name, &format!("it cannot be removed: {error}"), false),
        }
    }

    fn sweep_upload(&self, id: &UploadId, swept: &mut Swept) {
        let name = id.as_name();
        let folder = match Folder::open(self.as_fd(), id) {
            Ok(Some(folder)) => folder,
            Ok(None) => return,
            Err(error) => return swept.note(name, &format!("it cannot be opened: {error}"), false),
        };
        match look_into(&folder) {
            Ok(0) => {}
            Ok(odd) => {
                let problem = format!("it has {odd} files that do not belong to an upload");
                swept.note(name, &problem, false);
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let is_removed = self.move_away(id).is_ok_and(|moved| {
                    moved.is_some_and(|temporary| self.clear(&temporary).is_ok())
                });
                swept.note(name, &error.to_string(), is_removed);
            }
            Err(error) => swept.note(name, &format!("it cannot be read: {error}"), false),
        }
    }
}

/// Removes the chunks that a finished upload still has. How many things do not belong to the upload.
fn look_into(folder: &Folder) -> io::Result<usize> {
    let manifest = folder.manifest()?;
    if folder.finished()?.is_some() {
        folder.remove_chunks()?;
    }
    let mut odd = 0;
    folder.each(|_, item| {
        match item {
            Item::Odd => odd += 1,
            Item::Chunk(index) if index >= manifest.total => odd += 1,
            _ => {}
        }
        Ok(())
    })?;
    Ok(odd)
}
