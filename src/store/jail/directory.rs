//! A directory that is held by its descriptor, and what can be done below it.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use super::JailError;
use super::made::Made;
use super::walk::walk;
use crate::limits;
use crate::sys::entry::{self, Kind, Names, Status};
use crate::sys::open::{self, Purpose, Refusal};

/// An open directory. Whatever is opened through it is below it.
#[derive(Debug)]
pub struct Directory {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// The directory at `path`, which the operator named.
    pub(super) fn root(path: &Path) -> Result<Self, JailError> {
        let descriptor = open::directory(path).map_err(|error| JailError::from_io(path, error))?;
        Ok(Self {
            descriptor,
            path: path.to_owned(),
        })
    }

    /// The same, made when it is not there, and those above it.
    pub(super) fn new_root(path: &Path) -> Result<Self, JailError> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(Made::PARENT_MODE)
            .create(path);
        made.and_then(|()| File::open(path.parent().unwrap_or(path))?.sync_all())
            .map_err(|error| JailError::write(path, error))?;
        Self::root(path)
    }

    /// What `descriptor` has open, which is at `path`.
    pub(super) fn at(descriptor: OwnedFd, path: PathBuf) -> Self {
        Self { descriptor, path }
    }

    /// The path it was opened by: for messages, and to tell where an absolute link leads.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory at `relative`.
    pub fn open_directory(&self, relative: &Path) -> Result<Self, JailError> {
        let descriptor = self.open(relative, Purpose::Directory)?;
        Ok(Self {
            descriptor,
            path: self.joined(relative),
        })
    }

    /// The regular file at `relative`, to read. Does not wait for anybody, also when it is a FIFO.
    pub fn open_file(&self, relative: &Path) -> Result<File, JailError> {
        let descriptor = self.open(relative, Purpose::Read)?;
        let status =
            entry::status(descriptor.as_fd()).map_err(|error| self.error(relative, error))?;
        match status.kind {
            Kind::File => Ok(File::from(descriptor)),
            _ => Err(JailError::NotAFile {
                path: self.joined(relative),
            }),
        }
    }

    /// What is in it.
    pub fn entries(&self) -> Result<Entries, JailError> {
        // Opened anew: a descriptor remembers how far it was read.
        Ok(self.open_directory(Path::new(""))?.into_entries())
    }

    /// The status of `name` in it; of the link itself, if it is one.
    pub fn status(&self, name: &OsStr) -> Result<Status, JailError> {
        self.single(name)?;
        self.status_of(name)
            .map_err(|error| self.error(Path::new(name), error))
    }

    /// The target of the link `name` in it.
    pub fn read_link(&self, name: &OsStr) -> Result<OsString, JailError> {
        self.single(name)?;
        self.link_target(name)
            .map_err(|error| self.error(Path::new(name), error))
    }

    /// The path below it that `relative` has when all links are followed: what is there has this name without any.
    pub fn real_name(&self, relative: &Path) -> Result<PathBuf, JailError> {
        self.checked(relative)?;
        Ok(walk(self, relative)?.name())
    }

    fn open(&self, relative: &Path, purpose: Purpose) -> Result<OwnedFd, JailError> {
        self.checked(relative)?;
        // An empty path is ENOENT to the kernel.
        let way = if relative.as_os_str().is_empty() {
            Path::new(".")
        } else {
            relative
        };
        let error = match open::beneath(self.as_fd(), way, purpose) {
            Ok(descriptor) => return Ok(descriptor),
            Err(error) => error,
        };
        match open::refusal(&error) {
            Refusal::NoOpenat2 | Refusal::Leaves | Refusal::Busy => {
                self.open_by_walking(relative, purpose)
            }
            _ => Err(self.error(relative, error)),
        }
    }

    /// As the kernel does it, but for absolute links: see [`super::walk`].
    pub(super) fn open_by_walking(
        &self,
        relative: &Path,
        purpose: Purpose,
    ) -> Result<OwnedFd, JailError> {
        walk(self, relative)?
            .open(self, purpose)
            .map_err(|error| self.error(relative, error))
    }

    pub(super) fn checked(&self, relative: &Path) -> Result<(), JailError> {
        if relative.as_os_str().len() >= limits::PATH_BYTES {
            return Err(self.error(relative, io::ErrorKind::InvalidFilename.into()));
        }
        if relative.is_absolute() {
            return Err(self.outside(relative));
        }
        Ok(())
    }

    fn single(&self, name: &OsStr) -> Result<(), JailError> {
        let mut parts = Path::new(name).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(part)), None) if part == name => Ok(()),
            _ => Err(self.outside(Path::new(name))),
        }
    }

    pub(super) fn outside(&self, relative: &Path) -> JailError {
        JailError::Outside {
            path: self.joined(relative),
        }
    }

    pub(super) fn error(&self, relative: &Path, error: io::Error) -> JailError {
        JailError::from_io(&self.joined(relative), error)
    }

    /// For messages only: joining with nothing would put a slash at the end.
    pub(super) fn joined(&self, relative: &Path) -> PathBuf {
        self.path
            .components()
            .chain(relative.components())
            .collect()
    }
}

/// For names that came from [`Entries`], which are single ones; nothing is followed.
impl Directory {
    pub(in crate::store) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self {
            descriptor: open::child(self.as_fd(), name, Purpose::Directory)?,
            path: self.path.join(name),
        })
    }

    pub(in crate::store) fn file(&self, name: &OsStr) -> io::Result<File> {
        open::child(self.as_fd(), name, Purpose::Read).map(File::from)
    }

    pub(in crate::store) fn status_of(&self, name: &OsStr) -> io::Result<Status> {
        entry::status_of(self.as_fd(), name)
    }

    pub(in crate::store) fn link_target(&self, name: &OsStr) -> io::Result<OsString> {
        entry::link_target(self.as_fd(), name)
    }

    /// What is in it, read through this very descriptor.
    pub(in crate::store) fn into_entries(self) -> Entries {
        Entries {
            directory: self,
            names: Names::default(),
        }
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Gives out the names in a directory, in the filesystem's own order and in the same memory for any number of them.
#[derive(Debug)]
pub struct Entries {
    directory: Directory,
    names: Names,
}

impl Entries {
    /// The directory they are in.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The next name, and what it is where the filesystem tells. An iterator could not lend it.
    pub fn next_name(&mut self) -> io::Result<Option<(&OsStr, Option<Kind>)>> {
        self.names.next(self.directory.as_fd())
    }
}
