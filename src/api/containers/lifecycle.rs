//! `POST /containers/{n}/start|stop|restart|remove`.
#![forbid(unsafe_code)]

use std::time::Duration;

use serde::Serialize;

use super::{about, container_name};
use crate::api::{ApiError, Context, Reply, Request};
use crate::engine::EngineError;
use crate::engine::containers::Outcome;
use crate::limits;

#[derive(Serialize)]
struct Done<'d> {
    container: &'d str,
    id: &'d str,
    status: &'static str,
    changed: bool,
}

fn done<'a>(
    container: &str,
    id: &str,
    status: &'static str,
    outcome: Outcome,
) -> Result<Reply<'a>, ApiError> {
    Reply::json(&Done {
        container,
        id,
        status,
        changed: outcome == Outcome::Changed,
    })
}

/// Starts a stopped container; one that runs stays as it is.
pub fn start<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let name = container_name(request)?;
    let id = context.engine.inspect(name).map_err(about(name))?.id;
    let outcome = context
        .engine
        .start(&id)
        .map_err(|error| cannot_start(name, error))?;
    done(name, &id, "started", outcome)
}

/// The container is there, so a 404 of start is about something that it needs: a network that was removed.
fn cannot_start(name: &str, error: EngineError) -> ApiError {
    match error {
        EngineError::Answer {
            status: 404,
            message,
        } => ApiError::conflict(&format!(
            "container `{name}` needs something that is gone, such as a network"
        ))
        .with_details(message),
        EngineError::Answer {
            status: 400,
            message,
        } => ApiError::bad_request(&format!("the command of container `{name}` cannot run"))
            .with_details(message),
        EngineError::Answer {
            status: 409,
            message,
        } => ApiError::conflict(&format!("container `{name}` cannot be started now"))
            .with_details(message),
        error => ApiError::from(error),
    }
}

fn timeout(request: &Request<'_>) -> Result<Duration, ApiError> {
    let seconds = request
        .query()?
        .number("timeout", limits::STOP_MOST_SECONDS)?;
    Ok(seconds.map_or(limits::STOP_TIMEOUT, Duration::from_secs))
}

/// Stops a container within `timeout` seconds; one that does not run stays as it is.
pub fn stop<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let (name, timeout) = (container_name(request)?, timeout(request)?);
    let id = context.engine.inspect(name).map_err(about(name))?.id;
    let client = Some(request.client);
    let outcome = context
        .engine
        .stop(&id, timeout, client)
        .map_err(about(name))?;
    done(name, &id, "stopped", outcome)
}

/// Restarts a container; starts it when it is stopped.
pub fn restart<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let (name, timeout) = (container_name(request)?, timeout(request)?);
    let id = context.engine.inspect(name).map_err(about(name))?.id;
    context
        .engine
        .restart(&id, timeout, Some(request.client))
        .map_err(|error| cannot_start(name, error))?;
    done(name, &id, "restarted", Outcome::Changed)
}

/// Removes a container: `force` also when it runs, `volumes` its anonymous volumes too.
pub fn remove<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let name = container_name(request)?;
    let query = request.query()?;
    let (force, volumes) = (query.flag("force")?, query.flag("volumes")?);
    let container = context.engine.inspect(name).map_err(about(name))?;
    let refused = |error: EngineError| match error {
        EngineError::Answer {
            status: 409,
            message,
        } if container.state.running => ApiError::conflict(&format!(
            "container `{name}` is running: stop it first, or remove it with force=true"
        ))
        .with_details(message),
        error => about(name)(error),
    };
    context
        .engine
        .remove(&container.id, force, volumes)
        .map_err(refused)?;
    done(name, &container.id, "removed", Outcome::Changed)
}
