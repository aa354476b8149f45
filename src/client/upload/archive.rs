//! A file that is an archive already: tar or tar.gz, told by its bytes. It is sent as it is.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::client::failure::Failure;
use crate::client::progress::{Counted, Progress};
use crate::limits;
use crate::store::context::BLOCK;

/// What every tar since 1988 has in its first header, and where.
const MAGIC: (usize, &[u8]) = (257, b"ustar");
/// How gzip begins. RFC 1952, 2.3.1
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The file.
pub(super) struct Archive {
    file: File,
    path: PathBuf,
    bytes: u64,
    modified: (i64, i64),
    sha256: [u8; 32],
}

impl Archive {
    /// The file at `path`, if it is an archive.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, Failure> {
        let failure = |error: io::Error| Failure::local(path.display())(error);
        let file = File::open(path).map_err(failure)?;
        if !is_archive(&file).map_err(failure)? {
            return Ok(None);
        }
        let status = file.metadata().map_err(failure)?;
        let mut progress = Progress::new("reading", Some(status.len()));
        let mut counted = Counted {
            source: (&file).take(status.len()),
            progress: &mut progress,
        };
        let sha256 = sum(&mut counted).map_err(failure)?;
        drop(progress);
        Ok(Some(Self {
            file,
            path: path.to_owned(),
            bytes: status.len(),
            modified: (status.mtime(), status.mtime_nsec()),
            sha256,
        }))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// These bytes of it. One that changed meanwhile would be refused by its sum, after all of it was sent.
    pub(super) fn piece(&self, start: u64, end: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
        let read = self.file.read_exact_at(&mut bytes, start);
        read.map_err(Failure::local(self.path.display()))?;
        let status = self
            .file
            .metadata()
            .map_err(Failure::local(self.path.display()))?;
        if (status.mtime(), status.mtime_nsec()) != self.modified || status.len() != self.bytes {
            return Err(Failure::Local(format!(
                "{} changed while it was sent",
                self.path.display()
            )));
        }
        Ok(bytes)
    }
}

fn sum(source: &mut dyn Read) -> io::Result<[u8; 32]> {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; limits::STREAM_BUFFER_BYTES];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(sum.finalize().into()),
            count => sum.update(&buffer[..count]),
        }
    }
}

/// Whether the first block, perhaps through gzip, is a tar's header.
fn is_archive(file: &File) -> io::Result<bool> {
    let mut head = vec![0; limits::STREAM_BUFFER_BYTES];
    let count = file.read_at(&mut head, 0)?;
    head.truncate(count);
    let mut block = Vec::new();
    if head.starts_with(GZIP) {
        let decoder = GzDecoder::new(head.as_slice());
        // What is no gzip after all is no archive.
        let _ = decoder.take(BLOCK as u64).read_to_end(&mut block);
    } else {
        head.truncate(BLOCK);
        block = head;
    }
    let (at, magic) = MAGIC;
    Ok(block.get(at..).is_some_and(|rest| rest.starts_with(magic)))
}
