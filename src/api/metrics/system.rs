//! The section `system`. A file that cannot be read costs its own figures and no others.
#![forbid(unsafe_code)]

use super::model::{Cpu, System, hundredths};
use super::processor::MachineUse;
use crate::host::machine::Machine;

/// The figures of `machine`; its processors were looked at before.
pub(super) fn system(machine: &Machine, processors: Option<MachineUse>) -> System {
    System {
        hostname: machine.hostname().ok(),
        uptime_seconds: machine.uptime().ok().map(|uptime| uptime.as_secs_f64()),
        cpu: processors.map(|processors| cpu(machine, &processors)),
        memory: machine.memory().ok(),
        disks: machine.disks().unwrap_or_default(),
        networks: machine.interfaces().unwrap_or_default(),
    }
}

fn cpu(machine: &Machine, processors: &MachineUse) -> Cpu {
    let load = machine.load().ok();
    Cpu {
        percent: processors.busy.map(|busy| hundredths(busy * 100.0)),
        cores: processors.clock.cores,
        load1: load.map(|load| load.one),
        load5: load.map(|load| load.five),
        load15: load.map(|load| load.fifteen),
        seconds: processors.clock.times,
    }
}
