//! Writes an archive through one fixed buffer: headers and small files gather in it, contents are read right into it.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Write};

use super::header::{BLOCK, Header, padding};
use crate::limits;

/// Why contents did not come through.
#[derive(Debug)]
pub(super) enum ContentError {
    /// They could not be read.
    Read(io::Error),
    /// They ended before their size.
    Short,
    /// They could not be written.
    Out(io::Error),
}

/// An archive on its way to `out`.
pub(super) struct Tar<'a> {
    out: &'a mut dyn Write,
    buffer: Box<[u8]>,
    filled: usize,
    written: u64,
}

impl<'a> Tar<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            buffer: vec![0; limits::STREAM_BUFFER_BYTES].into_boxed_slice(),
            filled: 0,
            written: 0,
        }
    }

    /// Asks the one who takes it whether it is still wanted.
    pub(super) fn look(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Begins an entry; its contents must follow.
    pub(super) fn header(&mut self, header: &Header) -> io::Result<()> {
        header.write(|bytes| self.put(bytes))
    }

    /// Copies `size` bytes of `file`; what is beyond is left.
    pub(super) fn content(&mut self, file: &mut File, size: u64) -> Result<(), ContentError> {
        let mut left = size;
        while left > 0 {
            self.make_room().map_err(ContentError::Out)?;
            let room = self.buffer.len() - self.filled;
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(room);
            let place = &mut self.buffer[self.filled..self.filled + most];
            match file.read(place) {
                Ok(0) => return Err(ContentError::Short),
                Ok(count) => {
                    self.filled += count;
                    left -= count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ContentError::Read(error)),
            }
        }
        self.put(&[0; BLOCK][..padding(size)])
            .map_err(ContentError::Out)
    }

    /// Ends the archive. Its bytes in all.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.put(&[0; 2 * BLOCK])?;
        self.send()?;
        Ok(self.written)
    }

    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.make_room()?;
            let count = bytes.len().min(self.buffer.len() - self.filled);
            let (now, later) = bytes.split_at(count);
            self.buffer[self.filled..self.filled + count].copy_from_slice(now);
            self.filled += count;
            bytes = later;
        }
        Ok(())
    }

    fn make_room(&mut self) -> io::Result<()> {
        if self.filled == self.buffer.len() {
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer[..self.filled])?;
        self.written += self.filled as u64;
        self.filled = 0;
        Ok(())
    }
}
