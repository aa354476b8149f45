//! A lock on a file, which goes with the process that has it, however that ends. flock(2)

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Between two attempts: the kernel has no wait for a lock that ends by itself.
const PAUSE: Duration = Duration::from_millis(5);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "closing it gives the lock up")] File);

impl Lock {
    /// The lock on `file`, which is made when it is not there (0600). `None`: somebody else has it all of `patience`.
    pub fn take(file: &Path, patience: Duration) -> io::Result<Option<Self>> {
        let file = open(file)?;
        let until = Instant::now() + patience;
        while !attempt(&file, libc::LOCK_EX)? {
            if Instant::now() >= until {
                return Ok(None);
            }
            thread::sleep(PAUSE);
        }
        Ok(Some(Self(file)))
    }

    /// Whether somebody has the lock on `file` now. Those who ask at the same time are not in each other's way.
    pub fn is_held(file: &Path) -> io::Result<bool> {
        match File::open(file) {
            Ok(file) => Ok(!attempt(&file, libc::LOCK_SH)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn open(file: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(file)
}

/// Whether the lock was to be had.
fn attempt(file: &File, kind: libc::c_int) -> io::Result<bool> {
    // SAFETY: no pointers are involved.
    match super::check(unsafe { libc::flock(file.as_raw_fd(), kind | libc::LOCK_NB) }) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("lock");
        assert!(!Lock::is_held(&file).unwrap());
        let lock = Lock::take(&file, Duration::ZERO).unwrap().unwrap();
        assert!(Lock::is_held(&file).unwrap());
        assert!(
            Lock::take(&file, Duration::from_millis(20))
                .unwrap()
                .is_none()
        );
        drop(lock);
        assert!(!Lock::is_held(&file).unwrap());
        assert!(Lock::take(&file, Duration::ZERO).unwrap().is_some());
    }
}
