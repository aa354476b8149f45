//! What is in a directory, asked through its descriptor: names, status, link targets, capabilities.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Bytes of names taken in one call: about a hundred entries. Every level of a walk has such a buffer, so the deepest
/// tree decides how much memory they take; a larger one made no difference to the time of 20,000 files.
const NAMES_BYTES: usize = 4096;
/// Bytes of an entry in front of its name: inode and offset (8 each), length (2), kind (1).
const ENTRY_HEAD: usize = 19;
/// A link target is shorter than this (PATH_MAX).
const TARGET_BYTES: usize = 4096;
/// Bytes of a file's capabilities: 20 in revision 2, 24 in revision 3.
const CAPABILITY_BYTES: usize = 64;

/// What something in a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device.
    Special,
}

/// The status of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it is.
    pub kind: Kind,
    /// Permissions, setuid, setgid and sticky.
    pub mode: u32,
    /// Its owner and group.
    pub owner: (u32, u32),
    /// Bytes of a file, or of a link's target.
    pub size: u64,
    /// When it was modified, in whole seconds since 1970, rounded down.
    pub modified: i64,
    /// The filesystem it is on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Whether it has more than one name.
    pub has_more_names: bool,
}

/// The status of what `fd` has open. fstat(2)
pub fn status(fd: BorrowedFd<'_>) -> io::Result<Status> {
    status_at(fd, c"", libc::AT_EMPTY_PATH)
}

/// The status of `name` in `parent`, of the link itself if it is one. fstatat(2)
pub fn status_of(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<Status> {
    let name = CString::new(name.as_bytes())?;
    status_at(parent, &name, libc::AT_SYMLINK_NOFOLLOW)
}

fn status_at(parent: BorrowedFd<'_>, name: &CStr, flags: libc::c_int) -> io::Result<Status> {
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `name` is NUL-terminated and `stat` lives through the call.
    super::check(unsafe {
        libc::fstatat(parent.as_raw_fd(), name.as_ptr(), stat.as_mut_ptr(), flags)
    })?;
    // SAFETY: fstatat succeeded and has filled it.
    let stat = unsafe { stat.assume_init() };
    Ok(Status {
        kind: match stat.st_mode & libc::S_IFMT {
            libc::S_IFREG => Kind::File,
            libc::S_IFDIR => Kind::Directory,
            libc::S_IFLNK => Kind::Link,
            _ => Kind::Special,
        },
        mode: stat.st_mode & 0o7777,
        owner: (stat.st_uid, stat.st_gid),
        size: stat.st_size.cast_unsigned(),
        modified: stat.st_mtime,
        device: stat.st_dev,
        inode: stat.st_ino,
        has_more_names: stat.st_nlink > 1,
    })
}

/// The target of the symbolic link `name` in `parent`; with an empty name, of the link that `parent` itself has open
/// as a place. readlinkat(2)
pub fn link_target(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<OsString> {
    let name = CString::new(name.as_bytes())?;
    let mut target = vec![0u8; TARGET_BYTES];
    // SAFETY: `name` is NUL-terminated, the buffer lives through the call and its true length is passed.
    let length = unsafe {
        libc::readlinkat(
            parent.as_raw_fd(),
            name.as_ptr(),
            target.as_mut_ptr().cast(),
            target.len(),
        )
    };
    target.truncate(usize::try_from(length).map_err(|_| io::Error::last_os_error())?);
    Ok(OsString::from_vec(target))
}

/// The file capabilities of what `fd` has open, as the kernel stores them; none where it has none or the filesystem
/// knows none. fgetxattr(2)
pub fn capability(fd: BorrowedFd<'_>) -> Option<Vec<u8>> {
    let mut value = [0u8; CAPABILITY_BYTES];
    // SAFETY: the name is NUL-terminated, the buffer lives through the call and its true length is passed.
    let length = unsafe {
        libc::fgetxattr(
            fd.as_raw_fd(),
            c"security.capability".as_ptr(),
            value.as_mut_ptr().cast(),
            value.len(),
        )
    };
    Some(value[..usize::try_from(length).ok()?].to_vec())
}

/// Gives out the names in a directory, a few at a time, in the filesystem's own order. Takes the same memory for any
/// number of them.
#[derive(Debug)]
pub struct Names {
    buffer: Box<[u8]>,
    position: usize,
    filled: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            buffer: vec![0; NAMES_BYTES].into_boxed_slice(),
            position: 0,
            filled: 0,
        }
    }
}

