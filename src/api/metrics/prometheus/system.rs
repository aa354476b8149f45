//! The machine, for Prometheus.
#![forbid(unsafe_code)]

use std::io;

use super::super::exposition::{
    Exposition,
    Kind::{Counter, Gauge},
    Number::{Real, Whole},
};
use super::super::model::{Cpu, System};
use crate::host::machine::{Counters, Disk, Memory};

pub(super) fn write(system: &System, out: &mut Exposition<'_>) -> io::Result<()> {
    let uptime = system.uptime_seconds.map(Real);
    out.single(
        Gauge,
        "node_agent_system_uptime_seconds",
        "Time since the machine was started.",
        uptime,
    )?;
    if let Some(cpu) = &system.cpu {
        processors(cpu, out)?;
    }
    if let Some(memory) = &system.memory {
        self::memory(memory, out)?;
    }
    disks(&system.disks, out)?;
    networks(system, out)
}

fn processors(cpu: &Cpu, out: &mut Exposition<'_>) -> io::Result<()> {
    let busy = cpu.percent.map(|percent| Real(percent / 100.0));
    out.single(
        Gauge,
        "node_agent_system_cpu_usage_ratio",
        "Part of all processors that was in use, from 0 to 1.",
        busy,
    )?;
    out.single(
        Gauge,
        "node_agent_system_cpu_cores",
        "Processors of the machine.",
        Some(Whole(cpu.cores)),
    )?;
    let mut family = out.family(
        Counter,
        "node_agent_system_cpu_seconds_total",
        "Time that all processors spent, by what they did.",
    );
    for (mode, seconds) in cpu.seconds.by_mode() {
        family.sample(&[("mode", mode)], Real(seconds))?;
    }
    out.single(
        Gauge,
        "node_agent_system_load1",
        "Load average over one minute.",
        cpu.load1.map(Real),
    )?;
    out.single(
        Gauge,
        "node_agent_system_load5",
        "Load average over five minutes.",
        cpu.load5.map(Real),
    )?;
    out.single(
        Gauge,
        "node_agent_system_load15",
        "Load average over fifteen minutes.",
        cpu.load15.map(Real),
    )
}

fn memory(memory: &Memory, out: &mut Exposition<'_>) -> io::Result<()> {
    for (name, help, bytes) in [
        (
            "node_agent_system_memory_bytes",
            "Memory of the machine.",
            memory.total_bytes,
        ),
        (
            "node_agent_system_memory_available_bytes",
            "Memory that programs can still get without swapping.",
            memory.available_bytes,
        ),
        (
            "node_agent_system_memory_used_bytes",
            "Memory that is not available.",
            memory.used_bytes,
        ),
        (
            "node_agent_system_swap_bytes",
            "Swap space of the machine.",
            memory.swap_total_bytes,
        ),
        (
            "node_agent_system_swap_used_bytes",
            "Swap space in use.",
            memory.swap_used_bytes,
        ),
    ] {
        out.single(Gauge, name, help, Some(Whole(bytes)))?;
    }
    Ok(())
}

type OfDisk = fn(&Disk) -> u64;

fn disks(disks: &[Disk], out: &mut Exposition<'_>) -> io::Result<()> {
    let families: [(&'static str, &'static str, OfDisk); 7] = [
        (
            "node_agent_system_disk_bytes",
            "Size of the filesystem.",
            |disk| disk.total_bytes,
        ),
        (
            "node_agent_system_disk_used_bytes",
            "Bytes of the filesystem in use.",
            |disk| disk.used_bytes,
        ),
        (
            "node_agent_system_disk_available_bytes",
            "Bytes that an ordinary user can still write.",
            |disk| disk.available_bytes,
        ),
        (
            "node_agent_system_disk_inodes",
            "Inodes of the filesystem; 0 where it does not count them.",
            |disk| disk.total_inodes,
        ),
        (
            "node_agent_system_disk_used_inodes",
            "Inodes in use.",
            |disk| disk.used_inodes,
        ),
        (
            "node_agent_system_disk_available_inodes",
            "Inodes that are left.",
            |disk| disk.available_inodes,
        ),
        (
            "node_agent_system_disk_read_only",
            "Whether nothing can be written to the filesystem (1) or not (0).",
            |disk| u64::from(disk.read_only),
        ),
    ];
    for (name, help, figure) in families {
        let mut family = out.family(Gauge, name, help);
        for disk in disks {
            let labels = [
                ("device", disk.device.as_str()),
                ("mount_point", &disk.mount_point),
                ("filesystem", &disk.filesystem),
            ];
            family.sample(&labels, Whole(figure(disk)))?;
        }
    }
    Ok(())
}

type OfInterface = fn(&Counters) -> u64;

fn networks(system: &System, out: &mut Exposition<'_>) -> io::Result<()> {
    let families: [(&'static str, &'static str, OfInterface); 8] = [
        (
            "node_agent_system_network_receive_bytes_total",
            "Bytes received by the interface.",
            |counters| counters.rx_bytes,
        ),
        (
            "node_agent_system_network_receive_packets_total",
            "Packets received by the interface.",
            |counters| counters.rx_packets,
        ),
        (
            "node_agent_system_network_receive_errors_total",
            "Packets received damaged.",
            |counters| counters.rx_errors,
        ),
        (
            "node_agent_system_network_receive_drops_total",
            "Packets received that found no room.",
            |counters| counters.rx_drops,
        ),
        (
            "node_agent_system_network_transmit_bytes_total",
            "Bytes sent by the interface.",
            |counters| counters.tx_bytes,
        ),
        (
            "node_agent_system_network_transmit_packets_total",
            "Packets sent by the interface.",
            |counters| counters.tx_packets,
        ),
        (
            "node_agent_system_network_transmit_errors_total",
            "Packets that could not be sent.",
            |counters| counters.tx_errors,
        ),
        (
            "node_agent_system_network_transmit_drops_total",
            "Packets to be sent that found no room.",
            |counters| counters.tx_drops,
        ),
    ];
    for (name, help, figure) in families {
        let mut family = out.family(Counter, name, help);
        for network in &system.networks {
            family.sample(
                &[("interface", &network.interface)],
                Whole(figure(&network.counters)),
            )?;
        }
    }
    Ok(())
}
