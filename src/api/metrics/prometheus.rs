//! The report as Prometheus reads it: base units, counters that end in `_total`, nothing that takes new names for ever.
//! Containers have their name as label; their id and image are in one family, `node_agent_container_info`, to join.
#![forbid(unsafe_code)]

mod agent;
mod containers;
mod system;

use std::io::{self, Write};

use super::exposition::{Exposition, Number};
use super::model::Report;

/// Writes all of it.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut exposition = Exposition::new(out);
    system::write(&report.system, &mut exposition)?;
    containers::write(report, &mut exposition)?;
    agent::write(&report.agent, &mut exposition)
}

/// A count that fits.
fn whole(number: usize) -> Number {
    Number::Whole(number as u64)
}