impl Names {
    /// The next name in `directory`, always the same one, and what it is where the filesystem tells. `.` and `..` are
    /// left out. getdents64(2)
    pub fn next(
        &mut self,
        directory: BorrowedFd<'_>,
    ) -> io::Result<Option<(&OsStr, Option<Kind>)>> {
        loop {
            if self.position == self.filled {
                self.fill(directory)?;
                if self.filled == 0 {
                    return Ok(None);
                }
            }
            let start = self.position;
            let entry = &self.buffer[start..self.filled];
            let length = usize::from(u16::from_ne_bytes([entry[16], entry[17]]));
            let name = name_of(&entry[..length]);
            self.position += length;
            if name != b"." && name != b".." {
                // Looked at again: the borrow checker does not see that the other branch lets go of it.
                let entry = &self.buffer[start..start + length];
                return Ok(Some((
                    OsStr::from_bytes(name_of(entry)),
                    kind_of(entry[18]),
                )));
            }
        }
    }

    fn fill(&mut self, directory: BorrowedFd<'_>) -> io::Result<()> {
        self.position = 0;
        self.filled = 0;
        // SAFETY: the buffer lives through the call and its true length is passed.
        let filled = unsafe {
            libc::syscall(
                libc::SYS_getdents64,
                directory.as_raw_fd(),
                self.buffer.as_mut_ptr(),
                self.buffer.len(),
            )
        };
        self.filled = usize::try_from(filled).map_err(|_| io::Error::last_os_error())?;
        Ok(())
    }
}

fn name_of(entry: &[u8]) -> &[u8] {
    let name = &entry[ENTRY_HEAD..];
    &name[..name
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(name.len())]
}

fn kind_of(number: u8) -> Option<Kind> {
    match number {
        libc::DT_REG => Some(Kind::File),
        libc::DT_DIR => Some(Kind::Directory),
        libc::DT_LNK => Some(Kind::Link),
        libc::DT_UNKNOWN => None,
        _ => Some(Kind::Special),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::open;
    use std::collections::BTreeSet;
    use std::os::fd::AsFd;

    #[test]
    fn many_long_names_are_all_given_out_once() {
        let place = tempfile::tempdir().unwrap();
        let names: BTreeSet<OsString> = (0..300)
            .map(|number| format!("{number:0200}").into())
            .collect();
        for name in &names {
            std::fs::write(place.path().join(name), "").unwrap();
        }
        let directory = open::directory(place.path()).unwrap();
        let mut given = Names::default();
        let mut seen = BTreeSet::new();
        while let Some((name, kind)) = given.next(directory.as_fd()).unwrap() {
            assert!(matches!(kind, None | Some(Kind::File)));
            assert!(seen.insert(name.to_owned()));
        }
        assert_eq!(seen, names);
    }

    #[test]
    fn status_and_target_are_of_the_link_itself() {
        let place = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", place.path().join("link")).unwrap();
        let directory = open::directory(place.path()).unwrap();
        let name = OsStr::new("link");
        let status = status_of(directory.as_fd(), name).unwrap();
        assert_eq!((status.kind, status.size), (Kind::Link, 7));
        assert_eq!(link_target(directory.as_fd(), name).unwrap(), "nowhere");
        let place = open::child(directory.as_fd(), name, open::Purpose::Place).unwrap();
        assert_eq!(
            link_target(place.as_fd(), OsStr::new("")).unwrap(),
            "nowhere"
        );
    }
}
