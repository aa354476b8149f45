//! What the engine counts for a container: the figures of `docker stats`, for machines where the kernel's own cannot be
//! read. One call takes the engine one to two seconds, as it looks twice. GET /containers/{id}/stats
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bulk::Bulk;
use super::{Answer, Engine, EngineError, path_segment};

/// Everything may be missing or null; version 1 and 2 of control groups have different names for the page cache.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stats {
    cpu_stats: CpuStats,
    precpu_stats: CpuStats,
    memory_stats: MemoryStats,
    pids_stats: PidsStats,
    blkio_stats: BlockStats,
    networks: Option<BTreeMap<String, Network>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CpuStats {
    cpu_usage: CpuUsage,
    system_cpu_usage: Option<u64>,
    online_cpus: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CpuUsage {
    total_usage: Option<u64>,
    percpu_usage: Option<Vec<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MemoryStats {
    usage: Option<u64>,
    limit: Option<u64>,
    stats: Option<BTreeMap<String, u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PidsStats {
    current: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BlockStats {
    io_service_bytes_recursive: Option<Vec<BlockEntry>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BlockEntry {
    op: String,
    value: u64,
}

/// What went through one interface of a container.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Packets received damaged.
    pub rx_errors: u64,
    /// Packets received that found no room.
    pub rx_dropped: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Packets that could not be sent.
    pub tx_errors: u64,
    /// Packets to be sent that found no room.
    pub tx_dropped: u64,
}

impl Stats {
    /// Nanoseconds of processor time. `None`: it does not run; the engine answers with zeros then.
    pub fn cpu_nanoseconds(&self) -> Option<u64> {
        let runs = self.cpu_stats.system_cpu_usage.is_some() || self.pids_stats.current.is_some();
        self.cpu_stats.cpu_usage.total_usage.filter(|_| runs)
    }

    /// The processors that it kept busy over the last second, as `docker stats` reckons: its part of what all of them
    /// did, times their number.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nanoseconds of differences of a second or so"
    )]
    pub fn cores_used(&self) -> Option<f64> {
        let (now, before) = (&self.cpu_stats, &self.precpu_stats);
        let used = now
            .cpu_usage
            .total_usage?
            .checked_sub(before.cpu_usage.total_usage?)?;
        let passed = now
            .system_cpu_usage?
            .checked_sub(before.system_cpu_usage?)?;
        let listed = || u32::try_from(now.cpu_usage.percpu_usage.as_ref()?.len()).ok();
        let cores = now.online_cpus.filter(|cores| *cores > 0).or_else(listed)?;
        (passed > 0).then(|| used as f64 / passed as f64 * f64::from(cores))
    }

    /// Bytes of memory without the page cache that could be given back, as `docker stats` has it.
    pub fn memory_used(&self) -> Option<u64> {
        let usage = self.memory_stats.usage?;
        let stats = self.memory_stats.stats.as_ref();
        let field = |name: &str| stats.and_then(|stats| stats.get(name)).copied();
        // `total_…` is there in version 1 only, where the other leaves out the groups below.
        let cache = field("total_inactive_file").or_else(|| field("inactive_file"));
        Some(
            cache
                .filter(|cache| *cache < usage)
                .map_or(usage, |cache| usage - cache),
        )
    }

    /// Bytes of its limit; the machine's memory where it has none.
    pub fn memory_limit(&self) -> Option<u64> {
        self.memory_stats.limit
    }

    /// Its processes and threads.
    pub fn pids(&self) -> Option<u64> {
        self.pids_stats.current
    }

    /// Bytes read from and written to disks.
    pub fn block_io(&self) -> Option<(u64, u64)> {
        let entries = self.blkio_stats.io_service_bytes_recursive.as_ref()?;
        // `Read` in version 1, `read` in version 2.
        let sum = |operation: &str| {
            let those = entries
                .iter()
                .filter(|entry| entry.op.eq_ignore_ascii_case(operation));
            those.fold(0u64, |sum, entry| sum.saturating_add(entry.value))
        };
        Some((sum("read"), sum("write")))
    }

    /// Its interfaces; none of its own, when it has the host's.
    pub fn networks(&self) -> Option<impl Iterator<Item = &Network>> {
        Some(self.networks.as_ref()?.values())
    }
}

impl Engine {
    /// The figures of the containers `ids`, all at the same time; each is handed on with the place of its id.
    pub fn stats(
        &self,
        ids: &[&str],
        bulk: Bulk,
        mut take: impl FnMut(usize, Result<Stats, EngineError>),
    ) -> Result<(), EngineError> {
        let path = |id: &&str| format!("/containers/{}/stats?stream=0", path_segment(id));
        let paths: Vec<String> = ids.iter().map(path).collect();
        self.ask_all(&paths, bulk, |place, answer| {
            take(place, answer.and_then(|answer| read(answer)));
        })
    }
}

/// Engine 20.10 ends its 200 without a word when the container goes away meanwhile: no figures.
fn read(mut answer: Answer<'_>) -> Result<Stats, EngineError> {
    let body = answer.read_all()?;
    if body.is_empty() {
        return Ok(Stats::default());
    }
    serde_json::from_slice(&body).map_err(|error| answer.nonsense(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::scripted::Scripted;
    use std::time::{Duration, Instant};

    const FIRST_VERSION: &str = r#"{
        "pids_stats": {"current": 2},
        "blkio_stats": {"io_service_bytes_recursive": [
            {"major": 254, "minor": 0, "op": "Read", "value": 4096}, {"major": 254, "minor": 0, "op": "Write", "value": 100},
            {"major": 254, "minor": 0, "op": "Total", "value": 4196}, {"major": 8, "minor": 0, "op": "Read", "value": 1}]},
        "cpu_stats": {"cpu_usage": {"total_usage": 600000000, "percpu_usage": [1, 2]}, "system_cpu_usage": 4000000000, "online_cpus": 2},
        "precpu_stats": {"cpu_usage": {"total_usage": 100000000}, "system_cpu_usage": 2000000000},
        "memory_stats": {"usage": 1835008, "limit": 25276502016, "stats": {"inactive_file": 7, "total_inactive_file": 1507328}},
        "networks": {"eth0": {"rx_bytes": 1572, "rx_packets": 14, "tx_dropped": 3}, "eth1": {"rx_bytes": 1}}}"#;

    #[test]
    fn reads_what_the_engine_counts() {
        let stats: Stats = serde_json::from_str(FIRST_VERSION).unwrap();
        assert_eq!(stats.cpu_nanoseconds(), Some(600_000_000));
        assert_eq!(stats.cores_used(), Some(0.5));
        assert_eq!(
            (stats.memory_used(), stats.memory_limit()),
            (Some(327_680), Some(25_276_502_016))
        );
        assert_eq!(
            (stats.block_io(), stats.pids()),
            (Some((4097, 100)), Some(2))
        );
        let received: Vec<_> = stats.networks().unwrap().map(|one| one.rx_bytes).collect();
        assert_eq!(received, [1572, 1]);
    }

    #[test]
    fn the_second_version_has_other_names() {
        let text = r#"{"memory_stats": {"usage": 50, "stats": {"inactive_file": 20}},
            "blkio_stats": {"io_service_bytes_recursive": [{"op": "read", "value": 5}, {"op": "write", "value": 6}]}}"#;
        let stats: Stats = serde_json::from_str(text).unwrap();
        assert_eq!(
            (stats.memory_used(), stats.block_io()),
            (Some(30), Some((5, 6)))
        );
    }

    #[test]
    fn one_that_does_not_run_has_no_figures() {
        let stopped = r#"{"pids_stats": {}, "blkio_stats": {"io_service_bytes_recursive": null},
            "cpu_stats": {"cpu_usage": {"total_usage": 0}}, "precpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}"#;
        for text in ["{}", stopped] {
            let stats: Stats = serde_json::from_str(text).unwrap();
            assert_eq!((stats.cpu_nanoseconds(), stats.cores_used()), (None, None));
            assert_eq!(
                (stats.memory_used(), stats.pids(), stats.block_io()),
                (None, None, None)
            );
            assert!(stats.networks().is_none());
        }
    }

    fn bulk(at_once: usize) -> Bulk {
        Bulk::new(at_once, Duration::from_secs(5))
    }

    #[test]
    fn every_answer_has_its_own_place() {
        let scripted = Scripted::serve(|head, mut stream| {
            use std::io::Write;
            let path = head.split(' ').nth(1).unwrap();
            let answer = if path == "/_ping" {
                crate::engine::scripted::ping("1.41")
            } else if path.contains("/gone/") {
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}".to_vec()
            } else {
                let number = path.split('/').nth(3).unwrap();
                let body = format!("{{\"pids_stats\":{{\"current\":{number}}}}}");
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .into_bytes()
            };
            let _ = stream.write_all(&answer);
        });
        for at_once in [1, 2, 3, 7, 50] {
            let mut found = Vec::new();
            let ids = ["10", "11", "gone", "13", "14", "15", "16"];
            let asked = scripted
                .engine()
                .stats(&ids, bulk(at_once), |place, stats| {
                    found.push((
                        place,
                        stats
                            .map(|stats| stats.pids())
                            .map_err(|error| error.status()),
                    ));
                });
            asked.unwrap();
            let expected: Vec<_> = ids
                .iter()
                .enumerate()
                .map(|(place, id)| (place, id.parse().map(Some).map_err(|_| Some(404))))
                .collect();
            assert_eq!(found, expected, "{at_once} at once");
        }
    }

    #[test]
    fn one_that_goes_away_meanwhile_has_no_figures() {
        let scripted = Scripted::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let mut found = None;
        let asked = scripted
            .engine()
            .stats(&["a"], bulk(1), |_, stats| found = Some(stats.unwrap()));
        assert!(asked.is_ok() && found.unwrap().cpu_nanoseconds().is_none());
    }

    #[test]
    fn an_engine_that_hangs_does_not_hold_up_for_longer_than_allowed() {
        let scripted = Scripted::serve(|head, mut stream| {
            use std::io::Write;
            if crate::engine::scripted::is_ping(head) {
                let _ = stream.write_all(&crate::engine::scripted::ping("1.41"));
            } else {
                // Until the other side gives up.
                let _ = std::io::Read::read(&mut stream, &mut [0]);
            }
        });
        let start = Instant::now();
        let short = Bulk::new(2, Duration::from_millis(200));
        let mut answers = 0;
        let asked = scripted
            .engine()
            .stats(&["a", "b", "c"], short, |_, stats| {
                assert!(matches!(stats, Err(EngineError::Timeout { .. })));
                answers += 1;
            });
        assert!(
            matches!(asked, Err(EngineError::Timeout { .. })),
            "{asked:?}"
        );
        assert_eq!(answers, 1);
        assert!(
            start.elapsed() < Duration::from_secs(3),
            "{:?}",
            start.elapsed()
        );
    }
}
