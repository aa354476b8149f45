//! The build that `NODE_AGENT_TEST_BINARY` names, or else the one that cargo has made: for what a build for tests is too
//! large. A part of those test programs that say so.

use std::process::Command;

use crate::support::agent::{program, program_at};

const VARIABLE: &str = "NODE_AGENT_TEST_BINARY";

/// The program, with nothing but what it needs in its environment.
pub fn shipped_program() -> Command {
    std::env::var_os(VARIABLE).map_or_else(program, program_at)
}
