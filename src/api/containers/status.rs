//! `GET /containers/{n}/status`.
#![forbid(unsafe_code)]

use serde::Serialize;

use super::{about, container_name};
use crate::api::{ApiError, Context, Reply, Request};
use crate::clock::Timestamp;

#[derive(Serialize)]
struct Status<'s> {
    id: &'s str,
    name: &'s str,
    state: &'s str,
    /// The engine's text for people: "Up 2 hours".
    status: String,
    health_status: &'s str,
    exit_code: i64,
    started_at: Option<&'s str>,
    finished_at: Option<&'s str>,
    restart_count: i64,
    oom_killed: bool,
}

/// Answers from an inspect, and from a list of one for the engine's text.
pub fn status<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let name = container_name(request)?;
    let container = context.engine.inspect(name).map_err(about(name))?;
    let filters = serde_json::json!({ "id": [container.id] }).to_string();
    let mut listed = context.engine.list(Some(&filters))?;
    let text = listed
        .next_container()?
        .map(|listed| listed.status().to_owned())
        .unwrap_or_default();
    let state = &container.state;
    Reply::json(&Status {
        id: &container.id,
        name: container.name.trim_start_matches('/'),
        state: &state.status,
        status: text,
        health_status: state
            .health
            .as_ref()
            .map_or("none", |health| &health.status),
        exit_code: state.exit_code,
        started_at: happened(&state.started_at),
        finished_at: happened(&state.finished_at).filter(|_| !state.running),
        restart_count: container.restart_count,
        oom_killed: state.oom_killed,
    })
}

/// The engine writes the year 1 for what never happened.
fn happened(time: &str) -> Option<&str> {
    Timestamp::parse(time)
        .filter(|time| time.seconds > 0)
        .map(|_| time)
}
