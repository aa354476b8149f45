//! Facts and limits of this process and of filesystems: descriptor limit, free space, clock of the system manager.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Raises the soft limit of open descriptors to at least `wanted`, as far as the hard limit allows.
/// Returns the limit in force afterwards. getrlimit(2)
pub fn raise_descriptor_limit(wanted: u64) -> io::Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` lives through the call.
    super::check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    if limit.rlim_cur < wanted {
        limit.rlim_cur = wanted.min(limit.rlim_max);
        // SAFETY: `limit` lives through the call.
        super::check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    }
    Ok(limit.rlim_cur)
}

/// What a filesystem has left for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes in all.
    pub total_bytes: u64,
    /// Bytes free, those kept for root included.
    pub free_bytes: u64,
    /// Bytes free for an ordinary user.
    pub available_bytes: u64,
    /// Inodes in all; 0 where the filesystem does not count them.
    pub total_inodes: u64,
    /// Inodes free for an ordinary user.
    pub available_inodes: u64,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

impl Space {
    /// Bytes that may be written when `min_free_bytes`, or 5 % when that is less, stay free. `None`: less than that is
    /// free already, or nothing can be written at all.
    pub fn usable_bytes(&self, min_free_bytes: u64) -> Option<u64> {
        let reserve = min_free_bytes.min(self.total_bytes / 20);
        let has_inodes = self.total_inodes == 0 || self.available_inodes > 0;
        let usable = self.available_bytes.checked_sub(reserve);
        usable.filter(|_| has_inodes && !self.read_only)
    }
}

/// The space of the filesystem that holds `path`. statvfs(3)
pub fn filesystem_space(path: &Path) -> io::Result<Space> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut stat = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `path` is NUL-terminated and `stat` lives through the call.
    super::check(unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) })?;
    // SAFETY: statvfs succeeded and has filled it.
    Ok(space(&unsafe { stat.assume_init() }))
}

/// The space of the filesystem of what `fd` has open. fstatvfs(3)
pub fn filesystem_space_of(fd: BorrowedFd<'_>) -> io::Result<Space> {
    let mut stat = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `stat` lives through the call.
    super::check(unsafe { libc::fstatvfs(fd.as_raw_fd(), stat.as_mut_ptr()) })?;
    // SAFETY: fstatvfs succeeded and has filled it.
    Ok(space(&unsafe { stat.assume_init() }))
}

fn space(stat: &libc::statvfs) -> Space {
    Space {
        total_bytes: stat.f_blocks * stat.f_frsize,
        free_bytes: stat.f_bfree * stat.f_frsize,
        available_bytes: stat.f_bavail * stat.f_frsize,
        total_inodes: stat.f_files,
        available_inodes: stat.f_favail,
        read_only: stat.f_flag & libc::ST_RDONLY != 0,
    }
}

/// Whether this process may create files in `directory`: false on a read-only filesystem even for root. access(2)
pub fn is_writable(directory: &Path) -> bool {
    let Ok(path) = CString::new(directory.as_os_str().as_bytes()) else {
        return false;
    };
    // SAFETY: `path` is NUL-terminated.
    unsafe { libc::access(path.as_ptr(), libc::W_OK | libc::X_OK) == 0 }
}

/// Whether `error` says that the system has no thread, process, memory or descriptor for us now, which passes. fork(2),
/// `pthread_create(3)`, mmap(2), open(2)
pub fn is_exhausted(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE)
    )
}

/// Whether this process could have `bytes` more of address space now. Takes none: the pages are never touched, and given
/// back at once. mmap(2)
pub fn has_memory(bytes: usize) -> bool {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the kernel chooses a place where nothing is.
    let place = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, kind, -1, 0) };
    if place == libc::MAP_FAILED {
        return false;
    }
    // SAFETY: this is what was just mapped, and nobody has a pointer into it.
    unsafe { libc::munmap(place, bytes) };
    true
}

/// The monotonic clock, as systemd wants it with RELOADING=1. clock_gettime(2)
pub fn monotonic_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` lives through the call; CLOCK_MONOTONIC always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    Duration::new(
        time.tv_sec.cast_unsigned(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Whether the kernel is told that its clock follows another one. adjtimex(2), which changes nothing here.
pub fn is_clock_synchronized() -> bool {
    let mut clock = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: `clock` lives through the call; zero modes ask and set nothing.
    if unsafe { libc::adjtimex(clock.as_mut_ptr()) } < 0 {
        return false;
    }
    // SAFETY: all zeros is a valid timex, and adjtimex has filled it.
    let clock = unsafe { clock.assume_init() };
    clock.status & libc::STA_UNSYNC == 0
}

/// The user whose rights this process has. geteuid(2)
pub fn user() -> u32 {
    // SAFETY: no pointers are involved; geteuid cannot fail.
    unsafe { libc::geteuid() }
}

/// This process's id.
pub fn id() -> u32 {
    // SAFETY: no pointers are involved; getpid cannot fail.
    unsafe { libc::getpid() }.cast_unsigned()
}

/// Random bytes from the kernel. getrandom(2)
pub fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    // SAFETY: the buffer lives through the call and its true length is passed. Up to 256 bytes come whole.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), N, 0) };
    if usize::try_from(got) == Ok(N) {
        Ok(bytes)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Keeps glibc from giving every thread a heap of its own: with a few dozen short-lived workers those heaps are most of
/// the resident size. musl has one heap anyway. mallopt(3)
pub fn share_one_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: no pointers are involved; called before the first thread is started.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_of_the_root_is_plausible() {
        let space = filesystem_space(Path::new("/")).unwrap();
        assert!(space.total_bytes >= space.available_bytes);
        assert!(space.total_bytes > 0);
    }

    #[test]
    fn a_missing_directory_is_not_writable() {
        assert!(!is_writable(Path::new("/nowhere/at/all")));
        assert!(is_writable(&std::env::temp_dir()));
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random_bytes::<16>().unwrap(), random_bytes::<16>().unwrap());
    }
}
