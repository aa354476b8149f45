//! Changes of the machine's files, each of which can be undone.
#![forbid(unsafe_code)]

use std::fmt;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::InstallError;
use crate::store::atomic::{self, Mode};

/// A change that is to be made.
pub(super) enum Change {
    /// A directory that is not there, with this mode, and those above it.
    Directory(PathBuf, u32),
    /// A file with this content and mode, in the place of an older one.
    File(PathBuf, Vec<u8>, u32),
}

impl Change {
    /// The file, unless it is there already with this very content and mode.
    pub(super) fn file(path: &Path, content: Vec<u8>, mode: u32) -> Option<Self> {
        let is_same = fs::read(path).is_ok_and(|old| old == content)
            && path
                .symlink_metadata()
                .is_ok_and(|meta| meta.is_file() && meta.mode() & 0o7777 == mode);
        (!is_same).then(|| Self::File(path.to_owned(), content, mode))
    }

    /// The directory, unless it is there.
    pub(super) fn directory(path: &Path, mode: u32) -> Option<Self> {
        (!path.exists()).then(|| Self::Directory(path.to_owned(), mode))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path, mode) => write!(out, "make {} ({mode:04o})", path.display()),
            Self::File(path, _, mode) => write!(out, "write {} ({mode:04o})", path.display()),
        }
    }
}

/// What was changed, and how to change it back.
#[derive(Default)]
pub(super) struct Done(Vec<Undo>);

enum Undo {
    Remove(PathBuf),
    RemoveDirectory(PathBuf),
    Rewrite(PathBuf, Vec<u8>, u32),
    PutBack { kept: PathBuf, place: PathBuf },
}

impl Done {
    /// Makes a change.
    pub(super) fn make(&mut self, change: Change) -> Result<(), InstallError> {
        match change {
            Change::Directory(path, mode) => self.make_directory(&path, mode),
            Change::File(path, content, mode) => self.write(&path, &content, mode),
        }
    }

    /// One level after the other, so that each that was made is known.
    fn make_directory(&mut self, path: &Path, mode: u32) -> Result<(), InstallError> {
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            self.make_directory(parent, 0o755)?;
        }
        match DirBuilder::new().mode(mode).create(path) {
            Ok(()) => self.0.push(Undo::RemoveDirectory(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
            Err(error) => return Err(InstallError::file("make", path)(error)),
        }
        Ok(())
    }

    fn write(&mut self, path: &Path, content: &[u8], mode: u32) -> Result<(), InstallError> {
        let undo = match fs::read(path) {
            Ok(old) => {
                let meta = path.metadata().map_err(InstallError::file("read", path))?;
                Undo::Rewrite(path.to_owned(), old, meta.mode() & 0o7777)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Undo::Remove(path.to_owned()),
            Err(error) => return Err(InstallError::file("read", path)(error)),
        };
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            self.make_directory(parent, 0o755)?;
        }
        atomic::write(path, content, Mode::Exactly(mode))
            .map_err(InstallError::file("write", path))?;
        self.0.push(undo);
        Ok(())
    }

    /// A file was made at `place`, in the place of one that is kept at `kept`, or of none.
    pub(super) fn placed(&mut self, place: &Path, kept: Option<PathBuf>) {
        let place = place.to_owned();
        self.0.push(match kept {
            Some(kept) => Undo::PutBack { kept, place },
            None => Undo::Remove(place),
        });
    }

    /// Changes everything back, the newest first; what could not be.
    pub(super) fn undo(self) -> Vec<String> {
        let undone = self.0.into_iter().rev().map(Undo::apply);
        undone
            .filter_map(|result| result.err().map(|error| error.to_string()))
            .collect()
    }
}

impl Undo {
    fn apply(self) -> Result<(), InstallError> {
        match self {
            Self::Remove(path) => {
                fs::remove_file(&path).map_err(InstallError::file("remove", &path))
            }
            Self::RemoveDirectory(path) => match fs::remove_dir(&path) {
                // By now it is somebody's.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
                result => result.map_err(InstallError::file("remove", &path)),
            },
            Self::Rewrite(path, content, mode) => {
                atomic::write(&path, &content, Mode::Exactly(mode))
                    .map_err(InstallError::file("write", &path))
            }
            Self::PutBack { kept, place } => {
                fs::rename(&kept, &place).map_err(InstallError::file("put back", &place))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every path below `root` with its mode and content.
    fn picture(root: &Path) -> Vec<(PathBuf, u32, Option<Vec<u8>>)> {
        let mut all = Vec::new();
        let mut todo = vec![root.to_owned()];
        while let Some(path) = todo.pop() {
            let mode = path.metadata().unwrap().mode();
            if path.is_dir() {
                todo.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
            all.push((path.clone(), mode, fs::read(&path).ok()));
        }
        all.sort();
        all
    }

    #[test]
    fn what_was_done_is_undone() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::write(at("old"), "old").unwrap();
        fs::write(at("binary"), "1").unwrap();
        let before = picture(root.path());
        let mut done = Done::default();
        for change in [
            Change::Directory(at("a/b/c"), 0o700),
            Change::File(at("a/b/new"), b"new".to_vec(), 0o600),
            Change::File(at("x/y"), b"new".to_vec(), 0o600),
            Change::File(at("old"), b"changed".to_vec(), 0o640),
        ] {
            done.make(change).unwrap();
        }
        fs::rename(at("binary"), at("kept")).unwrap();
        fs::write(at("binary"), "2").unwrap();
        done.placed(&at("binary"), Some(at("kept")));
        assert_eq!(at("a/b/c").metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::read(at("old")).unwrap(), b"changed");
        assert_eq!(done.undo(), Vec::<String>::new());
        assert_eq!(picture(root.path()), before);
    }

    #[test]
    fn what_is_as_it_should_be_is_no_change() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        let change = |content: &str, mode| Change::file(&path, content.as_bytes().to_vec(), mode);
        Done::default().make(change("1", 0o600).unwrap()).unwrap();
        assert!(change("1", 0o600).is_none());
        assert!(change("2", 0o600).is_some() && change("1", 0o644).is_some());
        assert!(Change::directory(root.path(), 0o700).is_none());
    }

    #[test]
    fn a_directory_that_was_filled_meanwhile_stays() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("local");
        let mut done = Done::default();
        done.make(Change::Directory(path.clone(), 0o755)).unwrap();
        fs::write(path.join("file"), "").unwrap();
        assert_eq!(done.undo(), Vec::<String>::new());
        assert!(path.join("file").exists());
    }
}
