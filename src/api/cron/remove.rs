//! `POST /cron/remove`: a job goes.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use crate::api::{ApiError, Context, Reply, Request};
use crate::host::cron::{JobId, run};

/// Characters of what cannot be an id that the error repeats.
const TOLD_CHARS: usize = 60;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Body {
    job_id: String,
}

#[derive(Serialize)]
struct Gone {
    id: String,
    job_id: String,
    status: &'static str,
    /// Whether a run of it goes on, to its own end.
    running: bool,
}

/// Removes a job. A run that goes on is let go on; its container is removed at its end as always.
pub fn remove<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<Body>()?;
    let given = parsed.value.job_id;
    let Some(id) = JobId::parse(&given) else {
        let told: String = given.chars().take(TOLD_CHARS).collect();
        return Err(ApiError::NotFound(format!("there is no cron job {told:?}")));
    };
    let removed = context.cron.remove(&id)?;
    log::info!("cron job {id} removed");
    let mut warnings = parsed.warnings;
    if let Some(problem) = removed.problem {
        log::warn!("the crontab still has the line of job {id}: {problem}");
        warnings.push(format!(
            "the crontab still has the job's line, which does nothing any more: {problem}"
        ));
    }
    if !removed.is_running
        && let Err(error) = run::sweep(&context.engine, &id)
    {
        log::debug!("containers of job {id} could not be looked for: {error}");
    }
    Reply::json_warned(
        &Gone {
            id: given.clone(),
            job_id: given,
            status: "removed",
            running: removed.is_running,
        },
        &warnings,
    )
}
