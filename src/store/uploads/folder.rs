//! The directory of one upload and what is in it, by its descriptor:
//!
//! - `manifest`: the number of chunks and the terms, as JSON;
//! - `chunk-17`: a chunk that came whole;
//! - `answer`: the upload is finished, and this is what was said about it; `fingerprints`: what its chunks were.
//!
//! Each of them appears whole, by a rename; so does the directory itself, with its manifest and first chunk in it.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};

use super::id::UploadId;
use super::received::Received;
use super::temporary::Temporary;
use super::terms::Terms;
use crate::limits;
use crate::sys::change;
use crate::sys::entry::{self, Kind, Names};
use crate::sys::open::{self, Purpose};

const MANIFEST: &str = "manifest";
const ANSWER: &str = "answer";
/// The file of [`super::fingerprint`].
pub(super) const FINGERPRINTS: &str = "fingerprints";
const CHUNK_PREFIX: &str = "chunk-";

/// What is known of an upload besides its chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) total: u32,
    pub(super) terms: Terms,
}

/// What a name in the directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Manifest,
    Answer,
    Fingerprints,
    Chunk(u32),
    Odd,
}

/// The open directory of an upload.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

impl Folder {
    /// That of `id`, if there is one.
    pub(super) fn open(uploads: BorrowedFd<'_>, id: &UploadId) -> io::Result<Option<Self>> {
        found(open::child(uploads, id.as_name(), Purpose::Directory)).map(|found| found.map(Self))
    }

    /// A new one by the temporary name `name`.
    pub(super) fn make(uploads: BorrowedFd<'_>, name: &OsStr) -> io::Result<Self> {
        change::make_directory(uploads, name, 0o700)?;
        open::child(uploads, name, Purpose::Directory).map(Self)
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Its manifest; `InvalidData` when there is none that makes sense.
    pub(super) fn manifest(&self) -> io::Result<Manifest> {
        let bytes = self.read(MANIFEST, limits::UPLOAD_MANIFEST_BYTES)?;
        let bytes = bytes.ok_or_else(|| invalid("it has no manifest"))?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| invalid(&format!("its manifest makes no sense: {error}")))?;
        if manifest.total == 0 || manifest.total > limits::UPLOAD_CHUNKS {
            return Err(invalid("its manifest has an impossible number of chunks"));
        }
        Ok(manifest)
    }

    pub(super) fn write_manifest(
        &self,
        uploads: BorrowedFd<'_>,
        manifest: &Manifest,
    ) -> io::Result<()> {
        self.write(uploads, MANIFEST, &serde_json::to_vec(manifest)?)
    }

    /// The answer, if the upload is finished.
    pub(super) fn answer(&self) -> io::Result<Option<String>> {
        let bytes = self.read(ANSWER, limits::UPLOAD_ANSWER_BYTES)?;
        let text = bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| invalid("no UTF-8")));
        text.transpose()
    }

    pub(super) fn write_answer(&self, uploads: BorrowedFd<'_>, answer: &str) -> io::Result<()> {
        self.write(uploads, ANSWER, answer.as_bytes())
    }

    /// When it was finished, in seconds since 1970, if it was.
    pub(super) fn finished(&self) -> io::Result<Option<i64>> {
        let status = entry::status_of(self.as_fd(), OsStr::new(ANSWER));
        found(status).map(|found| found.map(|status| status.modified))
    }

    /// When the last chunk came, in seconds since 1970: that is what changes a directory.
    pub(super) fn touched(&self) -> io::Result<i64> {
        Ok(entry::status(self.as_fd())?.modified)
    }

    /// The regular file `name`, if it is there.
    pub(super) fn file(&self, name: &OsStr) -> io::Result<Option<File>> {
        let Some(descriptor) = found(open::child(self.as_fd(), name, Purpose::Read))? else {
            return Ok(None);
        };
        match entry::status(descriptor.as_fd())?.kind {
            Kind::File => Ok(Some(File::from(descriptor))),
            _ => Err(invalid("something else is where a file should be")),
        }
    }

    /// Bytes of chunk `index`; 0 when it is not there.
    pub(super) fn chunk_bytes(&self, index: u32) -> io::Result<u64> {
        let status = found(entry::status_of(self.as_fd(), &chunk_name(index)))?;
        let file = status.filter(|status| status.kind == Kind::File);
        Ok(file.map_or(0, |status| status.size))
    }

    /// The chunks of `total` that are there, and their bytes.
    pub(super) fn received(&self, total: u32) -> io::Result<(Received, u64)> {
        let mut received = Received::none(total);
        let mut sum = 0;
        self.each(|_, item| {
            if let Item::Chunk(index) = item
                && index < total
            {
                // None is empty: what is of another kind counts as missing.
                let bytes = self.chunk_bytes(index)?;
                if bytes > 0 {
                    received.add(index);
                    sum += bytes;
                }
            }
            Ok(())
        })?;
        Ok((received, sum))
    }

    /// Removes all chunks.
    pub(super) fn remove_chunks(&self) -> io::Result<()> {
        self.each(|name, item| match item {
            Item::Chunk(_) => change::remove_file(self.as_fd(), name),
            _ => Ok(()),
        })
    }

    /// Shows everything that is in it.
    pub(super) fn each(
        &self,
        mut visit: impl FnMut(&OsStr, Item) -> io::Result<()>,
    ) -> io::Result<()> {
        each_name(self.as_fd(), |name, _| visit(name, item(name)))
    }

    fn read(&self, name: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.file(OsStr::new(name))? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take(most as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > most {
            return Err(invalid("a file of it is too large"));
        }
        Ok(Some(bytes))
    }

    fn write(&self, uploads: BorrowedFd<'_>, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut temporary = Temporary::create(uploads)?;
        temporary.file.write_all(bytes)?;
        temporary.keep(self.as_fd(), OsStr::new(name))?;
        change::sync(self.as_fd())
    }
}

/// Shows every name in `directory`, and what it is where the filesystem tells.
pub(super) fn each_name(
    directory: BorrowedFd<'_>,
    mut visit: impl FnMut(&OsStr, Option<Kind>) -> io::Result<()>,
) -> io::Result<()> {
    // Opened anew: a descriptor remembers how far it was read.
    let directory = open::child(directory, OsStr::new("."), Purpose::Directory)?;
    let mut names = Names::default();
    while let Some((name, kind)) = names.next(directory.as_fd())? {
        visit(name, kind)?;
    }
    Ok(())
}

/// What chunk `index` is called.
pub(super) fn chunk_name(index: u32) -> OsString {
    format!("{CHUNK_PREFIX}{index}").into()
}

fn item(name: &OsStr) -> Item {
    match name.to_str() {
        Some(MANIFEST) => return Item::Manifest,
        Some(ANSWER) => return Item::Answer,
        Some(FINGERPRINTS) => return Item::Fingerprints,
        _ => {}
    }
    let number = name
        .to_str()
        .and_then(|name| name.strip_prefix(CHUNK_PREFIX));
    match number.and_then(|number| number.parse().ok()) {
        Some(index) if chunk_name(index) == name => Item::Chunk(index),
        _ => Item::Odd,
    }
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}
