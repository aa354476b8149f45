//! Goes through the tree: one open directory a level, nothing followed, every header from the descriptor that is read.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Instant;

use super::header::{Header, Type};
use super::names::FirstNames;
use super::tar::{ContentError, Tar};
use super::{PackError, Packed};
use crate::limits;
use crate::store::ignore::{Rules, Verdicts};
use crate::store::jail::{Directory, Entries};
use crate::sys::entry::{self, Kind};
use crate::sys::open::{self, Refusal};

/// An archive being made.
pub(super) struct Packer<'a> {
    rules: &'a Rules,
    tar: Tar<'a>,
    first_names: FirstNames,
    /// Of the entry at hand, relative to the context.
    path: Vec<u8>,
    files: u64,
}

/// A directory that is being gone through.
struct Level {
    entries: Entries,
    verdicts: Verdicts,
    /// How much of the path is its name, with a slash.
    path_length: usize,
}

impl<'a> Packer<'a> {
    pub(super) fn new(rules: &'a Rules, out: &'a mut dyn Write) -> Self {
        Self {
            rules,
            tar: Tar::new(out),
            first_names: FirstNames::default(),
            path: Vec::new(),
            files: 0,
        }
    }

    /// Sends what is below `top`. A stack of our own: a worker's has no room for a frame a level.
    pub(super) fn pack(mut self, top: Entries) -> Result<Packed, PackError> {
        let mut levels = vec![Level {
            entries: top,
            verdicts: Verdicts::default(),
            path_length: 0,
        }];
        // Of the last directory or file; a vector for each file would be most of the allocations.
        let mut verdicts = Verdicts::default();
        let mut looked = Instant::now();
        while let Some(level) = levels.last_mut() {
            if looked.elapsed() >= limits::CONTEXT_LOOK {
                self.tar.look().map_err(PackError::Out)?;
                looked = Instant::now();
            }
            self.path.truncate(level.path_length);
            let Some(kind) = self.next_name(level)? else {
                levels.pop();
                continue;
            };
            let name = self.path[level.path_length..].to_vec();
            let parent = level.entries.directory();
            let is_out = self
                .rules
                .leaves_out(&self.path, &level.verdicts, &mut verdicts);
            let entered = self.entry(parent, OsStr::from_bytes(&name), kind, is_out)?;
            if let Some(directory) = entered {
                if levels.len() == limits::TREE_DEPTH {
                    return Err(PackError::TooDeep {
                        path: self.current(),
                    });
                }
                self.path.push(b'/');
                levels.push(Level {
                    entries: directory.into_entries(),
                    verdicts: std::mem::take(&mut verdicts),
                    path_length: self.path.len(),
                });
            }
        }
        let bytes = self.tar.finish().map_err(PackError::Out)?;
        Ok(Packed {
            files: self.files,
            bytes,
        })
    }

    /// Appends the next name of `level` to the path. What it is; nothing at the end.
    fn next_name(&mut self, level: &mut Level) -> Result<Option<Kind>, PackError> {
        let (name, kind) = match level.entries.next_name() {
            Ok(Some(next)) => next,
            Ok(None) => return Ok(None),
            // The directory itself was removed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.read_error(error)),
        };
        self.path.extend_from_slice(name.as_bytes());
        if kind.is_some() {
            return Ok(kind);
        }
        let name = OsStr::from_bytes(&self.path[level.path_length..]);
        match level.entries.directory().status_of(name) {
            Ok(status) => Ok(Some(status.kind)),
            // Whatever it was, it is left out, as all that is special.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(Kind::Special)),
            Err(error) => Err(self.read_error(error)),
        }
    }

    /// Sends one entry. If it is a directory to go into, gives it. What vanished since it was listed is left out, as in
    /// the CLI.
    fn entry(
        &mut self,
        parent: &Directory,
        name: &OsStr,
        kind: Kind,
        is_out: bool,
    ) -> Result<Option<Directory>, PackError> {
        match kind {
            Kind::Directory if !is_out || self.rules.looks_into(&self.path) => {
                return self.directory(parent, name, is_out);
            }
            Kind::File if !is_out => self.file(parent, name)?,
            Kind::Link if !is_out => self.link(parent, name)?,
            _ => {}
        }
        Ok(None)
    }

