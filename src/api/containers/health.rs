//! `GET /containers/{n}/health` and `GET /containers/all/health`.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::Serialize;

use super::{about, container_name};
use crate::api::{ApiError, Context, Reply, Request};
use crate::clock::Timestamp;

#[derive(Serialize)]
struct Health<'h> {
    container: &'h str,
    health_status: &'h str,
    timestamp: String,
    failing_streak: i64,
    log: Vec<Check<'h>>,
}

#[derive(Serialize)]
struct Check<'h> {
    start: String,
    end: String,
    exit_code: i64,
    output: &'h str,
}

/// What the container's health check saw; `none` without one.
pub fn health<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let name = container_name(request)?;
    let container = context.engine.inspect(name).map_err(about(name))?;
    let health = container.state.health.unwrap_or_default();
    let checks = health
        .log
        .as_deref()
        .unwrap_or_default()
        .iter()
        .map(|check| Check {
            start: in_utc(&check.start),
            end: in_utc(&check.end),
            exit_code: check.exit_code,
            output: &check.output,
        });
    Reply::json(&Health {
        container: name,
        health_status: if health.status.is_empty() {
            "none"
        } else {
            &health.status
        },
        timestamp: Timestamp::now().to_string(),
        failing_streak: health.failing_streak,
        log: checks.collect(),
    })
}

/// Some engines write the times of checks in the host's own zone.
fn in_utc(time: &str) -> String {
    Timestamp::parse(time).map_or_else(
        || time.to_owned(),
        |time| time.with_nanoseconds().to_string(),
    )
}

/// The health of all containers: name without slash → status.
pub fn all_health<'a>(context: &'a Context, _: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let mut all = BTreeMap::new();
    let mut containers = context.engine.list(None)?;
    while let Some(listed) = containers.next_container()? {
        let name = listed.name().trim_start_matches('/').to_owned();
        all.insert(name, listed.health());
    }
    Reply::json(&all)
}

#[cfg(test)]
mod tests {
    use super::in_utc;

    #[test]
    fn times_are_in_utc() {
        assert_eq!(
            in_utc("2024-01-15T12:30:00.25+02:00"),
            "2024-01-15T10:30:00.250000000Z"
        );
        assert_eq!(in_utc("never"), "never");
    }
}
