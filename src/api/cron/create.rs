//! `POST /cron/run-docker`: a new job.
#![forbid(unsafe_code)]

use serde::Serialize;
use serde_json::{Value, json};

use super::shown::docker_run;
use crate::api::containers::spec::{CreatePlan, JobBody, PullPolicy, translate};
use crate::api::image_reference::{ImageReference, is_image_id};
use crate::api::{ApiError, Context, Reply, Request};
use crate::clock::Timestamp;
use crate::host::cron::schedule::Schedule;
use crate::host::cron::{Job, JobContainer, JobId, LABEL, Pull};
use crate::host::zone::Zone;

#[derive(Serialize)]
struct Scheduled {
    id: String,
    job_id: String,
    status: &'static str,
    schedule: String,
    command: String,
    image: String,
    created: String,
    next_run: Option<String>,
}

/// Makes a job, which cron runs from the next time on that its schedule says.
pub fn run_docker<'a>(
    context: &'a Context,
    request: &mut Request<'a>,
) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<JobBody>()?;
    let schedule = Schedule::parse(&parsed.value.schedule)
        .map_err(|error| ApiError::field("schedule", &error.to_string()))?;
    let image = parsed.value.image.clone();
    let plan = translate(&parsed.value.container())?;
    let now = Timestamp::now();
    let job = job(&schedule, &image, &plan, now)?;
    let mut warnings = parsed.warnings;
    warnings.extend(context.cron.add(&job)?);
    warnings.extend(missing(context, &plan));
    log::info!("cron job {} added: {} {}", job.id, job.schedule, plan.image);
    let next = schedule.next_after(now.seconds, &Zone::local());
    Reply::created(
        &Scheduled {
            id: job.id.to_string(),
            job_id: job.id.to_string(),
            status: "scheduled",
            schedule: job.schedule,
            command: job.command,
            image: plan.image,
            created: job.created,
            next_run: next.map(|seconds| Timestamp::from_seconds(seconds).to_string()),
        },
        &warnings,
    )
}

fn job(
    schedule: &Schedule,
    image: &str,
    plan: &CreatePlan,
    now: Timestamp,
) -> Result<Job, ApiError> {
    let id = JobId::random().map_err(|error| ApiError::internal("no id for the job", &error))?;
    let registry = ImageReference::parse(&plan.image)
        .ok()
        .and_then(|image| image.domain);
    let container = JobContainer {
        pull: match plan.pull {
            // An id is nothing that a registry knows.
            _ if is_image_id(&plan.image) => Pull::Never,
            PullPolicy::Missing => Pull::Missing,
            PullPolicy::Always => Pull::Always,
            PullPolicy::Never => Pull::Never,
        },
        registry,
        create: removing_itself(&plan.create, &id),
        image: plan.image.clone(),
        further_networks: plan.further_networks.clone(),
    };
    Ok(Job {
        id,
        schedule: schedule.text().to_owned(),
        created: now.to_string(),
        command: docker_run(image, plan),
        container,
    })
}

/// `--rm`, the label that runs are found by, and an end to what the engine keeps of its output, which is in the system's
/// log.
fn removing_itself(create: &Value, id: &JobId) -> Value {
    let mut create = create.clone();
    create["Labels"] = json!({ LABEL: id.as_str() });
    create["HostConfig"]["AutoRemove"] = json!(true);
    create["HostConfig"]["LogConfig"] =
        json!({ "Type": "json-file", "Config": { "max-size": "10m", "max-file": "3" } });
    create
}

/// What the job would fail for if it ran now. An engine that cannot be asked leaves the question open.
fn missing(context: &Context, plan: &CreatePlan) -> Vec<String> {
    let engine = &context.engine;
    let first = plan.create["HostConfig"]["NetworkMode"].as_str();
    let further = plan.further_networks.iter().map(String::as_str);
    let networks = first.into_iter().chain(further);
    let networks = networks.filter(|network| !network.starts_with("container:"));
    let mut warnings: Vec<String> = networks
        .filter(|network| matches!(engine.has_network(network), Ok(false)))
        .map(|network| format!("there is no network `{network}` yet; without it the job fails"))
        .collect();
    if matches!(engine.has_image(&plan.image), Ok(false)) {
        let image = &plan.image;
        warnings.push(match plan.pull {
            PullPolicy::Never => {
                format!("there is no image `{image}` yet; without it the job fails")
            }
            _ => format!("image `{image}` is not here; it is pulled when the job runs"),
        });
    }
    warnings
}
