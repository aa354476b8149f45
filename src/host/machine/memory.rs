//! The machine's memory. `/proc/meminfo`
#![forbid(unsafe_code)]

use std::io;

use serde::Serialize;

use super::{Machine, unreadable};

/// Memory and swap in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All of it, less what the kernel took for itself at the boot.
    pub total_bytes: u64,
    /// What programs can still get without swapping: free pages and what the page cache can give back.
    pub available_bytes: u64,
    /// The rest.
    pub used_bytes: u64,
    /// All swap.
    pub swap_total_bytes: u64,
    /// Swap in use.
    pub swap_used_bytes: u64,
}

impl Machine {
    /// Its memory.
    pub fn memory(&self) -> io::Result<Memory> {
        parse(&self.read("/proc/meminfo")?).ok_or_else(|| unreadable("/proc/meminfo"))
    }
}

fn parse(text: &str) -> Option<Memory> {
    let bytes_of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        kilobytes(line?.strip_prefix(':')?)
    };
    let total_bytes = bytes_of("MemTotal")?;
    // Kernels before 3.14 do not estimate it; free pages and the page cache are what free(1) took then.
    let older = || bytes_of("MemFree")?.checked_add(bytes_of("Cached")?);
    let available_bytes = bytes_of("MemAvailable").or_else(older)?.min(total_bytes);
    let swap_total_bytes = bytes_of("SwapTotal").unwrap_or(0);
    let swap_free_bytes = bytes_of("SwapFree").unwrap_or(0);
    Some(Memory {
        total_bytes,
        available_bytes,
        used_bytes: total_bytes - available_bytes,
        swap_total_bytes,
        swap_used_bytes: swap_total_bytes.saturating_sub(swap_free_bytes),
    })
}

/// The bytes of `   123 kB`.
pub(super) fn kilobytes(text: &str) -> Option<u64> {
    let number: u64 = text.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_figures() {
        let text = "MemTotal:       24684084 kB\nMemFree:        20000000 kB\nMemAvailable:   23684084 kB\n\
            Buffers:           10 kB\nCached:       100 kB\nSwapCached: 0 kB\nSwapTotal:       1000 kB\nSwapFree:  400 kB\n";
        let memory = parse(text).unwrap();
        assert_eq!(memory.total_bytes, 24_684_084 * 1024);
        assert_eq!(memory.used_bytes, 1_000_000 * 1024);
        assert_eq!(
            (memory.swap_total_bytes, memory.swap_used_bytes),
            (1_024_000, 614_400)
        );
    }

    #[test]
    fn older_and_odd_files() {
        let older = parse("MemTotal: 100 kB\nMemFree: 10 kB\nCached: 30 kB\n").unwrap();
        assert_eq!(
            (older.available_bytes, older.swap_total_bytes),
            (40 * 1024, 0)
        );
        for odd in [
            "",
            "MemTotal: 1 kB\n",
            "MemTotal: x kB\nMemAvailable: 1 kB\n",
            "MemTotal: 99999999999999999999 kB\n",
            "MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB",
        ] {
            assert_eq!(parse(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn this_machine() {
        let memory = Machine::this().memory().unwrap();
        assert!(memory.available_bytes > 0 && memory.available_bytes <= memory.total_bytes);
    }
}
