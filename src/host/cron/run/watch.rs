//! A started container, watched to its end.
#![forbid(unsafe_code)]

use std::time::Instant;

use super::container::Container;
use super::{Failure, Run};
use crate::engine::{EngineError, Exit, Output, Stream};
use crate::host::journal::{Journal, Lines, Severity};
use crate::limits;

/// How a container ended.
pub(super) struct End {
    /// Its exit code.
    pub(super) code: u8,
    /// What else is to be known.
    pub(super) remark: Option<String>,
}

impl Run<'_> {
    /// Runs the container to its end. It is removed whatever happens.
    pub(super) fn to_the_end(&self, journal: &mut Journal) -> Result<End, Failure> {
        let container = self.make()?;
        if self.stop.is_asked() {
            return Err(Failure::stopped());
        }
        let id = &container.id;
        // Both before the start: a container can have ended before a later call arrives.
        let output = self.engine.attach(id, limits::CRON_RUN, None);
        let output = output
            .map_err(|error| Failure::engine("the container's output cannot be read", &error))?;
        let exit = self.engine.wait_removed(id, limits::CRON_RUN);
        let exit =
            exit.map_err(|error| Failure::engine("the container's end cannot be seen", &error))?;
        self.stop.covers(id);
        self.engine
            .start(id)
            .map_err(|error| Failure::engine("the container could not be started", &error))?;
        let until = Instant::now() + limits::CRON_RUN;
        self.stop.catch_up();
        journal.line(
            Severity::Info,
            &format!(
                "container {id} of image {} started",
                self.job().container.image
            ),
        );
        let ended = copy(
            output,
            &mut |severity, line| journal.line(severity, line),
            until,
        )
        .and_then(|()| exit.wait());
        let code = match ended {
            Ok(code) => code,
            Err(error) => self.find_again(&container, &error, journal, until)?,
        };
        Ok(End {
            code: exit_code(code),
            remark: self
                .stop
                .is_asked()
                .then(|| "it was stopped by a signal".to_owned()),
        })
    }

    /// The connection to the engine broke, or a week has passed. An engine that comes back may still have the container
    /// running (live restore), or know how it ended.
    fn find_again(
        &self,
        container: &Container<'_>,
        lost: &EngineError,
        journal: &mut Journal,
        end: Instant,
    ) -> Result<i64, Failure> {
        if matches!(lost, EngineError::Timeout { .. }) {
            return Err(Failure::engine("it ran for too long and was stopped", lost));
        }
        journal.line(Severity::Warning, &format!("the engine went away: {lost}"));
        let until = Instant::now() + limits::CRON_ENGINE_RETURN;
        loop {
            match self.engine.inspect(&container.id) {
                Ok(inspected) if inspected.state.running => {
                    let output = self.engine.attach(&container.id, limits::CRON_RUN, None);
                    let exit = self.engine.wait_removed(&container.id, limits::CRON_RUN);
                    if let Ok(code) = again(output, exit, journal, end) {
                        return Ok(code);
                    }
                }
                Ok(inspected) => return Ok(inspected.state.exit_code),
                Err(error) if error.status() == Some(404) => {
                    return Err(Failure::said(
                        "the engine went away while it ran, and its container with it".to_owned(),
                    ));
                }
                Err(_) => {}
            }
            if Instant::now() >= until || self.stop.is_asked() {
                return Err(Failure::engine("the engine went away while it ran", lost));
            }
            self.stop.sleep(limits::CRON_ENGINE_LOOK);
        }
    }
}

fn again(
    output: Result<Output<'_>, EngineError>,
    exit: Result<Exit<'_>, EngineError>,
    journal: &mut Journal,
    until: Instant,
) -> Result<i64, EngineError> {
    let exit = exit?;
    copy(
        output?,
        &mut |severity, line| journal.line(severity, line),
        until,
    )?;
    exit.wait()
}

/// Copies what the container prints into the journal, until it has ended. One that is still printing at `until` has run
/// for too long.
fn copy(
    mut output: Output<'_>,
    journal: &mut dyn FnMut(Severity, &str),
    until: Instant,
) -> Result<(), EngineError> {
    let (mut stdout, mut stderr) = (Lines::default(), Lines::default());
    let result = loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break Err(EngineError::Timeout {
                call: "for the end of the container".to_owned(),
                after: limits::CRON_RUN,
            });
        }
        output.set_idle(left);
        let pumped = output.pump(|stream, bytes| {
            let (lines, severity) = match stream {
                Stream::Stderr => (&mut stderr, Severity::Warning),
                Stream::Stdout => (&mut stdout, Severity::Info),
            };
            lines.feed(bytes, &mut |line| journal(severity, line));
            Ok(())
        });
        match pumped {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    stdout.end(&mut |line| journal(Severity::Info, line));
    stderr.end(&mut |line| journal(Severity::Warning, line));
    result
}

/// The engine's code is a process's, 0 to 255.
fn exit_code(code: i64) -> u8 {
    u8::try_from(code).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;
    use crate::engine::scripted::{Scripted, is_ping, ping};

    #[test]
    fn a_job_that_always_prints_has_an_end() {
        let scripted = Scripted::serve(|head, mut stream| {
            let upgraded =
                b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".to_vec();
            let answer = if is_ping(head) {
                ping("1.41")
            } else {
                upgraded
            };
            // Until nobody reads any more.
            let mut more = stream.write_all(&answer);
            while more.is_ok() && head.contains("/attach") {
                more = stream.write_all(b"\x01\0\0\0\0\0\0\x01\n");
            }
        });
        let engine = scripted.engine();
        let output = engine.attach("a", limits::CRON_RUN, None).unwrap();
        let until = Instant::now() + Duration::from_millis(50);
        let ended = copy(output, &mut |_, _| {}, until);
        assert!(
            matches!(ended, Err(EngineError::Timeout { .. })),
            "{ended:?}"
        );
    }
}
