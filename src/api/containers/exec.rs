//! `POST /containers/{n}/exec`: a command in a running container, with its output as an answer or as it comes.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::exec_output::Kept;
use super::pace::Pace;
use super::spec::{Pairs, Text, Words, read_command, read_environment};
use super::{about, container_name};
use crate::api::{ApiError, Context, Reply, Request, Sink, reply};
use crate::engine::exec::ExecCommand;
use crate::engine::{Engine, EngineError, Output, Stream};
use crate::limits;

/// The request's body.
#[derive(Debug, Deserialize)]
struct ExecBody {
    command: Words,
    #[serde(default)]
    env: Pairs,
    user: Option<Text>,
    workdir: Option<String>,
    timeout: Option<u64>,
}

#[derive(Serialize)]
struct Answer {
    exit_code: i64,
    output: String,
    stdout: String,
    stderr: String,
    truncated: bool,
}

/// Runs it. The engine cannot kill it: a command that outlives its time, or its client, goes on.
pub fn exec<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let name = container_name(request)?.to_owned();
    let streams = request.query()?.flag("stream")?;
    let parsed = request.json::<ExecBody>()?;
    let timeout = time_of(&parsed.value)?;
    let until = Instant::now() + timeout;
    let id = context
        .engine
        .create_exec(&name, &command_of(parsed.value)?)
        .map_err(|error| refused(&name, error))?;
    let started = context
        .engine
        .start_exec(&id, timeout, Some(request.client));
    let output = match started {
        Ok(output) => output,
        Err(error) => {
            let answer = not_started(&context.engine, &id, error)?;
            return answer.reply(streams, &parsed.warnings);
        }
    };
    if streams {
        return Ok(Reply::live(reply::TEXT, EXIT_CODE, move |sink| {
            stream(&context.engine, &id, output, until, timeout, sink)
        }));
    }
    let answer = collect(&context.engine, &id, output, until, timeout)?;
    Reply::json_warned(&answer, &parsed.warnings)
}

const EXIT_CODE: &str = "X-Exit-Code";

fn time_of(body: &ExecBody) -> Result<Duration, ApiError> {
    let seconds = body.timeout.unwrap_or(limits::EXEC_SECONDS);
    if (1..=limits::EXEC_MOST_SECONDS).contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    Err(ApiError::field(
        "timeout",
        &format!("must be from 1 to {} seconds", limits::EXEC_MOST_SECONDS),
    ))
}

fn command_of(body: ExecBody) -> Result<ExecCommand, ApiError> {
    let cmd = read_command(&body.command)?.unwrap_or_default();
    if cmd.first().is_none_or(String::is_empty) {
        return Err(ApiError::field("command", "must name a program"));
    }
    Ok(ExecCommand {
        cmd,
        env: read_environment("env", &body.env)?,
        user: body.user.map(|Text(user)| user).unwrap_or_default(),
        working_dir: body.workdir.unwrap_or_default(),
        attach_stdout: true,
        attach_stderr: true,
        tty: false,
    })
}

fn refused(name: &str, error: EngineError) -> ApiError {
    match error {
        EngineError::Answer {
            status: 409,
            message,
        } => ApiError::conflict(&format!("container `{name}` is not running, or paused"))
            .with_details(message),
        error => about(name)(error),
    }
}

impl Answer {
    fn reply<'a>(self, streams: bool, warnings: &[String]) -> Result<Reply<'a>, ApiError> {
        if !streams {
            return Reply::json_warned(&self, warnings);
        }
        Ok(Reply::live(reply::TEXT, EXIT_CODE, move |sink| {
            sink.write_all(self.output.as_bytes())
                .map_err(ApiError::ClientGone)?;
            sink.trailer(EXIT_CODE, self.exit_code.to_string());
            Ok(())
        }))
    }
}

/// A command that cannot run (no such program, user or directory): older engines print that into the stream, newer ones
/// refuse the start and note the exit code, with one status or the other. Both are answers, as with `docker exec`.
/// Without an exit code, or with 0, the refusal was about something else.
fn not_started(engine: &Engine, id: &str, error: EngineError) -> Result<Answer, ApiError> {
    let EngineError::Answer {
        status: 400 | 500,
        message,
    } = &error
    else {
        return Err(error.into());
    };
    let state = engine.exec_state(id)?;
    match state.exit_code.filter(|code| *code != 0) {
        Some(exit_code) => Ok(Answer {
            exit_code,
            output: message.clone(),
            stdout: message.clone(),
            stderr: String::new(),
            truncated: false,
        }),
        None => Err(error.into()),
    }
}

