//! The containers, for Prometheus.
#![forbid(unsafe_code)]

use std::io;

use super::super::exposition::{
    Exposition,
    Kind::{self, Counter, Gauge},
    Number::{self, Real, Whole},
};
use super::super::model::{Container, Report};

/// The states that the engine knows. Each is a sample of its own, so that a container's series stay the same.
const STATES: [&str; 7] = [
    "created",
    "running",
    "paused",
    "restarting",
    "removing",
    "exited",
    "dead",
];
/// What health checks find; without one there are no samples.
const HEALTH: [&str; 3] = ["starting", "healthy", "unhealthy"];

type Figure = fn(&Container) -> Option<Number>;

/// The figures of a running container.
const FAMILIES: [(Kind, &str, &str, Figure); 13] = [
    (
        Gauge,
        "node_agent_container_cpu_usage_ratio",
        "Processors that the container kept busy; 1 is one core.",
        |container| Some(Real(container.cpu_percent? / 100.0)),
    ),
    (
        Counter,
        "node_agent_container_cpu_seconds_total",
        "Processor time of the container.",
        |container| container.cpu_seconds.map(Real),
    ),
    (
        Gauge,
        "node_agent_container_memory_usage_bytes",
        "Memory of the container without inactive page cache.",
        |container| Some(Whole(container.memory?.usage_bytes)),
    ),
    (
        Gauge,
        "node_agent_container_memory_limit_bytes",
        "Memory that the container may have; the machine's when it has no limit.",
        |container| container.memory?.limit_bytes.map(Whole),
    ),
    (
        Counter,
        "node_agent_container_network_receive_bytes_total",
        "Bytes received by the container's interfaces.",
        |container| Some(Whole(container.network?.rx_bytes)),
    ),
    (
        Counter,
        "node_agent_container_network_receive_packets_total",
        "Packets received by the container's interfaces.",
        |container| Some(Whole(container.network?.rx_packets)),
    ),
    (
        Counter,
        "node_agent_container_network_receive_errors_total",
        "Packets received damaged.",
        |container| Some(Whole(container.network?.rx_errors)),
    ),
    (
        Counter,
        "node_agent_container_network_transmit_bytes_total",
        "Bytes sent by the container's interfaces.",
        |container| Some(Whole(container.network?.tx_bytes)),
    ),
    (
        Counter,
        "node_agent_container_network_transmit_packets_total",
        "Packets sent by the container's interfaces.",
        |container| Some(Whole(container.network?.tx_packets)),
    ),
    (
        Counter,
        "node_agent_container_network_transmit_errors_total",
        "Packets that could not be sent.",
        |container| Some(Whole(container.network?.tx_errors)),
    ),
    (
        Counter,
        "node_agent_container_block_read_bytes_total",
        "Bytes that the container read from disks.",
        |container| Some(Whole(container.block_io?.read_bytes)),
    ),
    (
        Counter,
        "node_agent_container_block_write_bytes_total",
        "Bytes that the container wrote to disks.",
        |container| Some(Whole(container.block_io?.write_bytes)),
    ),
    (
        Gauge,
        "node_agent_container_pids",
        "Processes and threads of the container.",
        |container| container.pids.map(Whole),
    ),
];

pub(super) fn write(report: &Report, out: &mut Exposition<'_>) -> io::Result<()> {
    let is_whole = u64::from(report.containers_error.is_none());
    out.single(
        Gauge,
        "node_agent_containers_complete",
        "Whether the engine told all about its containers (1) or not (0).",
        Some(Whole(is_whole)),
    )?;
    let containers = &report.containers;
    let mut family = out.family(
        Gauge,
        "node_agent_container_info",
        "Always 1; tells the id and image of the container.",
    );
    for container in containers {
        let labels = [
            ("name", container.name.as_str()),
            ("id", &container.id),
            ("image", &container.image),
        ];
        family.sample(&labels, Whole(1))?;
    }
    states(containers, out)?;
    let mut family = out.family(
        Counter,
        "node_agent_container_restarts_total",
        "Restarts of the container by its restart policy.",
    );
    for container in containers {
        if let Some(restarts) = container
            .restarts
            .and_then(|restarts| u64::try_from(restarts).ok())
        {
            family.sample(&[("name", &container.name)], Whole(restarts))?;
        }
    }
    figures(containers, out)
}

/// A sample for each state, so that a query can name the state it looks for.
fn states(containers: &[Container], out: &mut Exposition<'_>) -> io::Result<()> {
    let mut family = out.family(
        Gauge,
        "node_agent_container_state",
        "1 for the state that the container is in, 0 for the others.",
    );
    for container in containers {
        for state in STATES {
            let labels = [("name", container.name.as_str()), ("state", state)];
            family.sample(&labels, Whole(u64::from(container.state == state)))?;
        }
    }
    let mut family = out.family(
        Gauge,
        "node_agent_container_health",
        "1 for what the container's health check finds, 0 for the others.",
    );
    for container in containers
        .iter()
        .filter(|container| HEALTH.contains(&container.health))
    {
        for health in HEALTH {
            let labels = [("name", container.name.as_str()), ("health", health)];
            family.sample(&labels, Whole(u64::from(container.health == health)))?;
        }
    }
    Ok(())
}

fn figures(containers: &[Container], out: &mut Exposition<'_>) -> io::Result<()> {
    for (kind, name, help, figure) in FAMILIES {
        let mut family = out.family(kind, name, help);
        for container in containers {
            if let Some(value) = figure(container) {
                family.sample(&[("name", &container.name)], value)?;
            }
        }
    }
    Ok(())
}
