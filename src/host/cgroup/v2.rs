//! Version 2: one directory. Documentation/admin-guide/cgroup-v2.rst in the kernel.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::time::Duration;

use super::v1::{field, number, without};
use super::{BlockIo, MemoryUse};
use crate::host::machine::read_text;

/// Microseconds.
pub(super) fn cpu(directory: &Path) -> io::Result<Duration> {
    let stat = read_text(&directory.join("cpu.stat"))?;
    let microseconds = field(&stat, "usage_usec").ok_or(io::ErrorKind::InvalidData)?;
    Ok(Duration::from_micros(microseconds))
}

/// The use less `inactive_file`, as `docker stats` has it.
pub(super) fn memory(directory: &Path) -> io::Result<MemoryUse> {
    let usage = number(&directory.join("memory.current"))?;
    let stat = read_text(&directory.join("memory.stat"))?;
    let cache = field(&stat, "inactive_file").unwrap_or(0);
    Ok(MemoryUse {
        used: without(usage, cache),
        // `max` is no number, and no limit.
        limit: number(&directory.join("memory.max")).ok(),
    })
}

/// `8:0 rbytes=4096 wbytes=0 rios=1 …`, a line for each device.
pub(super) fn block_io(directory: &Path) -> io::Result<BlockIo> {
    let text = read_text(&directory.join("io.stat"))?;
    let mut sum = BlockIo::default();
    for word in text.split_whitespace() {
        let Some((name, bytes)) = word.split_once('=') else {
            continue;
        };
        let bytes: u64 = bytes.parse().unwrap_or(0);
        match name {
            "rbytes" => sum.read = sum.read.saturating_add(bytes),
            "wbytes" => sum.written = sum.written.saturating_add(bytes),
            _ => {}
        }
    }
    Ok(sum)
}

pub(super) fn pids(directory: &Path) -> io::Result<u64> {
    number(&directory.join("pids.current"))
}
