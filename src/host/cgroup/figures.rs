//! The figures of a container, read from its places.
#![forbid(unsafe_code)]

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Places, v1, v2};

/// What a container uses. What the kernel does not count (a controller may be switched off) is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Its memory.
    pub memory: Option<MemoryUse>,
    /// What it read from disks and wrote to them.
    pub block_io: Option<BlockIo>,
    /// Its processes and threads.
    pub pids: Option<u64>,
}

/// Memory of a container in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// Without the page cache that could be given back, as `docker stats` counts: without inactive file pages.
    pub used: u64,
    /// Its limit, if it has one.
    pub limit: Option<u64>,
}

/// Bytes that went from and to disks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockIo {
    /// Read.
    pub read: u64,
    /// Written.
    pub written: u64,
}

impl Places {
    /// The processor time it has used. An error: the container is gone, or its processor time is not counted.
    pub fn cpu(&self) -> io::Result<Duration> {
        match (&self.cpuacct, &self.unified) {
            (Some(directory), _) => v1::cpu(directory),
            (None, Some(directory)) => v2::cpu(directory),
            (None, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// What else it uses. The times of the reads differ a little from figure to figure.
    pub fn figures(&self) -> Figures {
        let (memory, blkio, pids) = (
            self.memory.as_ref(),
            self.blkio.as_ref(),
            self.pids.as_ref(),
        );
        let unified = self.unified.as_ref();
        Figures {
            memory: choose((memory, v1::memory), (unified, v2::memory)),
            block_io: choose((blkio, v1::block_io), (unified, v2::block_io)),
            pids: choose((pids, v1::pids), (unified, v2::pids)),
        }
    }
}

type Reader<T> = fn(&Path) -> io::Result<T>;

/// The figure of the first version, where its controller is there, else that of the second.
fn choose<T>(
    (old, read_old): (Option<&PathBuf>, Reader<T>),
    (new, read_new): (Option<&PathBuf>, Reader<T>),
) -> Option<T> {
    match (old, new) {
        (Some(directory), _) => read_old(directory).ok(),
        (None, Some(directory)) => read_new(directory).ok(),
        (None, None) => None,
    }
}
