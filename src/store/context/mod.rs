//! A directory as the tar that `docker build` sends: made on the fly, never a copy on disk, in the same memory for any
//! tree. Uses store::jail and store::ignore, limits and sys.
//!
//! The entries are those of the docker CLI (docker/cli 28, moby's archive.TarWithOptions): the same names, modes, whole
//! seconds of modification, owner 0:0, links as they are, a file's second name as a hard link, file capabilities. What
//! differs: FIFOs and devices are left out as sockets are, and the entries come in the filesystem's order instead of
//! sorted, because sorting would hold all the names of a directory; so which name of a hard-linked file comes first is
//! the filesystem's choice too. A file that shrinks while it is read fails the archive here; the CLI sends a broken one.
#![forbid(unsafe_code)]

mod error;
mod header;
mod names;
mod tar;
mod walk;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

pub use error::PackError;
pub use header::{BLOCK, Header, Type, padding};

use crate::limits;
use crate::store::ignore::{IGNORE_FILE, Rules};
use crate::store::jail::{Directory, JailError};

/// How much was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Entries: files, directories and links.
    pub files: u64,
    /// Bytes of the archive.
    pub bytes: u64,
}

/// Writes what `rules` leave of `directory` to `out`, in pieces of [`limits::STREAM_BUFFER_BYTES`]. While it writes nothing
/// it flushes now and then, which `out` may refuse when nobody wants the archive any more.
pub fn pack(
    directory: &Directory,
    rules: &Rules,
    out: &mut dyn Write,
) -> Result<Packed, PackError> {
    let top = directory.entries().map_err(PackError::Start)?;
    walk::Packer::new(rules, out).pack(top)
}

/// The Dockerfile of the context `directory`: `given`, or `Dockerfile`, or `dockerfile` where only that is there. Its
/// name is the one that it has without links, as the CLI tells it to the engine.
pub fn dockerfile(directory: &Directory, given: Option<&Path>) -> Result<PathBuf, JailError> {
    let name = match given {
        Some(given) => given,
        None => default_name(directory),
    };
    let name = directory.real_name(name)?;
    directory.open_file(&name)?;
    Ok(name)
}

fn default_name(directory: &Directory) -> &'static Path {
    let is_missing = |name: &str| {
        let status = directory.status(name.as_ref());
        matches!(status, Err(JailError::NotFound { .. }))
    };
    if is_missing("Dockerfile") && !is_missing("dockerfile") {
        Path::new("dockerfile")
    } else {
        Path::new("Dockerfile")
    }
}

/// The text of the context's `.dockerignore`, empty where there is none. A link out of the context is refused, which the
/// CLI would follow. What is longer than [`limits::IGNORE_BYTES`] is cut one byte beyond, for the rules to refuse it.
pub fn ignore_file(directory: &Directory) -> Result<Vec<u8>, JailError> {
    let path = Path::new(IGNORE_FILE);
    let file = match directory.open_file(path) {
        Ok(file) => file,
        Err(JailError::NotFound { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    let read = file
        .take(limits::IGNORE_BYTES as u64 + 1)
        .read_to_end(&mut text);
    read.map_err(|source: io::Error| JailError::Io {
        path: directory.path().join(path),
        source,
    })?;
    Ok(text)
}
