//! `replace`: the old container steps aside, and comes back if the new one cannot start. It is removed only when the
//! new one runs, so that a bad deployment never costs the one that worked.
#![forbid(unsafe_code)]

use std::time::Duration;

use crate::api::ApiError;
use crate::engine::containers::Inspect;
use crate::engine::{Engine, EngineError};

/// What docker gives a container to end by itself.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The container that has the name now.
pub(super) struct Predecessor {
    id: String,
    name: String,
    was_running: bool,
}

/// The same under another name. It still runs, if it did, until it is stopped.
pub(super) struct Aside {
    old: Predecessor,
    stopped: bool,
}

impl Predecessor {
    /// The container `inspected`. One that is gone as soon as it stops could not be put back, and is refused.
    pub(super) fn new(inspected: &Inspect) -> Result<Self, ApiError> {
        let name = inspected.name.trim_start_matches('/').to_owned();
        let removes_itself = inspected
            .host_config
            .as_ref()
            .is_some_and(|host| host.auto_remove);
        if removes_itself && inspected.state.running {
            return Err(ApiError::conflict(&format!(
                "container `{name}` removes itself when it stops (--rm), so it could not be put back; remove it first"
            )));
        }
        Ok(Self {
            id: inspected.id.clone(),
            name,
            was_running: inspected.state.running,
        })
    }

    /// Its name, which becomes its successor's.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Gives it another name; its own is free then. One in a restart loop is stopped for that.
    pub(super) fn step_aside(self, engine: &Engine) -> Result<Aside, EngineError> {
        let short = self.id.get(..12).unwrap_or(&self.id);
        let aside = format!("{}.replaced-{short}", self.name);
        let Err(error) = engine.rename(&self.id, &aside) else {
            return Ok(Aside {
                old: self,
                stopped: false,
            });
        };
        if !is_in_restart_loop(engine, &self.id, &error) {
            return Err(error);
        }
        let mut old = Aside {
            old: self,
            stopped: false,
        };
        let renamed = old
            .stop(engine)
            .and_then(|()| engine.rename(&old.old.id, &aside));
        match renamed {
            Ok(()) => Ok(old),
            Err(error) => {
                if let Err(problem) = engine.start(&old.old.id) {
                    let id = &old.old.id;
                    log::error!("the old container {id} could not be started again: {problem}");
                }
                Err(error)
            }
        }
    }
}

impl Aside {
    /// Stops it; its ports are free then.
    pub(super) fn stop(&mut self, engine: &Engine) -> Result<(), EngineError> {
        // Even a stop that fails may have happened.
        self.stopped = true;
        engine.stop(&self.old.id, STOP_TIMEOUT, None).map(drop)
    }

    /// Removes it, its successor runs. What is odd becomes a warning. Named volumes stay, and so do anonymous ones:
    /// nobody asked for data to go.
    pub(super) fn retire(self, engine: &Engine) -> Option<String> {
        let error = engine.remove(&self.old.id, true, false).err()?;
        Some(format!(
            "the old container {} could not be removed: {error}",
            self.old.id
        ))
    }

    /// Starts it if it ran and gives it its name back; the error is `reason`, with a word about what could not be put
    /// back. The start does not depend on the name: a service that runs under a wrong name is better than none.
    pub(super) fn come_back(self, engine: &Engine, reason: ApiError) -> ApiError {
        let old = self.old;
        // The name first: one that ends at once may be between two attempts after its start, and have no rename then.
        let named = engine.rename(&old.id, &old.name);
        let started = if self.stopped && old.was_running {
            engine.start(&old.id).map(drop)
        } else {
            Ok(())
        };
        let renamed = named.or_else(|_| engine.rename(&old.id, &old.name));
        let failed = |what: &str, result: Result<(), EngineError>| {
            let error = result.err()?;
            let problem = format!("the old container {} could not be {what}: {error}", old.id);
            log::error!("{problem}");
            Some(problem)
        };
        let problems = [
            failed("started again", started),
            failed("named again", renamed),
        ];
        let words = reason.details().map(str::to_owned);
        let said: Vec<String> = words
            .into_iter()
            .chain(problems.into_iter().flatten())
            .collect();
        if said.is_empty() {
            return reason;
        }
        reason.with_details(said.join("; "))
    }
}

/// Whether `error` is the answer to a rename of a container that waits for its next attempt: the engine looks for the
/// network sandbox of one that runs, which it does not have then, and says 404. It keeps its name. moby,
/// daemon/rename.go
fn is_in_restart_loop(engine: &Engine, id: &str, error: &EngineError) -> bool {
    error.status() == Some(404) && engine.inspect(id).is_ok()
}