    fn directory(
        &mut self,
        parent: &Directory,
        name: &OsStr,
        is_out: bool,
    ) -> Result<Option<Directory>, PackError> {
        let Some(directory) = self.there(parent.enter(name))? else {
            return Ok(None);
        };
        if !is_out {
            let status =
                entry::status(directory.as_fd()).map_err(|error| self.read_error(error))?;
            self.path.push(b'/');
            self.send(Type::Directory, &status, b"", None)?;
            self.path.pop();
        }
        Ok(Some(directory))
    }

    fn file(&mut self, parent: &Directory, name: &OsStr) -> Result<(), PackError> {
        let Some(mut file) = self.there(parent.file(name))? else {
            return Ok(());
        };
        let status = entry::status(file.as_fd()).map_err(|error| self.read_error(error))?;
        if status.kind != Kind::File {
            return Err(self.changed());
        }
        let capability = entry::capability(file.as_fd()).and_then(without_owner);
        let capability = capability.as_deref();
        if let Some(first) = self.first_names.before(&status, &self.path) {
            let first = first.to_vec();
            return self.send(Type::HardLink, &status, &first, capability);
        }
        self.send(Type::File, &status, b"", capability)?;
        let copied = self.tar.content(&mut file, status.size);
        copied.map_err(|error| match error {
            ContentError::Out(error) => PackError::Out(error),
            ContentError::Read(error) => self.read_error(error),
            ContentError::Short => self.changed(),
        })
    }

    fn link(&mut self, parent: &Directory, name: &OsStr) -> Result<(), PackError> {
        let Some(status) = self.there(parent.status_of(name))? else {
            return Ok(());
        };
        if status.kind != Kind::Link {
            return Err(self.changed());
        }
        let Some(target) = self.there(parent.link_target(name))? else {
            return Ok(());
        };
        if let Some(first) = self.first_names.before(&status, &self.path) {
            let first = first.to_vec();
            return self.send(Type::HardLink, &status, &first, None);
        }
        self.send(Type::Link, &status, target.as_bytes(), None)
    }

    fn send(
        &mut self,
        kind: Type,
        status: &entry::Status,
        target: &[u8],
        capability: Option<&[u8]>,
    ) -> Result<(), PackError> {
        self.files += 1;
        let header = Header {
            name: &self.path,
            kind,
            status,
            target,
            capability,
        };
        self.tar.header(&header).map_err(PackError::Out)
    }

    /// What was opened, unless it vanished.
    fn there<T>(&self, opened: io::Result<T>) -> Result<Option<T>, PackError> {
        match opened {
            Ok(opened) => Ok(Some(opened)),
            Err(error) => match open::refusal(&error) {
                Refusal::NotFound => Ok(None),
                // It was listed as something else a moment ago.
                Refusal::Link | Refusal::NotADirectory | Refusal::NotOpenable => {
                    Err(self.changed())
                }
                _ => Err(self.read_error(error)),
            },
        }
    }

    fn current(&self) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(&self.path))
    }

    fn read_error(&self, source: io::Error) -> PackError {
        PackError::Read {
            path: self.current(),
            source,
        }
    }

    fn changed(&self) -> PackError {
        PackError::Changed {
            path: self.current(),
        }
    }
}

/// The capability without the owner of a user namespace (VFS_CAP_REVISION_3), which means nothing where the archive is
/// unpacked; the CLI makes revision 2 of it too.
fn without_owner(mut capability: Vec<u8>) -> Option<Vec<u8>> {
    const REVISION: usize = 3;
    const REVISION_2_BYTES: usize = 20;
    if *capability.get(REVISION)? == 3 {
        capability[REVISION] = 2;
        capability.truncate(REVISION_2_BYTES);
    }
    Some(capability)
}
