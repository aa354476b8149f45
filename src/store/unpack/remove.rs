//! Removes a whole tree by descriptors: nothing is followed, no other filesystem is entered, and the deepest tree takes
//! no more memory and descriptors than a flat one.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::limits;
use crate::store::spool::TEMPORARY_PREFIX;
use crate::sys::change::{self, Renaming};
use crate::sys::entry::{self, Kind, Names};
use crate::sys::open::{self, Purpose, Refusal};
use crate::sys::process::random_bytes;

/// A directory that is being emptied.
struct Level {
    directory: OwnedFd,
    name: OsString,
    names: Names,
    /// Whether something was removed since its names were read from the start.
    has_changed: bool,
}

/// How often removing is tried while others go on renaming things in the tree: whoever had an old target open still can.
const ATTEMPTS: u32 = 16;

/// Removes `name` from `parent`, whatever it is. Nothing there is fine too. It takes as long as `patience` at most: who
/// owns a directory in the tree, and is in it, can fill it as fast as it is emptied.
pub(super) fn remove(parent: BorrowedFd<'_>, name: &OsStr, patience: Duration) -> io::Result<()> {
    let until = Instant::now() + patience;
    for _ in 1..ATTEMPTS {
        match remove_once(parent, name, until) {
            Err(error) if is_of_a_change(&error) => {}
            other => return other,
        }
    }
    remove_once(parent, name, until)
}

/// Whether it says that a name stands for something else than a moment ago.
fn is_of_a_change(error: &io::Error) -> bool {
    let kind = error.kind();
    kind == io::ErrorKind::DirectoryNotEmpty
        || kind == io::ErrorKind::IsADirectory
        || matches!(
            open::refusal(error),
            Refusal::NotFound | Refusal::NotADirectory | Refusal::Link
        )
}

fn remove_once(parent: BorrowedFd<'_>, name: &OsStr, until: Instant) -> io::Result<()> {
    let status = match entry::status_of(parent, name) {
        Ok(status) => status,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if status.kind != Kind::Directory {
        return change::remove_file(parent, name);
    }
    empty(Level::open(parent, name)?, status.device, until)?;
    change::remove_directory(parent, name)
}

impl Level {
    fn open(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<Self> {
        Ok(Self {
            directory: open::child(parent, name, Purpose::Directory)?,
            name: name.to_owned(),
            names: Names::default(),
            has_changed: false,
        })
    }

    /// Begins anew: a filesystem may skip names when others are removed while it is read.
    fn restart(&mut self) -> io::Result<()> {
        self.directory = open::child(self.directory.as_fd(), OsStr::new("."), Purpose::Directory)?;
        self.names = Names::default();
        self.has_changed = false;
        Ok(())
    }
}

fn empty(top: Level, device: u64, until: Instant) -> io::Result<()> {
    let mut levels = vec![top];
    while let Some(level) = levels.last_mut() {
        if Instant::now() > until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let next = level.names.next(level.directory.as_fd())?;
        let Some(name) = next.map(|(name, _)| name.to_owned()) else {
            if level.has_changed {
                level.restart()?;
            } else if let Some(emptied) = levels.pop() {
                leave(&mut levels, &emptied.name)?;
            }
            continue;
        };
        level.has_changed = true;
        let status = entry::status_of(level.directory.as_fd(), &name)?;
        if status.kind != Kind::Directory {
            change::remove_file(level.directory.as_fd(), &name)?;
        } else if status.device != device {
            return Err(io::ErrorKind::CrossesDevices.into());
        } else if levels.len() < limits::TREE_DEPTH {
            let parent = levels[levels.len() - 1].directory.as_fd();
            let entered = Level::open(parent, &name)?;
            levels.push(entered);
        } else {
            lift(&mut levels, &name)?;
        }
    }
    Ok(())
}

fn leave(levels: &mut [Level], name: &OsStr) -> io::Result<()> {
    match levels.last() {
        Some(parent) => change::remove_directory(parent.directory.as_fd(), name),
        None => Ok(()),
    }
}

/// Moves the directory `name` of the innermost level to the outermost one, where it is found again later.
fn lift(levels: &mut [Level], name: &OsStr) -> io::Result<()> {
    if let [top, .., deepest] = levels {
        let number = u64::from_ne_bytes(random_bytes()?);
        let lifted = OsString::from(format!("{TEMPORARY_PREFIX}{number:016x}"));
        let from = (deepest.directory.as_fd(), name);
        let to = (top.directory.as_fd(), lifted.as_os_str());
        change::rename(from, to, Renaming::Replace)?;
        top.has_changed = true;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const LONG: Duration = Duration::from_secs(60);

    /// A directory and a link in the tree change places a few times while it is removed.
    #[test]
    fn a_tree_that_changes_meanwhile_goes_too() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        std::fs::create_dir(path("outside")).unwrap();
        std::fs::write(path("outside/kept"), "").unwrap();
        let at = open::directory(place.path()).unwrap();
        for _ in 0..300 {
            std::fs::create_dir_all(path("tree/one")).unwrap();
            std::fs::write(path("tree/one/file"), "").unwrap();
            symlink(path("outside"), path("tree/other")).unwrap();
            let tree = open::directory(&path("tree")).unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let name = |name| (tree.as_fd(), OsStr::new(name));
                    // No more than there are attempts.
                    for _ in 2..ATTEMPTS {
                        let _ = change::rename(name("one"), name("other"), Renaming::Exchange);
                    }
                });
                remove(at.as_fd(), OsStr::new("tree"), LONG).unwrap();
            });
            assert!(!path("tree").exists() && path("outside/kept").exists());
        }
    }

    #[test]
    fn deep_and_wide_trees_go_and_links_are_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        std::fs::create_dir(path("outside")).unwrap();
        std::fs::write(path("outside/kept"), "").unwrap();
        std::fs::create_dir(path("tree")).unwrap();
        let at = open::directory(place.path()).unwrap();
        let mut here = open::directory(&path("tree")).unwrap();
        let name = OsStr::new("d");
        for _ in 0..600 {
            change::make_directory(here.as_fd(), name, 0o700).unwrap();
            here = open::child(here.as_fd(), name, Purpose::Directory).unwrap();
            let far = place.path().join("outside");
            change::make_link(here.as_fd(), OsStr::new("l"), far.as_os_str()).unwrap();
        }
        for number in 0..1000 {
            std::fs::write(path(&format!("tree/{number}")), "").unwrap();
        }
        symlink("tree", path("link")).unwrap();
        remove(at.as_fd(), OsStr::new("link"), LONG).unwrap();
        remove(at.as_fd(), OsStr::new("tree"), LONG).unwrap();
        remove(at.as_fd(), OsStr::new("tree"), LONG).unwrap();
        assert!(path("outside/kept").exists());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_tree_that_takes_too_long_is_left() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(place.path().join("tree/inner")).unwrap();
        let at = open::directory(place.path()).unwrap();
        let error = remove(at.as_fd(), OsStr::new("tree"), Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(place.path().join("tree/inner").exists());
    }
}
