//! The figures of the machine, read from `/proc` and from its filesystems when they are asked for. Uses `sys`, `limits`.
#![forbid(unsafe_code)]

mod cpu;
mod disks;
mod interfaces;
mod memory;
mod mounts;
mod process;

pub use cpu::{Clock, CpuTimes, Load};
pub use disks::Disk;
pub use interfaces::{Counters, Interface};
pub use memory::Memory;
pub use mounts::Mount;
pub use process::Process;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits;

/// Ticks a second in `/proc/stat` and `/proc/<pid>/stat` (USER_HZ): 100 on every architecture that Docker runs on,
/// whatever the kernel's own HZ is. proc(5), time(7)
const TICKS_A_SECOND: f64 = 100.0;

/// A machine, seen through its file tree.
#[derive(Clone, Debug)]
pub struct Machine {
    root: PathBuf,
}

impl Machine {
    /// The machine that this process runs on.
    pub fn this() -> Self {
        Self::below("/")
    }

    /// One whose `/proc` and `/sys` are below `root`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the absolute `path` of the machine is for us.
    pub fn place(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of one of its files.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<String> {
        read_text(&self.place(path.as_ref()))
    }

    /// The time since the boot. `/proc/uptime`
    pub fn uptime(&self) -> io::Result<Duration> {
        let text = self.read("/proc/uptime")?;
        let seconds = text
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok());
        let uptime = seconds.and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok());
        uptime.ok_or_else(|| unreadable("/proc/uptime"))
    }

    /// Its name. `/proc/sys/kernel/hostname`
    pub fn hostname(&self) -> io::Result<String> {
        Ok(self.read("/proc/sys/kernel/hostname")?.trim().to_owned())
    }
}

/// The text of a file of `/proc` or `/sys`, which may have [`limits::PROC_FILE_BYTES`]; what is not UTF-8 (a mount point
/// may be anything) is replaced.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(limits::PROC_FILE_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The error of a file that does not have what it should.
fn unreadable(path: &str) -> io::Error {
    let problem = format!("{path} is not what proc(5) says");
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_plausible() {
        let machine = Machine::this();
        assert!(machine.uptime().unwrap() > Duration::from_secs(1));
        assert!(!machine.hostname().unwrap().is_empty());
    }

    #[test]
    fn what_is_missing_or_odd_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let machine = Machine::below(root.path());
        assert!(machine.uptime().is_err() && machine.hostname().is_err());
        std::fs::create_dir(root.path().join("proc")).unwrap();
        for odd in ["", "soon", "-1 2", "nan 1", "1e300 1"] {
            std::fs::write(root.path().join("proc/uptime"), odd).unwrap();
            assert!(machine.uptime().is_err(), "{odd:?}");
        }
    }
}
