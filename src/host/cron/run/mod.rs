//! `node-agent cron-run ID`: runs a job's container to its end, in a process of its own that needs no agent.
//!
//! The container is one that removes itself (`--rm`), so that nothing is left when this process is killed. What it prints
//! goes to the system's log; how it ended, into the job's record.
#![forbid(unsafe_code)]

mod container;
mod stop;
mod watch;

pub use stop::Stop;

use std::time::Instant;

use super::record::LastRun;
use super::{CronError, Job, JobStore, RunRight};
use crate::clock::Timestamp;
use crate::engine::{Engine, EngineError};
use crate::host::journal::{Journal, Severity};
use crate::limits;
use crate::store::logins::Logins;

/// The exit code of a run that did not come to its container, as with `docker run`.
const NOT_RUN: u8 = 125;
/// The exit code of a run that was left out because the one before goes on: EX_TEMPFAIL of sysexits.h.
const STILL_RUNNING: u8 = 75;

/// What a run works with.
#[derive(Debug)]
pub struct Means<'m> {
    /// The engine.
    pub engine: &'m Engine,
    /// Saved registry logins.
    pub logins: &'m Logins,
    /// The jobs.
    pub store: &'m JobStore,
    /// Where it learns that it is to end.
    pub stop: &'m Stop,
}

/// A run that goes on.
struct Run<'r> {
    engine: &'r Engine,
    logins: &'r Logins,
    stop: &'r Stop,
    right: &'r RunRight,
    begun: Timestamp,
}

/// Why there is no exit code of the container's.
struct Failure(String);

impl Failure {
    fn said(sentence: String) -> Self {
        Self(sentence)
    }

    fn stopped() -> Self {
        Self("it was stopped by a signal before its container ran".to_owned())
    }

    fn engine(what: &str, error: &EngineError) -> Self {
        // An answer's own words say enough; of a failed connection it also counts where to.
        match (error.words(), error.details()) {
            (Some(words), _) => Self(format!("{what}: {words}")),
            (None, Some(details)) => Self(format!("{what}: {error}: {details}")),
            (None, None) => Self(format!("{what}: {error}")),
        }
    }
}

/// Runs the job `id`; the exit code for the process. What cannot be run is told in the journal, too.
pub fn run(id: &super::JobId, means: &Means<'_>, journal: &mut Journal) -> Result<u8, CronError> {
    let begun = means.store.begin(id);
    let begun = begun.inspect_err(|error| journal.line(Severity::Error, &error.to_string()))?;
    let Some(right) = begun else {
        return Ok(left_out(journal));
    };
    let run = Run {
        engine: means.engine,
        logins: means.logins,
        stop: means.stop,
        right: &right,
        begun: Timestamp::now(),
    };
    run.wait_for_engine();
    if let Ok(Some(container)) = run.stray() {
        journal.line(
            Severity::Warning,
            &format!("its container {container} was left by a run that was killed"),
        );
        note(means.store.skip(&right), journal);
        return Ok(left_out(journal));
    }
    note(means.store.note_begin(&right), journal);
    let since = Instant::now();
    let ended = run.to_the_end(journal);
    let last = LastRun {
        begun: run.begun.to_string(),
        exit_code: Some(ended.as_ref().map_or(NOT_RUN, |end| end.code)),
        milliseconds: u64::try_from(since.elapsed().as_millis()).ok(),
        error: match &ended {
            Ok(end) => end.remark.clone(),
            Err(Failure(sentence)) => Some(sentence.clone()),
        },
    };
    tell_end(&last, journal);
    let code = last.exit_code.unwrap_or(NOT_RUN);
    note(means.store.note_end(&right, last), journal);
    Ok(code)
}

/// Removes what a killed run of the job `id`, which was removed, may have left.
pub fn sweep(engine: &Engine, id: &super::JobId) -> Result<(), EngineError> {
    container::sweep(engine, id)
}

fn left_out(journal: &mut Journal) -> u8 {
    journal.line(
        Severity::Warning,
        "not started: the run before is still running",
    );
    STILL_RUNNING
}

fn tell_end(last: &LastRun, journal: &mut Journal) {
    let seconds =
        std::time::Duration::from_millis(last.milliseconds.unwrap_or_default()).as_secs_f64();
    let code = last.exit_code.unwrap_or(NOT_RUN);
    let severity = if code == 0 {
        Severity::Info
    } else {
        Severity::Error
    };
    match &last.error {
        Some(error) => journal.line(
            severity,
            &format!("exit code {code} after {seconds:.1} s: {error}"),
        ),
        None => journal.line(severity, &format!("exit code {code} after {seconds:.1} s")),
    }
}

/// The run counts, not what is noted about it: a full disk must not keep a job from running.
fn note(noted: Result<(), CronError>, journal: &mut Journal) {
    if let Err(error) = noted {
        journal.line(
            Severity::Error,
            &format!("the run could not be recorded: {error}"),
        );
    }
}

impl Run<'_> {
    fn job(&self) -> &Job {
        &self.right.known.job
    }

    /// At boot cron and the engine are started at the same time.
    fn wait_for_engine(&self) {
        if !self.right.known.schedule.is_at_boot() {
            return;
        }
        let until = Instant::now() + limits::CRON_BOOT_WAIT;
        while Instant::now() < until && !self.stop.is_asked() && !self.engine.answers() {
            self.stop.sleep(limits::CRON_ENGINE_LOOK);
        }
    }
}
