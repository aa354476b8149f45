//! Changing what is in a directory, through its descriptor and one single name at a time: nothing here follows a link.
//! A name must be one component and none of `.` and `..`; whoever calls sees to that.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Creates the file `name` in `parent`, to write; one that is there, also a link, is an error. openat(2), O_EXCL
pub fn create_file(parent: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<File> {
    let name = CString::new(name.as_bytes())?;
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    // SAFETY: `name` is NUL-terminated, and the mode is there, as O_CREAT wants it.
    let fd = super::check(unsafe { libc::openat(parent.as_raw_fd(), name.as_ptr(), flags, mode) })?;
    // SAFETY: the descriptor was just created and nothing else owns it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// Makes the directory `name` in `parent`; `mode` is less the umask. mkdirat(2)
pub fn make_directory(parent: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<()> {
    let name = CString::new(name.as_bytes())?;
    // SAFETY: `name` is NUL-terminated.
    super::check(unsafe { libc::mkdirat(parent.as_raw_fd(), name.as_ptr(), mode) }).map(drop)
}

/// Makes the symbolic link `name` in `parent`, to whatever `target` says. symlinkat(2)
pub fn make_link(parent: BorrowedFd<'_>, name: &OsStr, target: &OsStr) -> io::Result<()> {
    let name = CString::new(name.as_bytes())?;
    let target = CString::new(target.as_bytes())?;
    // SAFETY: both texts are NUL-terminated.
    super::check(unsafe { libc::symlinkat(target.as_ptr(), parent.as_raw_fd(), name.as_ptr()) })
        .map(drop)
}

/// Gives `from`, which is no link that is followed, the further name `to`. linkat(2)
pub fn make_hard_link(
    from: (BorrowedFd<'_>, &OsStr),
    to: (BorrowedFd<'_>, &OsStr),
) -> io::Result<()> {
    let (old, new) = (
        CString::new(from.1.as_bytes())?,
        CString::new(to.1.as_bytes())?,
    );
    let (from, to) = (from.0.as_raw_fd(), to.0.as_raw_fd());
    // SAFETY: both names are NUL-terminated.
    super::check(unsafe { libc::linkat(from, old.as_ptr(), to, new.as_ptr(), 0) }).map(drop)
}

/// What a rename does about the new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renaming {
    /// Takes the place of a file, link or empty directory.
    Replace,
    /// Fails with `AlreadyExists` when it is taken.
    Keep,
    /// Both are there and change places.
    Exchange,
}

/// Renames. renameat2(2); filesystems without flags answer EINVAL to all but [`Renaming::Replace`].
pub fn rename(
    from: (BorrowedFd<'_>, &OsStr),
    to: (BorrowedFd<'_>, &OsStr),
    renaming: Renaming,
) -> io::Result<()> {
    let (old, new) = (
        CString::new(from.1.as_bytes())?,
        CString::new(to.1.as_bytes())?,
    );
    let flags = match renaming {
        Renaming::Replace => 0,
        Renaming::Keep => libc::RENAME_NOREPLACE,
        Renaming::Exchange => libc::RENAME_EXCHANGE,
    };
    // By number: musl has had no wrapper for long.
    // SAFETY: both names are NUL-terminated.
    let result = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            from.0.as_raw_fd(),
            old.as_ptr(),
            to.0.as_raw_fd(),
            new.as_ptr(),
            flags,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Removes the file or link `name` from `parent`. unlinkat(2)
pub fn remove_file(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    unlink(parent, name, 0)
}

/// Removes the empty directory `name` from `parent`. unlinkat(2), AT_REMOVEDIR
pub fn remove_directory(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    unlink(parent, name, libc::AT_REMOVEDIR)
}

fn unlink(parent: BorrowedFd<'_>, name: &OsStr, flags: libc::c_int) -> io::Result<()> {
    let name = CString::new(name.as_bytes())?;
    // SAFETY: `name` is NUL-terminated.
    super::check(unsafe { libc::unlinkat(parent.as_raw_fd(), name.as_ptr(), flags) }).map(drop)
}

/// Gives what `fd` has open these permissions, all twelve bits. fchmod(2)
pub fn set_mode(fd: BorrowedFd<'_>, mode: u32) -> io::Result<()> {
    // SAFETY: no pointers are involved.
    super::check(unsafe { libc::fchmod(fd.as_raw_fd(), mode) }).map(drop)
}

/// Gives what `fd` has open this owner and group. May clear setuid and setgid. fchown(2)
pub fn set_owner(fd: BorrowedFd<'_>, user: u32, group: u32) -> io::Result<()> {
    // SAFETY: no pointers are involved.
    super::check(unsafe { libc::fchown(fd.as_raw_fd(), user, group) }).map(drop)
}

/// Sets when `name` in `parent`, or the link that it is, was modified and used, in seconds since 1970. utimensat(2)
pub fn set_modified(parent: BorrowedFd<'_>, name: &OsStr, seconds: i64) -> io::Result<()> {
    let name = CString::new(name.as_bytes())?;
    let time = libc::timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    let times = [time, time];
    let (fd, flags) = (parent.as_raw_fd(), libc::AT_SYMLINK_NOFOLLOW);
    // SAFETY: `name` is NUL-terminated and the two times live through the call.
    super::check(unsafe { libc::utimensat(fd, name.as_ptr(), times.as_ptr(), flags) }).map(drop)
}

/// The same for what `fd` has open. futimens(3)
pub fn set_modified_of(fd: BorrowedFd<'_>, seconds: i64) -> io::Result<()> {
    let time = libc::timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    let times = [time, time];
    // SAFETY: the two times live through the call.
    super::check(unsafe { libc::futimens(fd.as_raw_fd(), times.as_ptr()) }).map(drop)
}

/// Waits until what `fd` has open, a file or a directory, is on the disk. fsync(2)
pub fn sync(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers are involved.
    super::check(unsafe { libc::fsync(fd.as_raw_fd()) }).map(drop)
}

/// Waits until the whole filesystem of `fd` is on the disk: one wait for a tree of many files. syncfs(2)
pub fn sync_filesystem(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers are involved.
    super::check(unsafe { libc::syncfs(fd.as_raw_fd()) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::open;
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn what_is_made_is_there_and_links_are_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let below = open::directory(place.path()).unwrap();
        let at = below.as_fd();
        let name = OsStr::new;
        drop(create_file(at, name("file"), 0o600).unwrap());
        symlink("nowhere", path("link")).unwrap();
        for taken in ["file", "link"] {
            let error = create_file(at, name(taken), 0o600).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{taken}");
        }
        assert!(!path("nowhere").exists());
        make_directory(at, name("directory"), 0o700).unwrap();
        make_link(at, name("other"), name("directory")).unwrap();
        make_hard_link((at, name("file")), (at, name("second"))).unwrap();
        set_modified(at, name("other"), 5).unwrap();
        assert_eq!(path("other").symlink_metadata().unwrap().mtime(), 5);
        assert_ne!(path("directory").metadata().unwrap().mtime(), 5);
        assert_eq!(path("second").metadata().unwrap().nlink(), 2);
        let kept = rename((at, name("second")), (at, name("link")), Renaming::Keep);
        assert_eq!(kept.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        fs::write(path("second"), "second").unwrap();
        rename(
            (at, name("directory")),
            (at, name("second")),
            Renaming::Exchange,
        )
        .unwrap();
        assert_eq!(fs::read(path("directory")).unwrap(), b"second");
        remove_directory(at, name("second")).unwrap();
        remove_file(at, name("link")).unwrap();
        assert!(path("link").symlink_metadata().is_err());
        sync(at).unwrap();
        sync_filesystem(at).unwrap();
    }

    #[test]
    fn modes_have_all_twelve_bits() {
        let place = tempfile::tempdir().unwrap();
        let below = open::directory(place.path()).unwrap();
        let file = create_file(below.as_fd(), OsStr::new("f"), 0o600).unwrap();
        set_mode(file.as_fd(), 0o6755).unwrap();
        let meta = place.path().join("f").metadata().unwrap();
        assert_eq!(meta.mode() & 0o7777, 0o6755);
        set_owner(file.as_fd(), meta.uid(), meta.gid()).unwrap();
        set_modified_of(file.as_fd(), 7).unwrap();
        assert_eq!(place.path().join("f").metadata().unwrap().mtime(), 7);
    }
}
