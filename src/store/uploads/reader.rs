//! A complete set as one stream.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};

use super::fingerprint::{Fingerprint, Fingerprints};
use super::folder::{Folder, chunk_name};

/// Reads all chunks of a set in their order, one open at a time.
#[derive(Debug)]
pub struct SetReader<'c, 'u> {
    folder: Folder,
    total: u32,
    next: u32,
    current: Option<(File, Fingerprint)>,
    fingerprints: &'c mut Fingerprints<'u>,
}

impl<'c, 'u> SetReader<'c, 'u> {
    pub(super) fn new(folder: Folder, total: u32, fingerprints: &'c mut Fingerprints<'u>) -> Self {
        Self {
            folder,
            total,
            next: 0,
            current: None,
            fingerprints,
        }
    }

    fn open_next(&mut self) -> io::Result<(File, Fingerprint)> {
        let index = self.next;
        let file = self.folder.file(&chunk_name(index))?.ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("chunk {index} is gone"))
        })?;
        self.next += 1;
        Ok((file, Fingerprint::default()))
    }
}

impl Read for SetReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let (mut file, mut fingerprint) = match self.current.take() {
                Some(current) => current,
                None if self.next == self.total => return Ok(0),
                None => self.open_next()?,
            };
            let read = file.read(buffer);
            if matches!(read, Ok(0)) {
                self.fingerprints.push(fingerprint.finish());
                continue;
            }
            if let Ok(count) = read {
                fingerprint.update(&buffer[..count]);
            }
            self.current = Some((file, fingerprint));
            return read;
        }
    }
}
