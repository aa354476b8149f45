//! `ping`, `ps`, `logs`, and what is done with containers that are there.
#![forbid(unsafe_code)]

use std::io;

use serde_json::Value;

use super::failure::{Failure, REFUSED};
use super::http::Payload;
use super::path::Path;
use super::session::{Session, parsed, print, tell, text, warn};
use super::table::{short, table};
use crate::limits;

/// `GET /ping`. 0 as long as the agent can work, also without its engine.
pub(super) fn ping(session: &mut Session) -> Result<u8, Failure> {
    let answer = session
        .client
        .any("GET", &Path::new("/ping"), &[], Payload::None)?;
    let status = answer.status;
    if status != 200 && status != 503 {
        return Err(Failure::Refused(answer.refusal()?));
    }
    session.show(answer, &|value| {
        let engine = match value["docker"].as_bool() {
            Some(true) => "its engine answers",
            _ => "its engine does not answer",
        };
        format!(
            "{}: version {}, {engine}\n",
            text(value, "status"),
            text(value, "version")
        )
    })?;
    Ok(if status == 200 { 0 } else { REFUSED })
}

/// `GET /containers`.
pub(super) fn list(session: &mut Session) -> Result<u8, Failure> {
    let answer = session.client.get(&Path::new("/containers"))?;
    session.show(answer, &|value| {
        let containers = value["containers"].as_array();
        let rows: Vec<_> = containers.into_iter().flatten().map(row).collect();
        table(&["NAME", "IMAGE", "STATUS", "PORTS", "ID"], &rows)
    })
}

fn row(container: &Value) -> Vec<String> {
    let ports = container["Ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(port);
    vec![
        text(container, "Names").trim_start_matches('/').to_owned(),
        text(container, "Image").to_owned(),
        text(container, "Status").to_owned(),
        ports.collect::<Vec<_>>().join(", "),
        short(text(container, "ID")),
    ]
}

/// As `docker ps` has it; an agent may give texts or the engine's own objects.
fn port(port: &Value) -> String {
    if let Some(text) = port.as_str() {
        return text.to_owned();
    }
    let inner = format!("{}/{}", port["PrivatePort"], text(port, "Type"));
    match (port["PublicPort"].as_u64(), text(port, "IP")) {
        (None, _) => inner,
        (Some(outer), address) if address.contains(':') => format!("[{address}]:{outer}->{inner}"),
        (Some(outer), address) => format!("{address}:{outer}->{inner}"),
    }
}

/// `GET /containers/<n>/logs`.
pub(super) fn logs(session: &mut Session) -> Result<u8, Failure> {
    let given = &session.arguments;
    let follows = given.flag("follow");
    if follows && session.is_json {
        return Err(Failure::Usage(
            "--follow has no JSON: the lines come as they are".to_owned(),
        ));
    }
    let mut path = Path::container(given.word(0)?, "logs")
        .with_flag("follow", follows)
        .with_flag("timestamps", given.flag("timestamps"));
    for name in ["tail", "since", "until"] {
        path = path.with_some(name, given.value(name)?);
    }
    session.wait_for(limits::CLIENT_LONG_SILENCE);
    if session.is_json {
        return session.show(session.client.get(&path)?, &Value::to_string);
    }
    let headers = [("Accept", "text/plain")];
    let answer = session.client.send("GET", &path, &headers, Payload::None)?;
    answer.copy_to(&mut io::stdout()).map(|()| 0)
}

/// `POST /containers/<n>/stop`.
pub(super) fn stop(session: &mut Session) -> Result<u8, Failure> {
    session
        .arguments
        .number("time", 0, limits::STOP_MOST_SECONDS)?;
    each(session, "stop")
}

/// `POST /containers/<n>/start`.
pub(super) fn start(session: &mut Session) -> Result<u8, Failure> {
    each(session, "start")
}

/// `POST /containers/<n>/restart`.
pub(super) fn restart(session: &mut Session) -> Result<u8, Failure> {
    session
        .arguments
        .number("time", 0, limits::STOP_MOST_SECONDS)?;
    each(session, "restart")
}

/// `POST /containers/<n>/remove`.
pub(super) fn remove(session: &mut Session) -> Result<u8, Failure> {
    each(session, "remove")
}

/// Does it with each container, also when it failed with one. The names of those with which it did not are printed, as
/// docker does it.
fn each(session: &mut Session, what: &str) -> Result<u8, Failure> {
    session.wait_for(limits::CLIENT_LONG_SILENCE);
    let given = &session.arguments;
    let mut code = 0;
    for name in given.words_from(0)? {
        let path = Path::container(name, what)
            .with_some("timeout", given.value("time")?)
            .with_flag("force", given.flag("force"))
            .with_flag("volumes", given.flag("volumes"));
        match session.client.post(&path) {
            Ok(answer) => {
                session.show(answer, &|value| outcome(name, value))?;
            }
            Err(Failure::Refused(refusal)) if given.count() > 1 => {
                if session.is_json {
                    print(&format!("{}\n", refusal.body.trim_end()))?;
                }
                tell(&format!("node-agent: {name}: {}", refusal.message()));
                code = REFUSED;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(code)
}

fn outcome(name: &str, value: &Value) -> String {
    if value["changed"] == Value::Bool(false) {
        return format!("{name} (already {})\n", text(value, "status"));
    }
    format!("{name}\n")
}

/// What a container that was made is called.
pub(super) fn made(value: &Value) -> String {
    format!("{} {}\n", text(value, "name"), short(text(value, "id")))
}

/// Hands on the lines of a long answer until the last one, which it gives. One that is an error is a refusal.
pub(super) fn last_line(
    answer: super::http::Answer<'_>,
    take: &mut dyn FnMut(&Value) -> Result<(), Failure>,
) -> Result<Value, Failure> {
    let mut last = Value::Null;
    answer.each_line(|line| {
        let value = parsed(line)?;
        take(&value)?;
        last = value;
        Ok(())
    })?;
    if last["error"].is_string() {
        return Err(Failure::Refused(super::failure::Refusal {
            status: 400,
            body: last.to_string(),
            retry_after: None,
        }));
    }
    if last["status"].is_null() {
        let why = "the answer broke off before its end".to_owned();
        return Err(Failure::Unreachable(why));
    }
    warn(&last);
    Ok(last)
}
