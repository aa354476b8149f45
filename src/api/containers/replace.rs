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

/// The same, stopped and under another name.
pub(super) struct Aside(Predecessor);

impl Predecessor {
    /// The container `inspected`.
    pub(super) fn new(inspected: &Inspect) -> Self {
        Self {
            id: inspected.id.clone(),
            name: inspected.name.trim_start_matches('/').to_owned(),
            was_running: inspected.state.running,
        }
    }

    /// Renames and stops it: name and ports are free. If that fails half-way, it is put back.
    pub(super) fn step_aside(self, engine: &Engine) -> Result<Aside, ApiError> {
        let short = self.id.get(..12).unwrap_or(&self.id);
        engine.rename(&self.id, &format!("{}.replaced-{short}", self.name))?;
        let aside = Aside(self);
        match engine.stop(&aside.0.id, STOP_TIMEOUT) {
            Ok(_) => Ok(aside),
            Err(error) => Err(aside.come_back(engine, error.into())),
        }
    }
}

impl Aside {
    /// Removes it, its successor runs. What is odd becomes a warning. Named volumes stay, and so do anonymous ones:
    /// nobody asked for data to go.
    pub(super) fn retire(self, engine: &Engine) -> Option<String> {
        let error = engine.remove(&self.0.id, true, false).err()?;
        Some(format!(
            "the old container {} could not be removed: {error}",
            self.0.id
        ))
    }

    /// Gives it its name back and starts it if it ran; the error is `reason`, with a word about what could not be put
    /// back.
    pub(super) fn come_back(self, engine: &Engine, reason: ApiError) -> ApiError {
        let old = self.0;
        let restart = || {
            if old.was_running {
                engine.start(&old.id).map(drop)
            } else {
                Ok(())
            }
        };
        let restored: Result<(), EngineError> =
            engine.rename(&old.id, &old.name).and_then(|()| restart());
        match restored {
            Ok(()) => reason,
            Err(error) => {
                log::error!(
                    "the old container {} could not be put back: {error}",
                    old.id
                );
                let details = reason
                    .details()
                    .map(|details| format!("{details}; "))
                    .unwrap_or_default();
                reason.with_details(format!(
                    "{details}the old container {} could not be put back: {error}",
                    old.id
                ))
            }
        }
    }
}
