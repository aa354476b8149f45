//! `run`: the options of `docker run` as the JSON of `containers/run`.
#![forbid(unsafe_code)]

use std::path::Path as FilePath;

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::containers::made;
use super::failure::Failure;
use super::path::Path;
use super::session::{Session, set};
use crate::limits;

/// Options whose values are an array.
const LISTS: &[(&str, &str)] = &[
    ("publish", "ports"),
    ("volume", "volumes"),
    ("label", "labels"),
    ("cap-add", "cap_add"),
    ("cap-drop", "cap_drop"),
    ("tmpfs", "tmpfs"),
];
/// Options whose value is a text.
const TEXTS: &[(&str, &str)] = &[
    ("name", "name"),
    ("restart", "restart_policy"),
    ("pull", "pull"),
    ("user", "user"),
    ("workdir", "workdir"),
    ("hostname", "hostname"),
    ("memory", "memory"),
    ("cpus", "cpus"),
];
/// Options about the health check, beside its command; seconds, and a number.
const HEALTH: &[(&str, &str)] = &[
    ("health-interval", "interval"),
    ("health-timeout", "timeout"),
    ("health-retries", "retries"),
    ("health-start-period", "start_period"),
];

/// `POST /containers/run`.
pub(super) fn run(session: &mut Session) -> Result<u8, Failure> {
    let body = body(session)?;
    // It may have to pull the image first.
    session.wait_for(limits::CLIENT_LONG_SILENCE);
    let answer = session
        .client
        .post_json(&Path::new("/containers/run"), &body)?;
    session.show(answer, &made)
}

fn body(session: &Session) -> Result<Value, Failure> {
    let given = &session.arguments;
    let mut body = json!({ "image": given.word(0)? });
    for (option, field) in TEXTS {
        set(&mut body, field, given.value(option)?);
    }
    for (option, field) in LISTS {
        set(&mut body, field, given.values(option)?);
    }
    let networks = given.values("network")?;
    set(&mut body, "network", networks.first().copied());
    set(&mut body, "networks", networks.get(1..).unwrap_or_default());
    set(&mut body, "environment", environment(session)?);
    set(&mut body, "replace", given.flag("replace"));
    set(&mut body, "read_only", given.flag("read-only"));
    set(&mut body, "command", given.words_from(1)?);
    match given.value("entrypoint")? {
        Some("") => body["entrypoint"] = json!([]),
        entrypoint => set(&mut body, "entrypoint", entrypoint),
    }
    set(&mut body, "log_opts", log_options(given)?);
    set(&mut body, "health_check", health_check(given)?);
    Ok(body)
}

/// Those of the files first, as docker has it: an `--env` of the same name wins.
fn environment(session: &Session) -> Result<Vec<Value>, Failure> {
    let mut variables = Vec::new();
    for file in session.arguments.values("env-file")? {
        let read = std::fs::read_to_string(FilePath::new(file));
        let text = read.map_err(Failure::local(file))?;
        let lines = text.lines().map(str::trim_start);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        variables.extend(lines.map(|line| Value::from(session.variable(line))));
    }
    variables.extend(session.variables("env")?);
    Ok(variables)
}

fn log_options(given: &Arguments) -> Result<Value, Failure> {
    let mut options = Value::Null;
    for option in given.values("log-opt")? {
        let Some((name, value)) = option.split_once('=') else {
            return Err(Failure::Usage(format!(
                "--log-opt is NAME=VALUE, not {option:?}"
            )));
        };
        options[name] = value.into();
    }
    Ok(options)
}

fn health_check(given: &Arguments) -> Result<Value, Failure> {
    let mut check = Value::Null;
    if let Some(command) = given.value("health-cmd")? {
        check["test"] = command.into();
    }
    for (option, field) in HEALTH {
        if let Some(number) = given.value(option)? {
            // A trailing `s`, as docker wants it, is no harm.
            let number = number.strip_suffix('s').unwrap_or(number);
            let parsed: Value = serde_json::from_str(number).unwrap_or_default();
            if !parsed.is_number() {
                return Err(Failure::Usage(format!(
                    "--{option} is a number, not {number:?}"
                )));
            }
            check[*field] = parsed;
        }
    }
    Ok(check)
}
