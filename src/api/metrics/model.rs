//! The answer, as JSON has it. What cannot be known is null.
#![forbid(unsafe_code)]

use serde::Serialize;

use crate::api::counters::Requests;
use crate::host::machine::{Counters, CpuTimes, Disk, Interface, Memory};

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) timestamp: String,
    pub(super) system: System,
    pub(super) containers: Vec<Container>,
    /// Why there are no containers, or not all of them, or not all about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) containers_error: Option<String>,
    pub(super) agent: Agent,
}

/// The machine.
#[derive(Debug, Serialize)]
pub(super) struct System {
    pub(super) hostname: Option<String>,
    pub(super) uptime_seconds: Option<f64>,
    pub(super) cpu: Option<Cpu>,
    pub(super) memory: Option<Memory>,
    pub(super) disks: Vec<Disk>,
    pub(super) networks: Vec<Interface>,
}

/// The machine's processors.
#[derive(Debug, Serialize)]
pub(super) struct Cpu {
    /// Of all cores together: 100 is all that the machine has.
    pub(super) percent: Option<f64>,
    pub(super) cores: u64,
    pub(super) load1: Option<f64>,
    pub(super) load5: Option<f64>,
    pub(super) load15: Option<f64>,
    pub(super) seconds: CpuTimes,
}

/// A container. Figures are null while it does not run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) image: String,
    pub(super) state: String,
    pub(super) health: &'static str,
    pub(super) restarts: Option<i64>,
    /// Where the figures are from.
    pub(super) source: Option<Source>,
    /// 100 is one core.
    pub(super) cpu_percent: Option<f64>,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) memory: Option<ContainerMemory>,
    pub(super) network_mode: String,
    pub(super) network: Option<Counters>,
    pub(super) block_io: Option<ContainerBlockIo>,
    pub(super) pids: Option<u64>,
}

/// Where a container's figures are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    /// The kernel's files.
    Cgroup,
    /// The engine's own figures, where those files cannot be read.
    Engine,
}

/// A container's memory.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct ContainerMemory {
    pub(super) usage_bytes: u64,
    pub(super) limit_bytes: Option<u64>,
    pub(super) percent: Option<f64>,
}

/// What a container read and wrote.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct ContainerBlockIo {
    pub(super) read_bytes: u64,
    pub(super) write_bytes: u64,
}

/// The agent itself.
#[derive(Debug, Serialize)]
pub(super) struct Agent {
    pub(super) version: &'static str,
    pub(super) started_at: Option<String>,
    pub(super) uptime_seconds: Option<f64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) threads: Option<u64>,
    pub(super) open_descriptors: Option<u64>,
    pub(super) connections: usize,
    pub(super) workers: Workers,
    pub(super) uploads: Option<Uploads>,
    pub(super) requests: Vec<RequestCount>,
    pub(super) durations: Durations,
    /// The same, not yet taken apart.
    #[serde(skip)]
    pub(super) counted: Vec<Requests>,
    #[serde(skip)]
    pub(super) start_seconds: Option<f64>,
}

/// The agent's workers.
#[derive(Debug, Serialize)]
pub(super) struct Workers {
    pub(super) total: usize,
    pub(super) busy: usize,
}

/// The resumable uploads.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Uploads {
    pub(super) open: usize,
    pub(super) finished: usize,
}

/// Requests to one endpoint with one status.
#[derive(Debug, Serialize)]
pub(super) struct RequestCount {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) status: u16,
    pub(super) count: u64,
}

/// How long requests took, all endpoints together.
#[derive(Debug, Serialize)]
pub(super) struct Durations {
    pub(super) buckets: Vec<Bucket>,
    pub(super) count: u64,
    pub(super) sum_seconds: f64,
}

/// Requests that took so long at most.
#[derive(Debug, Serialize)]
pub(super) struct Bucket {
    pub(super) up_to_seconds: f64,
    pub(super) count: u64,
}

impl Container {
    /// A limit above the machine's memory is none; what the machine has is the limit then, as in `docker stats`.
    pub(super) fn limited_by(mut self, machine: Option<u64>) -> Self {
        if let Some(memory) = &mut self.memory {
            memory.limit_bytes = [memory.limit_bytes, machine].into_iter().flatten().min();
            let limit = memory.limit_bytes.filter(|limit| *limit > 0);
            memory.percent = limit.map(|limit| hundredths(part(memory.usage_bytes, limit) * 100.0));
        }
        self
    }
}

/// `share` of `all`.
#[expect(
    clippy::cast_precision_loss,
    reason = "memory has fewer bytes than a f64 counts"
)]
fn part(share: u64, all: u64) -> f64 {
    share as f64 / all as f64
}

/// With two digits behind the point.
pub(super) fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_the_last_limit() {
        let limited = |limit_bytes, machine| {
            let memory = ContainerMemory {
                usage_bytes: 50,
                limit_bytes,
                percent: None,
            };
            let container = Container {
                memory: Some(memory),
                ..Container::default()
            };
            let memory = container.limited_by(machine).memory.unwrap();
            (memory.limit_bytes, memory.percent)
        };
        assert_eq!(limited(None, Some(200)), (Some(200), Some(25.0)));
        assert_eq!(limited(Some(150), Some(200)), (Some(150), Some(33.33)));
        assert_eq!(limited(Some(u64::MAX), Some(200)), (Some(200), Some(25.0)));
        assert_eq!(limited(Some(100), None), (Some(100), Some(50.0)));
        assert_eq!(limited(Some(0), None), (Some(0), None));
        assert_eq!(limited(None, None), (None, None));
    }
}
