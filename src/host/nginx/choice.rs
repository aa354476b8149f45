//! Which nginx is meant: the container that is named; else the machine's own when it runs; else the container that runs
//! one; else the machine's own when it is at least installed.
#![forbid(unsafe_code)]

use super::inside::Inside;
use super::processes::Processes;
use super::{NginxError, Place, image, machine};
use crate::engine::{Engine, EngineError};

/// The one that is meant. `named` is the variable's value.
pub(super) fn choose<'e>(engine: &'e Engine, named: Option<&str>) -> Result<Place<'e>, NginxError> {
    if let Some(name) = named {
        return self::named(engine, name).map(Place::Inside);
    }
    let is_installed = machine::is_installed();
    if is_installed && machine::is_running()? {
        return Ok(Place::Machine);
    }
    match running(engine) {
        Ok(found) => match found.as_slice() {
            [] if is_installed => Ok(Place::Machine),
            [] => Err(NginxError::None { engine: None }),
            [only] => Ok(Place::Inside(Inside::new(
                engine,
                engine.inspect(&only.id)?,
            ))),
            several => Err(NginxError::Several {
                names: several.iter().map(|one| one.name.clone()).collect(),
            }),
        },
        // No engine, no containers.
        Err(EngineError::Unreachable { .. }) if is_installed => Ok(Place::Machine),
        Err(error @ EngineError::Unreachable { .. }) => Err(NginxError::None {
            engine: Some(error),
        }),
        Err(error) => Err(error.into()),
    }
}

fn named<'e>(engine: &'e Engine, name: &str) -> Result<Inside<'e>, NginxError> {
    let inspect = engine.inspect(name).map_err(|error| match error.status() {
        Some(404) => NginxError::NamedMissing {
            name: name.to_owned(),
        },
        _ => error.into(),
    })?;
    if inspect.state.status != RUNNING {
        return Err(NginxError::NamedNotRunning {
            name: name.to_owned(),
            state: inspect.state.status,
        });
    }
    Ok(Inside::new(engine, inspect))
}

/// The engine's word for a container that can be asked something: not paused, not about to be restarted.
const RUNNING: &str = "running";

struct Found {
    id: String,
    name: String,
    image: String,
}

/// The containers that run an nginx: by the names of their images, and then by their processes. An engine that cannot
/// list processes (its machine has no `ps`) leaves it at the name.
fn running(engine: &Engine) -> Result<Vec<Found>, EngineError> {
    let mut candidates = candidates(engine)?;
    let mut found = Vec::new();
    for one in candidates.drain(..) {
        if image::is_nginx(&one.image) || is_nginx_by_inspect(engine, &one)? {
            match engine.processes(&one.id).map(Processes::among) {
                Ok(processes) if !processes.has_master() => {}
                // Gone meanwhile.
                Err(error) if matches!(error.status(), Some(404 | 409)) => {}
                Ok(_) | Err(EngineError::Answer { .. }) => found.push(one),
                Err(error) => return Err(error),
            }
        }
    }
    found.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(found)
}

/// Running containers whose image is nginx's, or has no name in the list.
fn candidates(engine: &Engine) -> Result<Vec<Found>, EngineError> {
    let mut list = engine.list(Some(r#"{"status":["running"]}"#))?;
    let mut found = Vec::new();
    while let Some(container) = list.next_container()? {
        let image = container.image();
        if container.state() == RUNNING && (image::is_nginx(image) || image::may_be_id(image)) {
            found.push(Found {
                id: container.id().to_owned(),
                name: container.name().trim_start_matches('/').to_owned(),
                image: image.to_owned(),
            });
        }
    }
    Ok(found)
}

/// The name that its image had when it was made is kept in the container's own configuration.
fn is_nginx_by_inspect(engine: &Engine, one: &Found) -> Result<bool, EngineError> {
    match engine.inspect(&one.id) {
        Ok(inspect) => Ok(inspect
            .config
            .is_some_and(|config| image::is_nginx(&config.image))),
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(error),
    }
}
