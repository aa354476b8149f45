//! What the processors did since the boot, and the load. `/proc/stat`, `/proc/loadavg`
#![forbid(unsafe_code)]

use std::io;

use serde::Serialize;

use super::{Machine, TICKS_A_SECOND, unreadable};

/// Seconds that all processors together have spent since the boot, by what they did. Guests' time is in `user` and
/// `nice` already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CpuTimes {
    /// Programs.
    pub user: f64,
    /// Programs of low priority.
    pub nice: f64,
    /// The kernel.
    pub system: f64,
    /// Nothing.
    pub idle: f64,
    /// Nothing, while a disk was waited for.
    pub iowait: f64,
    /// Interrupts.
    pub irq: f64,
    /// Deferred work of interrupts.
    pub softirq: f64,
    /// Other machines on the same hardware.
    pub steal: f64,
}

/// `/proc/stat`, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// What all processors did.
    pub times: CpuTimes,
    /// How many there are.
    pub cores: u64,
    /// The boot, in seconds since 1970.
    pub boot_time: u64,
}

/// Processes that want to run or wait for a disk, on average over so many minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// One minute.
    pub one: f64,
    /// Five minutes.
    pub five: f64,
    /// Fifteen minutes.
    pub fifteen: f64,
}

impl CpuTimes {
    /// The figures with their names.
    pub fn by_mode(&self) -> [(&'static str, f64); 8] {
        [
            ("user", self.user),
            ("nice", self.nice),
            ("system", self.system),
            ("idle", self.idle),
            ("iowait", self.iowait),
            ("irq", self.irq),
            ("softirq", self.softirq),
            ("steal", self.steal),
        ]
    }

    /// The part of the time since `earlier` in which the processors worked, from 0 to 1. `None`: no time has passed, or
    /// the clock went backwards (the kernel's own figures of idle time do, now and then).
    pub fn busy_since(&self, earlier: &Self) -> Option<f64> {
        let all = |times: &Self| {
            times
                .by_mode()
                .iter()
                .map(|(_, seconds)| seconds)
                .sum::<f64>()
        };
        let passed = all(self) - all(earlier);
        let waited = (self.idle + self.iowait) - (earlier.idle + earlier.iowait);
        (passed > 0.0).then(|| (1.0 - waited / passed).clamp(0.0, 1.0))
    }
}

impl Machine {
    /// What the processors did.
    pub fn clock(&self) -> io::Result<Clock> {
        parse_stat(&self.read("/proc/stat")?).ok_or_else(|| unreadable("/proc/stat"))
    }

    /// The load.
    pub fn load(&self) -> io::Result<Load> {
        parse_load(&self.read("/proc/loadavg")?).ok_or_else(|| unreadable("/proc/loadavg"))
    }
}

fn parse_stat(text: &str) -> Option<Clock> {
    let after = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    // Kernels before 2.6.11 have fewer columns, newer ones may have more.
    let mut seconds = after("cpu ")?.split_whitespace().map(|word| {
        let ticks: u64 = word.parse().ok()?;
        Some(to_seconds(ticks))
    });
    let mut next = || seconds.next().unwrap_or(Some(0.0));
    let times = CpuTimes {
        user: next()?,
        nice: next()?,
        system: next()?,
        idle: next()?,
        iowait: next()?,
        irq: next()?,
        softirq: next()?,
        steal: next()?,
    };
    let is_core = |line: &&str| {
        line.strip_prefix("cpu")
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    Some(Clock {
        times,
        cores: text.lines().filter(is_core).count() as u64,
        boot_time: after("btime ")?.trim().parse().ok()?,
    })
}

/// Ticks as seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 2^53 ticks, which is three million years"
)]
pub(super) fn to_seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_A_SECOND
}

fn parse_load(text: &str) -> Option<Load> {
    let mut words = text.split_whitespace().map(|word| word.parse::<f64>().ok());
    let mut next = || words.next()?.filter(|load| load.is_finite());
    Some(Load {
        one: next()?,
        five: next()?,
        fifteen: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str = "cpu  52210 1 25130 202688 1577 2 585 62 7 8\n\
        cpu0 24268 0 10891 105471 409 0 136 27 0 0\n\
        cpu1 27942 0 14238 97216 1168 0 448 35 0 0\n\
        intr 4403 2 0 0\nctxt 9\nbtime 1795571700\nprocesses 16303\n";

    #[test]
    fn reads_the_kernels_figures() {
        let clock = parse_stat(STAT).unwrap();
        assert_eq!((clock.cores, clock.boot_time), (2, 1_795_571_700));
        let modes = clock
            .times
            .by_mode()
            .map(|(_, seconds)| seconds.to_string());
        let expected = [
            "522.1", "0.01", "251.3", "2026.88", "15.77", "0.02", "5.85", "0.62",
        ];
        assert_eq!(modes, expected);
        let load = parse_load("1.69 1.28 0.86 3/143 16303\n").unwrap();
        assert_eq!((load.one, load.five, load.fifteen), (1.69, 1.28, 0.86));
    }

    #[test]
    fn odd_files_are_told() {
        for odd in [
            "",
            "cpu 1 2 3 4\n",
            "cpu a\nbtime 1\n",
            "cpu 1 -2\nbtime 1\n",
            "cpux 1\nbtime 1\n",
        ] {
            assert_eq!(parse_stat(odd), None, "{odd:?}");
        }
        assert_eq!(parse_load("1.0 2.0"), None);
        assert_eq!(parse_load("nan 2.0 3.0"), None);
        // Four columns are an old kernel, not an error.
        let old = parse_stat("cpu 100 0 0 100\nbtime 1\n").unwrap();
        assert_eq!(old.times.iowait.to_string(), "0");
    }

    #[test]
    fn busy_is_what_is_not_idle() {
        let before = CpuTimes {
            user: 10.0,
            idle: 80.0,
            iowait: 10.0,
            ..CpuTimes::default()
        };
        let after = CpuTimes {
            user: 11.0,
            system: 0.5,
            idle: 82.0,
            iowait: 10.5,
            ..CpuTimes::default()
        };
        assert_eq!(after.busy_since(&before), Some(0.375));
        assert_eq!(after.busy_since(&after), None);
        assert_eq!(before.busy_since(&after), None);
    }

    #[test]
    fn this_machine() {
        let machine = Machine::this();
        let clock = machine.clock().unwrap();
        assert!(clock.cores >= 1 && clock.times.user > 0.0 && clock.boot_time > 1_600_000_000);
        assert!(machine.load().unwrap().five >= 0.0);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "(cpu[ 0-9]{0,3}|btime|[ a-z0-9.\n-]{0,8}){0,12}") {
            let _ = parse_stat(&text);
            let _ = parse_load(&text);
        }
    }
}
