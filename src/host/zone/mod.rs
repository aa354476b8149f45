//! The time zone of the machine, read from `/etc/localtime` each time it is asked for: the C library reads it once, and
//! would not see `timedatectl set-timezone`; musl's has no way to make it look again. TZif, RFC 8536. Uses std alone.
#![forbid(unsafe_code)]

mod file;
mod rule;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::limits;
use rule::Rule;

/// Where Debian and systemd have the machine's zone.
const LOCAL: &str = "/etc/localtime";

/// A time zone: when clocks were and will be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Seconds east of Greenwich before the first change.
    first: i32,
    /// Each change, in seconds since 1970, and the offset from then on; ascending.
    changes: Vec<(i64, i32)>,
    /// What holds after the last change.
    rule: Option<Rule>,
}

impl Zone {
    /// The machine's. Where there is none, or one that makes no sense, clocks show UTC.
    pub fn local() -> Self {
        Self::read(Path::new(LOCAL)).unwrap_or_default()
    }

    /// The zone in this file; `None` when there is none in it.
    pub fn read(file: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        let opened = File::open(file).ok()?;
        opened
            .take(limits::ZONE_BYTES)
            .read_to_end(&mut bytes)
            .ok()?;
        file::parse(&bytes)
    }

    /// Seconds that clocks are ahead of UTC at this moment, in seconds since 1970.
    pub fn offset_at(&self, seconds: i64) -> i64 {
        let later = self.changes.partition_point(|(from, _)| *from <= seconds);
        let is_after_last = later == self.changes.len();
        if let Some(rule) = self.rule.as_ref().filter(|_| is_after_last) {
            return rule.offset_at(seconds);
        }
        let latest = later.checked_sub(1).and_then(|at| self.changes.get(at));
        latest.map_or(self.first, |(_, offset)| *offset).into()
    }
}
