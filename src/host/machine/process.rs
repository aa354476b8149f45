//! What this process itself takes. `/proc/self`
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;

use super::cpu::to_seconds;
use super::memory::kilobytes;
use super::{Machine, unreadable};

/// What a process takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// Bytes in memory.
    pub resident_bytes: u64,
    /// Seconds of a processor so far, kernel and program together.
    pub cpu_seconds: f64,
    /// Seconds from the boot to its start.
    pub started_after_boot: f64,
    /// Its threads.
    pub threads: u64,
    /// Its open descriptors.
    pub open_descriptors: u64,
}

impl Machine {
    /// What the process that asks takes.
    pub fn own_process(&self) -> io::Result<Process> {
        let directory = Path::new("/proc/self");
        let (status, stat) = (
            self.read(directory.join("status"))?,
            self.read(directory.join("stat"))?,
        );
        let listed = std::fs::read_dir(self.place(&directory.join("fd")))?.count() as u64;
        // One of them is the list's own.
        parse(&status, &stat, listed.saturating_sub(1)).ok_or_else(|| unreadable("/proc/self"))
    }
}

fn parse(status: &str, stat: &str, open_descriptors: u64) -> Option<Process> {
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    // The second field is the program's name in brackets, and may have brackets and spaces itself.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // Fields are counted from 1 in proc(5); what is left begins with the third.
    let ticks = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Process {
        resident_bytes: kilobytes(line("VmRSS:")?)?,
        cpu_seconds: to_seconds(ticks(14)?.checked_add(ticks(15)?)?),
        started_after_boot: to_seconds(ticks(22)?),
        threads: line("Threads:")?.trim().parse().ok()?,
        open_descriptors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces() {
        let stat =
            "12 (a) b) S 1 12 12 0 -1 4194560 96 0 0 0 150 50 0 0 20 0 5 0 6000 1000 300 0 0";
        let process = parse("Name:\ta) b\nVmRSS:\t    1200 kB\nThreads:\t5\n", stat, 9).unwrap();
        let expected = Process {
            resident_bytes: 1200 * 1024,
            cpu_seconds: 2.0,
            started_after_boot: 60.0,
            threads: 5,
            open_descriptors: 9,
        };
        assert_eq!(process, expected);
        assert_eq!(parse("", stat, 9), None);
        assert_eq!(parse("VmRSS: 1 kB\nThreads: 1\n", "12 (a) S 1", 9), None);
    }

    #[test]
    fn this_process() {
        let process = Machine::this().own_process().unwrap();
        assert!(process.resident_bytes > 100_000 && process.threads >= 1);
        assert!(process.open_descriptors >= 3 && process.started_after_boot > 0.0);
    }
}
