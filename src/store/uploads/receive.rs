//! Takes the bytes of one chunk through one fixed buffer, to a temporary file or, when they are not needed, to nowhere.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use super::fingerprint::Fingerprint;
use super::slot::Hold;
use super::temporary::Temporary;
use super::{Chunk, UploadError};
use crate::limits;
use crate::store::space::NoRoom;

/// What came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receipt {
    pub(super) bytes: u64,
    pub(super) fingerprint: u64,
}

/// A temporary file that a chunk is written to, within all limits.
pub(super) struct Intake<'h, 'u> {
    hold: &'h Hold<'u>,
    temporary: Temporary<'u>,
    written: u64,
    /// Bytes that the chunk may have at most.
    most: u64,
    /// Bytes that may be written before the disk is looked at again.
    granted: u64,
}

impl<'h, 'u> Intake<'h, 'u> {
    /// For a chunk of `announced` bytes. Fails before anything is written when it has no room.
    pub(super) fn open(
        hold: &'h Hold<'u>,
        most: u64,
        announced: Option<u64>,
    ) -> Result<Self, UploadError> {
        let uploads = hold.uploads;
        if announced.is_some_and(|announced| announced > most) {
            return Err(too_large(hold));
        }
        let room = uploads.reserve.check(&uploads.path, announced.unwrap_or(0));
        room.map_err(no_room)?;
        let temporary = Temporary::create(uploads.as_fd());
        Ok(Self {
            hold,
            temporary: temporary.map_err(UploadError::disk("receiving the chunk"))?,
            written: 0,
            most,
            granted: 0,
        })
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        let count = bytes.len() as u64;
        self.written += count;
        if self.hold.slot.is_dropped() {
            return Err(UploadError::Dropped);
        }
        if self.written > self.most {
            return Err(too_large(self.hold));
        }
        if self.granted < count {
            let uploads = self.hold.uploads;
            let available = uploads.reserve.available_in(uploads.as_fd());
            if available < count {
                return Err(no_room(NoRoom {
                    path: uploads.path.clone(),
                    needed: count,
                    available,
                }));
            }
            self.granted = available.min(limits::SPACE_STEP_BYTES);
        }
        self.granted -= count;
        let written = self.temporary.file.write_all(bytes);
        written.map_err(UploadError::disk("receiving the chunk"))
    }

    /// Reads all of `body` into the file; it is on the disk afterwards.
    pub(super) fn receive(
        mut self,
        chunk: &Chunk,
        body: &mut dyn Read,
    ) -> Result<(Receipt, Temporary<'u>), UploadError> {
        let receipt = read(chunk, body, |bytes| self.take(bytes))?;
        let synced = self.temporary.sync();
        synced.map_err(UploadError::disk("receiving the chunk"))?;
        Ok((receipt, self.temporary))
    }
}

/// Reads all of `body` and shows it to `take`. What came is not what was meant: an error.
pub(super) fn read(
    chunk: &Chunk,
    body: &mut dyn Read,
    mut take: impl FnMut(&[u8]) -> Result<(), UploadError>,
) -> Result<Receipt, UploadError> {
    let mut buffer = vec![0; limits::STREAM_BUFFER_BYTES];
    let mut sum = chunk.sha256.as_ref().map(|_| Sha256::new());
    let mut fingerprint = Fingerprint::default();
    let mut total = 0;
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(UploadError::Body(error)),
        };
        let bytes = &buffer[..count];
        total += count as u64;
        fingerprint.update(bytes);
        if let Some(sum) = &mut sum {
            sum.update(bytes);
        }
        take(bytes)?;
    }
    let index = chunk.index;
    if total == 0 {
        return Err(UploadError::Empty { index });
    }
    if let (Some(expected), Some(sum)) = (&chunk.sha256, sum) {
        compare(index, expected, &sum.finalize())?;
    }
    Ok(Receipt {
        bytes: total,
        fingerprint: fingerprint.finish(),
    })
}

fn compare(index: u32, expected: &str, sum: &[u8]) -> Result<(), UploadError> {
    let mut actual = String::new();
    for byte in sum {
        // Writing to a string cannot fail.
        let _ = write!(actual, "{byte:02x}");
    }
    if actual.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(UploadError::Checksum {
        index,
        expected: expected.to_owned(),
        actual,
    })
}

pub(super) fn too_large(hold: &Hold<'_>) -> UploadError {
    UploadError::TooLarge {
        limit: hold.uploads.limits.bytes.unwrap_or(u64::MAX),
    }
}

fn no_room(shortage: NoRoom) -> UploadError {
    UploadError::Disk {
        doing: "receiving the chunk",
        source: io::Error::new(io::ErrorKind::StorageFull, shortage),
    }
}
