//! What has to be done when the whole archive was read: directories get their permissions and times after everything in
//! them is there, and some links can be judged only then. On the disk and not in memory, because an archive of half a
//! million directories fits into a few megabytes.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::BorrowedFd;

use crate::limits;
use crate::sys::change;
use crate::sys::open::{self, Purpose};

/// The file's name in the staging directory.
pub(super) const NAME: &str = "notes";
/// Bytes in front of a place: mode, time, length.
const HEAD: usize = 12;
/// In place of a mode: a link to be judged. A mode has nine bits.
const LINK: u16 = u16::MAX;

/// One thing to be done.
#[derive(Debug)]
pub(super) enum Note {
    /// The directory gets these.
    Directory {
        /// Its permissions.
        mode: u16,
        /// When it was modified.
        modified: i64,
    },
    /// The link is to be judged.
    Link,
}

/// Notes being taken.
pub(super) struct Notes<'s> {
    directory: BorrowedFd<'s>,
    file: BufWriter<File>,
}

impl<'s> Notes<'s> {
    /// New ones, in a file in `directory`.
    pub(super) fn create(directory: BorrowedFd<'s>) -> io::Result<Self> {
        let file = change::create_file(directory, OsStr::new(NAME), 0o600)?;
        Ok(Self {
            directory,
            file: BufWriter::new(file),
        })
    }

    /// Takes a note about `place`. Its bytes.
    pub(super) fn take(&mut self, note: &Note, place: &[u8]) -> io::Result<u64> {
        let (mode, modified) = match note {
            Note::Directory { mode, modified } => (*mode, *modified),
            Note::Link => (LINK, 0),
        };
        let length = u16::try_from(place.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.file.write_all(&mode.to_ne_bytes())?;
        self.file.write_all(&modified.to_ne_bytes())?;
        self.file.write_all(&length.to_ne_bytes())?;
        self.file.write_all(place)?;
        Ok((HEAD + place.len()) as u64)
    }

    /// Makes them readable.
    pub(super) fn finish(mut self) -> io::Result<Taken<'s>> {
        self.file.flush()?;
        Ok(Taken {
            directory: self.directory,
        })
    }
}

/// Notes that were taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken<'s> {
    directory: BorrowedFd<'s>,
}

impl Taken<'_> {
    /// Calls `work` with each note and its place, in the order they were taken.
    pub(super) fn each<E: From<io::Error>>(
        self,
        mut work: impl FnMut(&Note, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let file = open::child(self.directory, OsStr::new(NAME), Purpose::Read)?;
        let mut file = BufReader::new(File::from(file));
        let mut place = [0; limits::PATH_BYTES];
        loop {
            let mut head = [0; HEAD];
            match file.read_exact(&mut head) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            let [a, b, time @ .., c, d] = head;
            let place = &mut place[..usize::from(u16::from_ne_bytes([c, d]))];
            file.read_exact(place)?;
            let note = match u16::from_ne_bytes([a, b]) {
                LINK => Note::Link,
                mode => Note::Directory {
                    mode,
                    modified: i64::from_ne_bytes(time),
                },
            };
            work(&note, place)?;
        }
    }
}
