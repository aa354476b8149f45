//! The nginx in a container.
#![forbid(unsafe_code)]

use std::time::Instant;

use super::processes::Processes;
use super::{NginxError, Ran, Target, switches};
use crate::clock::Timestamp;
use crate::engine::containers::Inspect;
use crate::engine::exec::ExecCommand;
use crate::engine::{Engine, EngineError, LogQuery, Stream};
use crate::exec::{self, Output};
use crate::host::tool;
use crate::limits;

/// Exit codes of an exec whose program cannot be run, or is not there.
const CANNOT_RUN: std::ops::RangeInclusive<i64> = 126..=127;

/// A running container with nginx in it.
pub(super) struct Inside<'e> {
    engine: &'e Engine,
    id: String,
    name: String,
    has_terminal: bool,
    /// What it was started with and a test must be told too.
    switches: Vec<String>,
}

impl<'e> Inside<'e> {
    /// The container that was inspected.
    pub(super) fn new(engine: &'e Engine, inspect: Inspect) -> Self {
        Self {
            engine,
            name: inspect.name.trim_start_matches('/').to_owned(),
            switches: switches::of_start(
                &inspect.path,
                inspect.args.as_deref().unwrap_or_default(),
            ),
            has_terminal: inspect.config.is_some_and(|config| config.tty),
            id: inspect.id,
        }
    }

    /// What it is called.
    pub(super) fn target(&self) -> Target {
        Target::Container {
            name: self.name.clone(),
        }
    }

    /// Runs nginx in it with `arguments`. The engine cannot end a command: one that takes too long goes on.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Ran, NginxError> {
        let mut output = Output::default();
        let until = Instant::now() + limits::NGINX_COMMAND;
        let code = match self.exec(arguments, until, &mut output) {
            // Earlier it is the engine that does not answer.
            Err(EngineError::Timeout { .. }) if Instant::now() >= until => {
                return Err(NginxError::TooLong {
                    target: self.target(),
                    after: limits::NGINX_COMMAND,
                    words: tool::words_of(&output),
                });
            }
            other => other?,
        };
        if CANNOT_RUN.contains(&code) {
            return Err(NginxError::NotInside {
                target: self.target(),
                words: tool::words_of(&output),
            });
        }
        Ok(Ran { code, output })
    }

    fn exec(
        &self,
        arguments: &[&str],
        until: Instant,
        output: &mut Output,
    ) -> Result<i64, EngineError> {
        let switches = self.switches.iter().map(String::as_str);
        let words = std::iter::once("nginx").chain(switches);
        let command = ExecCommand {
            cmd: words
                .chain(arguments.iter().copied())
                .map(str::to_owned)
                .collect(),
            attach_stdout: true,
            attach_stderr: true,
            ..ExecCommand::default()
        };
        let id = self.engine.create_exec(&self.id, &command)?;
        let started = self.engine.start_exec(&id, limits::NGINX_COMMAND, None);
        let mut stream = match started {
            Ok(stream) => stream,
            Err(error) => return self.not_started(&id, error, output),
        };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            // Whoever writes without a pause never lets a read wait.
            if left.is_zero() {
                return Err(EngineError::Timeout {
                    call: "POST /exec/start".to_owned(),
                    after: limits::NGINX_COMMAND,
                });
            }
            stream.set_idle(left);
            if !stream.pump(|from, bytes| keep(output, from, bytes))? {
                return self.exit_code(&id);
            }
        }
    }

    /// Engines after 20.10 refuse to start a program that is not there, and note the exit code.
    fn not_started(
        &self,
        id: &str,
        error: EngineError,
        output: &mut Output,
    ) -> Result<i64, EngineError> {
        let code = match error.status() {
            Some(400 | 500) => self.engine.exec_state(id)?.exit_code,
            _ => None,
        };
        match code.filter(|code| *code != 0) {
            Some(code) => {
                output.take(
                    exec::Stream::Stderr,
                    error.words().unwrap_or_default().as_bytes(),
                );
                Ok(code)
            }
            None => Err(error),
        }
    }

    fn exit_code(&self, id: &str) -> Result<i64, EngineError> {
        let code = self.engine.exit_code(id)?;
        code.ok_or_else(|| EngineError::Nonsense {
            call: "GET /exec/json".to_owned(),
            problem: "the command has ended and has no exit code".to_owned(),
        })
    }

    /// Tells nginx to reload.
    pub(super) fn tell(&self) -> Result<(), NginxError> {
        let ran = self.run(&["-s", "reload"])?;
        if ran.code == 0 {
            return Ok(());
        }
        Err(NginxError::NotTold {
            target: self.target(),
            words: tool::words_of(&ran.output),
        })
    }

    /// nginx's processes in it.
    pub(super) fn processes(&self) -> Result<Processes, EngineError> {
        self.engine.processes(&self.id).map(Processes::among)
    }

    /// The last lines that it wrote to standard error since then, which is where images of nginx send its error log.
    /// Nothing when the engine cannot tell.
    pub(super) fn said_since(&self, since: Timestamp) -> String {
        let mut output = Output::default();
        // For details alone: the reload's failure is what is to be told.
        let _ = self.read_log(since, &mut output);
        tool::words_of(&output)
    }

    fn read_log(&self, since: Timestamp, output: &mut Output) -> Result<(), EngineError> {
        let wanted = LogQuery {
            tail: Some(limits::NGINX_LOG_LINES),
            since: Some(format!("{}.{:09}", since.seconds, since.nanoseconds)),
            until: None,
            timestamps: false,
            stdout: self.has_terminal,
            stderr: true,
            follow: false,
        };
        let mut log = self
            .engine
            .logs(&self.id, self.has_terminal, &wanted, None)?;
        while log.pump(|from, bytes| keep(output, from, bytes))? {}
        Ok(())
    }
}

/// Keeps what came.
#[expect(clippy::unnecessary_wraps, reason = "a pump asks whether to go on")]
fn keep(output: &mut Output, from: Stream, bytes: &[u8]) -> std::io::Result<()> {
    let stream = match from {
        Stream::Stdout => exec::Stream::Stdout,
        Stream::Stderr => exec::Stream::Stderr,
    };
    output.take(stream, bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;
    use crate::engine::scripted::{Scripted, is_ping, ping};

    /// Answers as an engine does, and has more to say of the command each time it was read.
    fn babbling() -> Scripted {
        Scripted::serve(|head, mut stream| {
            let json = |text: &str| {
                let length = text.len();
                format!("HTTP/1.1 201 Created\r\nContent-Length: {length}\r\n\r\n{text}")
                    .into_bytes()
            };
            let answer = if is_ping(head) {
                ping("1.41")
            } else if head.contains("/start ") {
                b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".to_vec()
            } else {
                json(r#"{"Id":"e"}"#)
            };
            // Until nobody reads any more.
            let mut more = stream.write_all(&answer);
            while more.is_ok() && head.contains("/start ") {
                more = stream.write_all(b"\x01\0\0\0\0\0\0\x01x");
            }
        })
    }

    #[test]
    fn output_without_an_end_has_one() {
        let scripted = babbling();
        let engine = scripted.engine();
        let inside = Inside::new(&engine, Inspect::default());
        let mut output = Output::default();
        let until = Instant::now() + Duration::from_millis(50);
        let ended = inside.exec(&["-t"], until, &mut output);
        assert!(
            matches!(ended, Err(EngineError::Timeout { .. })),
            "{ended:?}"
        );
        assert!(output.stdout.text().contains("xxx"));
    }
}
