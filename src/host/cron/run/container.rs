//! The container of a run: its image, its networks, its start, and its end.
#![forbid(unsafe_code)]

use serde_json::json;

use super::{Failure, Run};
use crate::engine::{Engine, EngineError};
use crate::host::cron::{JobId, LABEL, Pull};
use crate::host::registry::in_engine_words;

/// A container that is removed when this is dropped.
pub(super) struct Container<'e> {
    engine: &'e Engine,
    pub(super) id: String,
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        match self.engine.remove(&self.id, true, true) {
            Ok(()) => {}
            // It removes itself when it ends: gone already (404), or going (409).
            Err(error) if matches!(error.status(), Some(404 | 409)) => {}
            Err(error) => log::error!("container {} could not be removed: {error}", self.id),
        }
    }
}

impl Run<'_> {
    /// The id of a container of this job that still runs, although no process waits for it: the one that did was killed.
    /// Those that do not run are removed.
    pub(super) fn stray(&self) -> Result<Option<String>, EngineError> {
        let mut running = None;
        for (id, is_running) in of_job(self.engine, &self.job().id)? {
            if is_running {
                running = Some(id);
            } else {
                drop(Container {
                    engine: self.engine,
                    id,
                });
            }
        }
        Ok(running)
    }

    /// Makes the container, with its image and all its networks; not started yet.
    pub(super) fn make(&self) -> Result<Container<'_>, Failure> {
        let job = &self.job().container;
        if job.pull == Pull::Always {
            self.pull()?;
        }
        let name = self.name();
        let created = match self.engine.create(Some(&name), &job.create) {
            // The engine's 404 of a create is about the image, and nothing else.
            Err(error) if error.status() == Some(404) && job.pull == Pull::Missing => {
                self.pull()?;
                self.engine.create(Some(&name), &job.create)
            }
            created => created,
        };
        let created = created.map_err(|error| match error.status() {
            Some(404) => Failure::said(format!("there is no image `{}`", job.image)),
            _ => Failure::engine("the container could not be made", &error),
        })?;
        let container = Container {
            engine: self.engine,
            id: created.id,
        };
        for network in &job.further_networks {
            let connected = self.engine.connect(network, &container.id);
            connected.map_err(|error| {
                Failure::engine(&format!("network `{network}` could not be joined"), &error)
            })?;
        }
        Ok(container)
    }

    /// Unique: one run of a job at a time, and not two in a second.
    fn name(&self) -> String {
        format!("{}-{}", self.job().id, self.begun.seconds)
    }

    fn pull(&self) -> Result<(), Failure> {
        let job = &self.job().container;
        let login = self
            .logins
            .find(job.registry.as_deref(), Some(self.stop.watched()));
        let login = login.map_err(|error| {
            Failure::said(format!("the registry login could not be read: {error}"))
        })?;
        let credentials = login.as_ref().map(|login| in_engine_words(login).header());
        let pulling = self
            .engine
            .pull(&job.image, credentials, Some(self.stop.watched()));
        pulling
            .and_then(crate::engine::progress::Progress::wait)
            .map_err(|error| match error {
                EngineError::Abandoned => Failure::stopped(),
                error => Failure::engine(
                    &format!("image `{}` could not be pulled", job.image),
                    &error,
                ),
            })
    }
}

/// Removes containers of the job `id` that never ran. One that runs removes itself at its end.
pub(super) fn sweep(engine: &Engine, id: &JobId) -> Result<(), EngineError> {
    let idle = of_job(engine, id)?
        .into_iter()
        .filter(|(_, is_running)| !is_running);
    idle.for_each(|(id, _)| drop(Container { engine, id }));
    Ok(())
}

/// The containers of a job, and whether they run.
fn of_job(engine: &Engine, id: &JobId) -> Result<Vec<(String, bool)>, EngineError> {
    let filter = json!({ "label": [format!("{LABEL}={id}")] }).to_string();
    let mut listed = engine.list(Some(&filter))?;
    let mut containers = Vec::new();
    while let Some(container) = listed.next_container()? {
        let is_running = ["running", "paused", "restarting"].contains(&container.state());
        containers.push((container.id().to_owned(), is_running));
    }
    Ok(containers)
}
