//! The project as the detectors see it: a few bounded reads through [`ProjectFiles`].
//!
//! Nothing here opens a file. The caller implements the trait over a directory that it confines; this module bounds how
//! much of it is asked for, and takes the byte order mark off.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::io;

use super::error::DetectError;
use super::read::json::Json;

/// The most that is read of one file, in bytes. Manifests are far smaller; of longer ones the head decides.
pub const READ_LIMIT: usize = 128 * 1024;

/// The most of a lock file that is searched, in bytes. Only one is held at a time.
pub const LOCK_LIMIT: usize = 1024 * 1024;

/// The most that is searched of one source file, in bytes.
const SOURCE_LIMIT: usize = 32 * 1024;

/// The most entries of one directory that are looked at.
pub const LIST_LIMIT: usize = 1_000;

/// The most reads and listings for one project. The walks have limits of their own, far below; this one is for what they
/// add up to.
const MOST_LOOKS: usize = 3_000;

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Anything else.
    Other,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without a path.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// How the files of a project are reached. Paths are relative, with `/`, without `.` and `..`; the root is the empty path.
///
/// What cannot be followed inside the project (a link that leaves it) does not exist.
pub trait ProjectFiles {
    /// At most the first `limit` bytes of a regular file; `None` when there is none. A limit of 0 asks only whether it
    /// exists.
    fn read(&self, relative: &str, limit: usize) -> io::Result<Option<Vec<u8>>>;

    /// At most `limit` entries of a directory, in any order; `None` when there is none. Names that are not UTF-8 are
    /// left out.
    fn list(&self, relative_dir: &str, limit: usize) -> io::Result<Option<Vec<Entry>>>;
}

/// The caller's files, with the questions that detectors ask.
pub(crate) struct Project<'a> {
    files: &'a dyn ProjectFiles,
    looks: Cell<usize>,
}

impl<'a> Project<'a> {
    /// The project behind `files`.
    pub(crate) fn new(files: &'a dyn ProjectFiles) -> Self {
        Self {
            files,
            looks: Cell::new(0),
        }
    }

    fn read(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, DetectError> {
        self.count()?;
        self.files
            .read(path, limit)
            .map_err(|source| io_error(path, source))
    }

    fn list(&self, directory: &str, limit: usize) -> Result<Option<Vec<Entry>>, DetectError> {
        self.count()?;
        self.files
            .list(directory, limit)
            .map_err(|source| io_error(directory, source))
    }

    fn count(&self) -> Result<(), DetectError> {
        self.looks.set(self.looks.get() + 1);
        if self.looks.get() > MOST_LOOKS {
            return Err(DetectError::TooMuch { limit: MOST_LOOKS });
        }
        Ok(())
    }

    /// The first [`READ_LIMIT`] bytes of a text file.
    pub(crate) fn text(&self, path: &str) -> Result<Option<String>, DetectError> {
        self.head(path, READ_LIMIT)
    }

    /// The first [`SOURCE_LIMIT`] bytes of a source file; a search may read hundreds of them.
    pub(crate) fn source(&self, path: &str) -> Result<Option<String>, DetectError> {
        self.head(path, SOURCE_LIMIT)
    }

    /// The first [`LOCK_LIMIT`] bytes of a lock file.
    pub(crate) fn lock(&self, path: &str) -> Result<Option<String>, DetectError> {
        self.head(path, LOCK_LIMIT)
    }

    fn head(&self, path: &str, limit: usize) -> Result<Option<String>, DetectError> {
        let bytes = self.read(path, limit)?;
        Ok(bytes.map(|mut bytes| {
            bytes.truncate(limit);
            decoded(bytes)
        }))
    }

    /// A JSON file that has to be read as a whole; `comments` says whether it may have them.
    pub(crate) fn json(&self, path: &str, comments: bool) -> Result<Option<Json>, DetectError> {
        let Some(text) = self.head(path, READ_LIMIT + 1)? else {
            return Ok(None);
        };
        if text.len() > READ_LIMIT {
            return Err(DetectError::TooLarge {
                file: path.to_owned(),
                limit: READ_LIMIT,
            });
        }
        let parsed = if comments {
            Json::parse_with_comments(&text)
        } else {
            Json::parse(&text)
        };
        parsed.map(Some).map_err(|problem| DetectError::Malformed {
            file: path.to_owned(),
            problem: problem.to_string(),
        })
    }

    /// Whether there is a regular file of that name.
    pub(crate) fn has(&self, path: &str) -> Result<bool, DetectError> {
        let found = self.read(path, 0)?;
        Ok(found.is_some())
    }

    /// The first of these files that exists.
    pub(crate) fn first_of<'n>(&self, paths: &[&'n str]) -> Result<Option<&'n str>, DetectError> {
        for path in paths {
            if self.has(path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Those of these files that exist.
    pub(crate) fn existing<'n>(&self, paths: &[&'n str]) -> Result<Vec<&'n str>, DetectError> {
        let mut found = Vec::new();
        for path in paths {
            if self.has(path)? {
                found.push(*path);
            }
        }
        Ok(found)
    }

    /// Whether there is a directory of that name.
    pub(crate) fn has_directory(&self, path: &str) -> Result<bool, DetectError> {
        let found = self.list(path, 1)?;
        Ok(found.is_some())
    }

    /// Names of the files in a directory, sorted.
    pub(crate) fn files(&self, directory: &str) -> Result<Vec<String>, DetectError> {
        self.names(directory, Kind::File)
    }

    /// Names of the directories in a directory, sorted, without the hidden ones.
    pub(crate) fn directories(&self, directory: &str) -> Result<Vec<String>, DetectError> {
        let mut names = self.names(directory, Kind::Directory)?;
        names.retain(|name| !name.starts_with('.'));
        Ok(names)
    }

    fn names(&self, directory: &str, kind: Kind) -> Result<Vec<String>, DetectError> {
        let listed = self.list(directory, LIST_LIMIT)?;
        let mut names: Vec<String> = listed
            .unwrap_or_default()
            .into_iter()
            .take(LIST_LIMIT)
            .filter(|entry| entry.kind == kind)
            .map(|entry| entry.name)
            .collect();
        names.sort_unstable();
        Ok(names)
    }
}

/// `directory/name`, or the name alone in the root.
pub(crate) fn below(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// The text of a file without its byte order mark. Windows' PowerShell writes UTF-16 (`pip freeze > requirements.txt`).
fn decoded(bytes: Vec<u8>) -> String {
    if let Some(wide) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let units = wide
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        return char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
    }
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

fn io_error(path: &str, source: io::Error) -> DetectError {
    let file = if path.is_empty() { "the project" } else { path };
    DetectError::Io {
        file: file.to_owned(),
        source,
    }
}
