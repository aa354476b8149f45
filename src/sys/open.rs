//! Opening below a directory's descriptor: openat2(2) where the kernel itself keeps the path below it, and openat(2) for
//! one single name. Every descriptor is close-on-exec, nothing that is opened blocks (a FIFO, a device).

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How often openat2 is asked again when it cannot exclude that a rename moved something out of the directory while it
/// went through `..`: it answers EAGAIN then, and somebody who renames in a loop must not hold us for ever.
const RENAME_RETRIES: usize = 64;

/// For std's `custom_flags`: a FIFO or device at the path is not waited for, and no terminal becomes ours. open(2)
pub const NOT_WAITING: i32 = libc::O_NONBLOCK | libc::O_NOCTTY;

/// What is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Something to read. Does not wait for the other end of a FIFO; ask the descriptor what it is.
    Read,
    /// A directory to list and to open things in.
    Directory,
    /// Only the place, whatever it is: a symbolic link itself, if it is one. Good for its status and as a start.
    Place,
}

impl Purpose {
    fn flags(self) -> libc::c_int {
        libc::O_CLOEXEC
            | match self {
                Self::Read => libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY,
                Self::Directory => libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NONBLOCK,
                Self::Place => libc::O_PATH | libc::O_NOFOLLOW,
            }
    }
}

/// The kernel's struct open_how. libc's own has no constructor.
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// Opens the directory `path`, links in it followed: only for paths that the operator chose. open(2)
pub fn directory(path: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: `path` is NUL-terminated.
    let fd = super::check(unsafe { libc::open(path.as_ptr(), Purpose::Directory.flags()) })?;
    // SAFETY: the descriptor was just created and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Opens `path` with the kernel's promise that nothing on the way, link or `..`, left `below`, and that no magic link
/// of /proc was followed. Leaving is EXDEV, a magic link ELOOP. A link with an absolute target is EXDEV too, wherever
/// it points. openat2(2)
pub fn beneath(below: BorrowedFd<'_>, path: &Path, purpose: Purpose) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let how = OpenHow {
        flags: u64::from(purpose.flags().cast_unsigned()),
        mode: 0,
        resolve: libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS,
    };
    let mut retries = RENAME_RETRIES;
    loop {
        // SAFETY: `path` is NUL-terminated, `how` lives through the call and its true size is passed.
        let result = unsafe {
            libc::syscall(
                libc::SYS_openat2,
                below.as_raw_fd(),
                path.as_ptr(),
                &raw const how,
                size_of::<OpenHow>(),
            )
        };
        match libc::c_int::try_from(result) {
            // SAFETY: the descriptor was just created and nothing else owns it.
            Ok(fd) if fd >= 0 => return Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
            _ => {}
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR) if retries > 0 => retries -= 1,
            _ => return Err(error),
        }
    }
}

/// Opens `name`, a single component and not `..`, in `parent`. A symbolic link is not followed: ELOOP, or itself with
/// [`Purpose::Place`]. openat(2)
pub fn child(parent: BorrowedFd<'_>, name: &OsStr, purpose: Purpose) -> io::Result<OwnedFd> {
    let name = CString::new(name.as_bytes())?;
    let flags = purpose.flags() | libc::O_NOFOLLOW;
    // SAFETY: `name` is NUL-terminated.
    let fd = super::check(unsafe { libc::openat(parent.as_raw_fd(), name.as_ptr(), flags) })?;
    // SAFETY: the descriptor was just created and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// What an error of these calls tells about the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The kernel has no openat2 (before 5.6), or a seccomp filter that does not know it forbids it.
    NoOpenat2,
    /// Somebody renames things so fast that the kernel cannot tell whether the path stayed inside.
    Busy,
    /// The path leaves the directory, or a link on it is absolute.
    Leaves,
    /// Too many links, a magic one, or a link where none is followed.
    Link,
    /// A component that has to be a directory is none.
    NotADirectory,
    /// A socket, or a device without a driver: nothing that can be opened.
    NotOpenable,
    /// There is no such thing.
    NotFound,
    /// Anything else.
    Other,
}

/// Sorts `error` of [`beneath`] or [`child`].
pub fn refusal(error: &io::Error) -> Refusal {
    match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EPERM) => Refusal::NoOpenat2,
        Some(libc::EAGAIN) => Refusal::Busy,
        Some(libc::EXDEV) => Refusal::Leaves,
        Some(libc::ELOOP) => Refusal::Link,
        Some(libc::ENOTDIR) => Refusal::NotADirectory,
        Some(libc::ENXIO) => Refusal::NotOpenable,
        Some(libc::ENOENT) => Refusal::NotFound,
        _ => Refusal::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_kernel_keeps_paths_below_the_directory() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("in")).unwrap();
        symlink("in", place.path().join("inside")).unwrap();
        symlink("/in", place.path().join("absolute")).unwrap();
        symlink("../..", place.path().join("out")).unwrap();
        let below = directory(place.path()).unwrap();
        let open = |path: &str| beneath(below.as_fd(), Path::new(path), Purpose::Directory);
        assert!(open("in").is_ok());
        assert!(open("inside/../inside").is_ok());
        for path in ["absolute", "out", "..", "in/../..", "/in"] {
            assert_eq!(refusal(&open(path).unwrap_err()), Refusal::Leaves, "{path}");
        }
    }

    #[test]
    fn one_name_never_follows_a_link() {
        let place = tempfile::tempdir().unwrap();
        symlink("/etc/passwd", place.path().join("link")).unwrap();
        let below = directory(place.path()).unwrap();
        let error = child(below.as_fd(), OsStr::new("link"), Purpose::Read).unwrap_err();
        assert_eq!(refusal(&error), Refusal::Link);
    }
}
