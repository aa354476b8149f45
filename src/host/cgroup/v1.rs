//! Version 1: a file for each figure. Documentation/admin-guide/cgroup-v1 in the kernel.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::time::Duration;

use super::{BlockIo, MemoryUse};
use crate::host::machine::read_text;

/// Where bytes from and to disks are counted: by the scheduler BFQ, by the throttling layer (with the groups below; before
/// kernel 4.17 without them), by the old scheduler CFQ. Which of them counts depends on the kernel and the disk's scheduler,
/// and one that does not has a total of 0 and no devices. runc looks in the same order.
const BFQ: &str = "blkio.bfq.io_service_bytes_recursive";
const OTHERS: [&str; 3] = [
    "blkio.throttle.io_service_bytes_recursive",
    "blkio.throttle.io_service_bytes",
    "blkio.io_service_bytes_recursive",
];

/// Nanoseconds.
pub(super) fn cpu(directory: &Path) -> io::Result<Duration> {
    Ok(Duration::from_nanos(number(
        &directory.join("cpuacct.usage"),
    )?))
}

/// The use less `total_inactive_file`, as `docker stats` has it. The limit is the smallest of its own and those of the
/// groups above; "no limit" is a number near 2^63, which is above any machine's memory.
pub(super) fn memory(directory: &Path) -> io::Result<MemoryUse> {
    let usage = number(&directory.join("memory.usage_in_bytes"))?;
    let stat = read_text(&directory.join("memory.stat"))?;
    let cache = field(&stat, "total_inactive_file").unwrap_or(0);
    Ok(MemoryUse {
        used: without(usage, cache),
        limit: field(&stat, "hierarchical_memory_limit"),
    })
}

/// What BFQ counted, else what is in the first of the others that is there. None may have counted anything: nothing was
/// read or written then, or the kernel does not count.
pub(super) fn block_io(directory: &Path) -> io::Result<BlockIo> {
    let read = |name: &str| read_text(&directory.join(name));
    let by_scheduler = read(BFQ).map(|text| parse_block_io(&text));
    if let Ok(counted) = by_scheduler
        && counted != BlockIo::default()
    {
        return Ok(counted);
    }
    let text = OTHERS.iter().find_map(|name| read(name).ok());
    text.map_or(by_scheduler, |text| Ok(parse_block_io(&text)))
}

pub(super) fn pids(directory: &Path) -> io::Result<u64> {
    number(&directory.join("pids.current"))
}

/// `8:0 Read 4096`, a line for each device and operation, and totals.
fn parse_block_io(text: &str) -> BlockIo {
    let mut sum = BlockIo::default();
    for line in text.lines() {
        let mut words = line.split_whitespace().skip(1);
        let (operation, bytes) = (
            words.next(),
            words.next().and_then(|word| word.parse::<u64>().ok()),
        );
        match (operation, bytes) {
            (Some("Read"), Some(bytes)) => sum.read = sum.read.saturating_add(bytes),
            (Some("Write"), Some(bytes)) => sum.written = sum.written.saturating_add(bytes),
            _ => {}
        }
    }
    sum
}

/// What is used when the page cache does not count. The two figures are not from the same moment.
pub(super) fn without(usage: u64, cache: u64) -> u64 {
    if cache < usage { usage - cache } else { usage }
}

/// The number that a file has.
pub(super) fn number(path: &Path) -> io::Result<u64> {
    let text = read_text(path)?;
    text.trim()
        .parse()
        .map_err(|_| io::ErrorKind::InvalidData.into())
}

/// The number behind `name` in lines of `name number`.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    rest.trim().parse().ok()
}
