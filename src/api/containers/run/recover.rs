//! Replacements that an earlier run of the agent did not finish: the successor has taken over, or the old container gets
//! its name back and runs again.
#![forbid(unsafe_code)]

use std::thread;

use super::replace::rename;
use crate::clock::Timestamp;
use crate::engine::containers::Inspect;
use crate::engine::{Engine, EngineError};
use crate::limits;
use crate::store::replacements::{Replacement, Replacements};

/// Puts in order what earlier runs left, on a thread of its own, which ends with it: the engine may come up later than the
/// agent. Without anything left there is no thread.
pub fn recover(engine: Engine, notes: Replacements) {
    let left = match notes.left() {
        Ok(left) => left,
        Err(error) => {
            log::warn!("cannot look for replacements of an earlier run: {error}");
            return;
        }
    };
    if left.is_empty() {
        return;
    }
    let began = Timestamp::now();
    let recovering = move || {
        // The engine may still be at what the killed agent asked for last.
        thread::sleep(limits::ENGINE_SETTLES);
        for replacement in left {
            while !is_done(&engine, &replacement, began) {
                thread::sleep(limits::ENGINE_RETURN);
            }
            notes.forget(&replacement.id);
        }
    };
    let spawned = thread::Builder::new()
        .name("recovery".into())
        .stack_size(limits::WORKER_STACK_BYTES)
        .spawn(recovering);
    if let Err(error) = spawned {
        log::error!("replacements of an earlier run stay unfinished: {error}");
    }
}

/// Whether there is nothing more to do. What the engine refuses it would refuse again; one that is not there is asked
/// again.
fn is_done(engine: &Engine, replacement: &Replacement, began: Timestamp) -> bool {
    let name = &replacement.name;
    match put_in_order(engine, replacement, began) {
        Ok(()) => true,
        Err(EngineError::Unreachable { .. } | EngineError::Timeout { .. }) => false,
        Err(error) => {
            let id = &replacement.id;
            log::error!("container {id}, which was `{name}`, could not be put back: {error}");
            true
        }
    }
}

fn put_in_order(
    engine: &Engine,
    replacement: &Replacement,
    began: Timestamp,
) -> Result<(), EngineError> {
    let Replacement { id, name, .. } = replacement;
    let Some(old) = found(engine.inspect(id))? else {
        return Ok(());
    };
    let holder = found(engine.inspect(name))?.filter(|holder| plain_name(holder) == name);
    match holder {
        Some(holder) if holder.id == old.id => {}
        // Made by the earlier run and never started, so nobody misses it.
        Some(holder) if holder.state.status == "created" && is_older(&holder, began) => {
            engine.remove(&holder.id, true, true)?;
        }
        Some(holder) if replacement.successor.as_ref() == Some(&holder.id) => {
            log::info!("container `{name}` was replaced by an earlier run; the old one {id} goes");
            return engine.remove(id, true, false);
        }
        Some(_) => {
            log::warn!("somebody else has the name `{name}` of container {id}; it stays as it is");
            return Ok(());
        }
        None => {}
    }
    let was_stopped = plain_name(&old) != name && rename(engine, id, name)?;
    if replacement.was_running {
        if was_stopped || !old.state.running {
            engine.start(id)?;
        } else if replacement.successor.is_some() {
            // A stop that nobody waits for any more may be under way, and would end it after a start that changes nothing.
            engine.restart(id, limits::STOP_TIMEOUT, None)?;
        }
    }
    log::info!("container {id} is `{name}` again: an earlier run did not finish its replacement");
    Ok(())
}

fn is_older(container: &Inspect, time: Timestamp) -> bool {
    Timestamp::parse(&container.created).is_some_and(|made| made < time)
}

fn found(inspected: Result<Inspect, EngineError>) -> Result<Option<Inspect>, EngineError> {
    match inspected {
        Ok(container) => Ok(Some(container)),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

fn plain_name(container: &Inspect) -> &str {
    container.name.trim_start_matches('/')
}
