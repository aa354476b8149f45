//! `GET /cron/jobs`: all jobs, with what is known of their runs.
#![forbid(unsafe_code)]

use serde::Serialize;

use crate::api::{ApiError, Context, Reply, Request};
use crate::clock::Timestamp;
use crate::host::cron::Listed;
use crate::host::zone::Zone;

#[derive(Serialize)]
struct Jobs {
    jobs: Vec<Shown>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    schedule: String,
    command: String,
    image: String,
    created: String,
    /// `None`: when the machine is started.
    next_run: Option<String>,
    running: bool,
    /// When the run that goes on began.
    #[serde(skip_serializing_if = "Option::is_none")]
    running_since: Option<String>,
    last_run: Option<String>,
    last_exit_code: Option<u8>,
    /// Seconds.
    last_duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// When a run was left out because the one before still went on.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_skipped: Option<String>,
}

#[derive(Serialize)]
struct Problem {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    problem: String,
}

/// Lists the jobs.
pub fn jobs<'a>(context: &'a Context, _request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let listing = context.cron.list()?;
    let (now, zone) = (Timestamp::now().seconds, Zone::local());
    let damaged = listing.damaged.into_iter().map(|(id, problem)| Problem {
        problem: format!("the file of job `{id}` is damaged, so the job does not run: {problem}"),
        id: Some(id.to_string()),
    });
    let general = listing
        .problems
        .into_iter()
        .map(|problem| Problem { id: None, problem });
    Reply::json(&Jobs {
        problems: damaged.chain(general).collect(),
        jobs: listing
            .jobs
            .into_iter()
            .map(|job| show(job, now, &zone))
            .collect(),
    })
}

fn show(listed: Listed, now: i64, zone: &Zone) -> Shown {
    let (job, record) = (listed.known.job, listed.record);
    let next = listed.known.schedule.next_after(now, zone);
    let last = record.last.unwrap_or_default();
    let seconds = |milliseconds: u64| std::time::Duration::from_millis(milliseconds).as_secs_f64();
    Shown {
        id: job.id.to_string(),
        schedule: job.schedule,
        command: job.command,
        image: job.container.image,
        created: job.created,
        next_run: next.map(|seconds| Timestamp::from_seconds(seconds).to_string()),
        running: listed.is_running,
        running_since: record.begun,
        last_run: Some(last.begun).filter(|begun| !begun.is_empty()),
        last_exit_code: last.exit_code,
        last_duration: last.milliseconds.map(seconds),
        last_error: last.error,
        last_skipped: record.skipped,
    }
}
