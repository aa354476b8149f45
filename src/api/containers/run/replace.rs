//! `replace`: the old container steps aside, and comes back if the new one cannot start. It is removed only when the
//! new one runs, so that a bad deployment never costs the one that worked.
#![forbid(unsafe_code)]

use crate::api::{ApiError, Context};
use crate::engine::containers::Inspect;
use crate::engine::{Engine, EngineError};
use crate::limits;
use crate::store::replacements::Replacement;

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

    /// Gives it another name; its own is free then. One in a restart loop is stopped for that. It is noted first, for the
    /// case that the agent is killed before it has come back or is retired.
    pub(super) fn step_aside(self, context: &Context) -> Result<Aside, EngineError> {
        let short = self.id.get(..12).unwrap_or(&self.id);
        let aside = format!("{}.replaced-{short}", self.name);
        self.note(context, None);
        let renamed = rename(&context.engine, &self.id, &aside);
        match renamed {
            Ok(stopped) => Ok(Aside { old: self, stopped }),
            Err(error) => {
                context.replacements.forget(&self.id);
                Err(error)
            }
        }
    }

    /// Without a note all goes on: it is for an accident.
    fn note(&self, context: &Context, successor: Option<&str>) {
        let noted = context.replacements.note(&Replacement {
            id: self.id.clone(),
            name: self.name.clone(),
            was_running: self.was_running,
            successor: successor.map(str::to_owned),
        });
        if let Err(error) = noted {
            log::warn!(
                "the replacement of `{}` cannot be noted: {error}",
                self.name
            );
        }
    }
}

impl Aside {
    /// Notes who has its name now.
    pub(super) fn is_succeeded_by(&self, context: &Context, id: &str) {
        self.old.note(context, Some(id));
    }

    /// Stops it; its ports are free then.
    pub(super) fn stop(&mut self, engine: &Engine) -> Result<(), EngineError> {
        // Even a stop that fails may have happened.
        self.stopped = true;
        engine
            .stop(&self.old.id, limits::STOP_TIMEOUT, None)
            .map(drop)
    }

    /// Removes it, its successor runs. What is odd becomes a warning. Named volumes stay, and so do anonymous ones:
    /// nobody asked for data to go.
    pub(super) fn retire(self, context: &Context) -> Option<String> {
        let removed = context.engine.remove(&self.old.id, true, false);
        context.replacements.forget(&self.old.id);
        let error = removed.err()?;
        Some(format!(
            "the old container {} could not be removed: {error}",
            self.old.id
        ))
    }

    /// Starts it if it ran and gives it its name back; the error is `reason`, with a word about what could not be put
    /// back. The start does not depend on the name: a service that runs under a wrong name is better than none.
    pub(super) fn come_back(self, context: &Context, reason: ApiError) -> ApiError {
        let (old, engine) = (self.old, &context.engine);
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
        // The next start tries again then.
        let is_stuck = problems.iter().any(Option::is_some);
        let words = reason.details().map(str::to_owned);
        let said: Vec<String> = words
            .into_iter()
            .chain(problems.into_iter().flatten())
            .collect();
        if !is_stuck {
            context.replacements.forget(&old.id);
        }
        if said.is_empty() {
            return reason;
        }
        reason.with_details(said.join("; "))
    }
}

/// Gives the container `id` the name `name`. Whether it was stopped for that, which is undone when it fails: the engine
/// looks for the network sandbox of a container that runs, and one that waits for its next attempt has none, which is a
/// 404. moby, daemon/rename.go
pub(super) fn rename(engine: &Engine, id: &str, name: &str) -> Result<bool, EngineError> {
    match engine.rename(id, name) {
        Err(error) if error.status() == Some(404) && engine.inspect(id).is_ok() => {}
        renamed => return renamed.map(|()| false),
    }
    let renamed = engine
        .stop(id, limits::STOP_TIMEOUT, None)
        .and_then(|_| engine.rename(id, name));
    if renamed.is_err()
        && let Err(error) = engine.start(id)
    {
        log::error!("container {id}, stopped to be renamed, could not be started again: {error}");
    }
    renamed.map(|()| true)
}
