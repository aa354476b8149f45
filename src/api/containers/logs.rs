//! `GET /containers/{n}/logs`: as JSON, as text, or followed as text.
#![forbid(unsafe_code)]

use std::io::{self, Write};

use super::log_times::moment;
use super::pace::Pace;
use super::{about, container_name};
use crate::api::json_text::JsonText;
use crate::api::query::Query;
use crate::api::{ApiError, Context, Reply, Request, Sink, reply};
use crate::clock::Timestamp;
use crate::engine::{EngineError, LogQuery, Output};
use crate::limits;

/// Answers with the logs, streamed in constant memory whatever their size.
pub fn logs<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let name = container_name(request)?;
    let wanted = wanted(&request.query()?)?;
    let container = context.engine.inspect(name).map_err(about(name))?;
    let tty = container.config.unwrap_or_default().tty;
    let driver = container.host_config.unwrap_or_default().log_config.driver;
    if driver == "none" {
        return Err(keeps_nothing(name));
    }
    let client = Some(request.client);
    if wanted.follow {
        // Opened once the client has its head: engine 20.10 sends its own only with the first line of the log.
        return Ok(Reply::follow(reply::TEXT, move |sink| {
            follow(
                context.engine.logs(&container.id, tty, &wanted, client)?,
                sink,
            )
        }));
    }
    let output = context
        .engine
        .logs(&container.id, tty, &wanted, client)
        .map_err(|error| unreadable(name, error))?;
    if request.accepts_explicitly("text/plain") {
        return Ok(Reply::stream(reply::TEXT, move |sink| pour(output, sink)));
    }
    let name = name.to_owned();
    Ok(Reply::stream(reply::JSON, move |sink| {
        as_json(&name, output, sink)
    }))
}

/// Other drivers that keep nothing say so when they are asked.
fn unreadable(name: &str, error: EngineError) -> ApiError {
    match error {
        EngineError::Answer { status: 501, .. } => keeps_nothing(name),
        error => about(name)(error),
    }
}

fn keeps_nothing(name: &str) -> ApiError {
    ApiError::not_supported(&format!(
        "the log driver of container `{name}` keeps nothing that can be read"
    ))
}

fn wanted(query: &Query) -> Result<LogQuery, ApiError> {
    let tail = match query.text("tail") {
        Some("all") => None,
        _ => Some(
            query
                .number("tail", u64::from(u32::MAX))
                .map_err(|_| bad_tail())?
                .unwrap_or(limits::LOG_TAIL),
        ),
    };
    let time = |name: &str| {
        let read = |text: &str| moment(text, Timestamp::now()).ok_or_else(|| bad_time(name));
        query.text(name).map(read).transpose()
    };
    let wanted = LogQuery {
        tail,
        since: time("since")?,
        until: time("until")?,
        timestamps: query.flag("timestamps")?,
        stdout: query.flag_or("stdout", true)?,
        stderr: query.flag_or("stderr", true)?,
        follow: query.flag("follow")?,
    };
    if wanted.stdout || wanted.stderr {
        return Ok(wanted);
    }
    Err(ApiError::bad_request(
        "stdout=false and stderr=false leave nothing to be read",
    ))
}

fn bad_tail() -> ApiError {
    ApiError::parameter("tail", "must be a number of lines or `all`")
}

fn bad_time(name: &str) -> ApiError {
    ApiError::parameter(
        name,
        "must be seconds since 1970, an RFC 3339 time, or a time ago like 10m or 1h30m",
    )
}

/// Hands on as it comes.
fn follow(mut output: Output<'_>, sink: &mut dyn Sink) -> Result<(), ApiError> {
    let mut pace = Pace::default();
    while output.pump(|_, data| sink.write_all(data))? {
        pace.flush(&mut output, sink)?;
    }
    Ok(())
}

fn pour(mut output: Output<'_>, sink: &mut dyn Sink) -> Result<(), ApiError> {
    while output.pump(|_, data| sink.write_all(data))? {}
    Ok(())
}

fn as_json(name: &str, mut output: Output<'_>, sink: &mut dyn Sink) -> Result<(), ApiError> {
    let gone = |error: io::Error| ApiError::ClientGone(error);
    write!(
        sink,
        "{{\"container\":{},\"logs\":\"",
        serde_json::Value::from(name)
    )
    .map_err(gone)?;
    let mut text = JsonText::new(&mut *sink);
    while output.pump(|_, data| text.write_all(data))? {}
    sink.write_all(b"\"}").map_err(gone)
}
