//! `node-agent cron-run ID`: what cron starts. It needs the state directory and the engine, and no agent.
#![forbid(unsafe_code)]

use super::Failure;
use crate::config::{Config, Environment};
use crate::engine::Engine;
use crate::host::cron::JobId;
use crate::host::cron::JobStore;
use crate::host::cron::run::{Means, Stop, run};
use crate::host::journal::Journal;
use crate::log as sink;
use crate::store::logins::Logins;
use crate::sys::signal::Signals;

/// What lines in the system's log come from.
const IDENTIFIER: &str = "node-agent-cron";

/// Runs the job `id` to its end, and ends with its exit code.
pub(super) fn cron_run(id: &str) -> Result<(), Failure> {
    // First of all: threads inherit the mask.
    let signals = Signals::block().map_err(Failure::run)?;
    let Some(id) = JobId::parse(id) else {
        return Err(Failure::Run(format!("{id:?} is not the id of a cron job")));
    };
    let config = Config::from_environment(&Environment::of_process()).map_err(Failure::run)?;
    sink::start(config.log_level, config.log_format).map_err(Failure::run)?;
    let engine = Engine::new(config.docker_socket.clone(), || {});
    let means = Means {
        logins: &Logins::new(config.docker_config.clone(), config.surroundings.0.clone()),
        store: &JobStore::new(&config.state_directory),
        stop: &Stop::watch(signals, engine.clone()).map_err(Failure::run)?,
        engine: &engine,
    };
    let ended = run(&id, &means, &mut Journal::open(IDENTIFIER, id.as_str()));
    sink::flush();
    match ended {
        Ok(0) => Ok(()),
        Ok(code) => Err(Failure::Exit(code)),
        Err(error) => Err(Failure::run(error)),
    }
}
