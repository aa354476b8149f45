//! `node-agent doctor [--json]`.
#![forbid(unsafe_code)]

use lexopt::prelude::{Long, Short};

use super::{Command, Failure, say};
use crate::config::Environment;
use crate::install::doctor;

pub(super) fn parse(arguments: &mut lexopt::Parser) -> Result<Command, Failure> {
    let usage = |error: lexopt::Error| Failure::Usage(error.to_string());
    let mut is_json = false;
    while let Some(argument) = arguments.next().map_err(usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::help()),
            Long("json") => is_json = true,
            other => return Err(usage(other.unexpected())),
        }
    }
    Ok(Command::Doctor { is_json })
}

/// Looks and tells; a failure when something essential is wrong.
pub(super) fn run(is_json: bool) -> Result<(), Failure> {
    let report = doctor::examine(&Environment::of_process()).map_err(Failure::run)?;
    if is_json {
        let json = serde_json::to_string_pretty(&report).map_err(Failure::run)?;
        say(&format!("{json}\n"))?;
    } else {
        say(&report.to_string())?;
    }
    if report.healthy {
        return Ok(());
    }
    Err(Failure::Run("something essential is wrong".to_owned()))
}