fn collect(
    engine: &Engine,
    id: &str,
    mut output: Output<'_>,
    until: Instant,
    timeout: Duration,
) -> Result<Answer, ApiError> {
    let mut kept = Kept::default();
    loop {
        let pumped = pump_until(&mut output, until, |stream, data| {
            kept.take(stream, data);
            Ok(())
        });
        match pumped {
            Ok(true) => {}
            Ok(false) => break,
            Err(EngineError::Timeout { .. }) => {
                return Err(too_slow(timeout, Some(kept.text(None))));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Answer {
        exit_code: exit_code(engine, id)?,
        output: kept.text(None),
        stdout: kept.text(Some(Stream::Stdout)),
        stderr: kept.text(Some(Stream::Stderr)),
        truncated: kept.is_truncated(),
    })
}

/// Reads once, waiting no longer than `until`.
fn pump_until(
    output: &mut Output<'_>,
    until: Instant,
    take: impl FnMut(Stream, &[u8]) -> std::io::Result<()>,
) -> Result<bool, EngineError> {
    let left = until.saturating_duration_since(Instant::now());
    output.set_idle(left);
    if left.is_zero() {
        return Err(EngineError::Timeout {
            call: "exec".to_owned(),
            after: left,
        });
    }
    output.pump(take)
}

fn too_slow(timeout: Duration, details: Option<String>) -> ApiError {
    let seconds = timeout.as_secs();
    let message = format!(
        "the command did not end within {seconds} s; it goes on running, because the engine cannot kill it"
    );
    ApiError::Timeout { message, details }
}

fn exit_code(engine: &Engine, id: &str) -> Result<i64, ApiError> {
    let code = engine.exit_code(id)?;
    code.ok_or_else(|| {
        ApiError::internal(
            "the engine does not tell the exit code",
            &"it is still null",
        )
    })
}

fn stream(
    engine: &Engine,
    id: &str,
    mut output: Output<'_>,
    until: Instant,
    timeout: Duration,
    sink: &mut dyn Sink,
) -> Result<(), ApiError> {
    let late = |error| match error {
        // The status has gone; what came is on its way and the log says why there is no more.
        EngineError::Timeout { .. } => too_slow(timeout, None),
        error => error.into(),
    };
    let mut pace = Pace::default();
    while pump_until(&mut output, until, |_, data| sink.write_all(data)).map_err(late)? {
        pace.flush(&mut output, sink)?;
    }
    sink.trailer(EXIT_CODE, exit_code(engine, id)?.to_string());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::scripted::Scripted;

    /// What engines after 20.10 do: the start is refused, and the exec remembers why.
    fn refused_start(status: u16, state: &str) -> Result<i64, u16> {
        let scripted = Scripted::answering_json(state);
        let message = "exec: \"nope\": executable file not found in $PATH".to_owned();
        let error = EngineError::Answer { status, message };
        match not_started(&scripted.engine(), "e1", error) {
            Ok(answer) => {
                assert!(answer.output.contains("nope") && answer.stdout == answer.output);
                Ok(answer.exit_code)
            }
            Err(error) => Err(error.status()),
        }
    }

    #[test]
    fn a_command_that_newer_engines_do_not_start_is_an_answer_with_its_exit_code() {
        let noted = r#"{"Running":false,"ExitCode":127}"#;
        assert_eq!(refused_start(400, noted), Ok(127));
        assert_eq!(refused_start(500, r#"{"ExitCode":126}"#), Ok(126));
    }

    #[test]
    fn a_refusal_without_an_exit_code_stays_one() {
        assert_eq!(refused_start(400, r#"{"ExitCode":null}"#), Err(400));
        assert_eq!(
            refused_start(500, r#"{"Running":false,"ExitCode":0}"#),
            Err(500)
        );
        assert_eq!(refused_start(409, r#"{"ExitCode":126}"#), Err(409));
    }
}
