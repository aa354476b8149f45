//! `GET /metrics`: the machine, the containers and the agent itself in figures, as JSON or for Prometheus. Everything is
//! read when it is asked for; between two requests nothing runs, only the last samples are kept.
#![forbid(unsafe_code)]

mod agent;
mod exposition;
mod model;
mod processor;
mod prometheus;
mod roster;
mod samples;
mod survey;
mod system;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::{ApiError, Context, Reply, Request, reply};
use crate::clock::Timestamp;
use crate::engine::Bulk;
use crate::host::machine::Machine;
use crate::limits;
use model::Report;
use roster::Roster;
use samples::Samples;

/// Version 0.0.4 of the text format, which every version of Prometheus reads.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is kept from one request to the next.
#[derive(Debug)]
pub struct Metrics {
    machine: Machine,
    samples: Samples,
    roster: Roster,
    /// Requests that are being answered.
    asking: AtomicUsize,
}

impl Metrics {
    /// Nothing so far.
    pub fn new(machine: Machine) -> Self {
        Self {
            machine,
            samples: Samples::default(),
            roster: Roster::default(),
            asking: AtomicUsize::new(0),
        }
    }
}

/// Takes the figures and writes them in the format that was asked for.
pub fn metrics<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let is_text = wants_text(request)?;
    let report = report(context);
    if is_text {
        return Ok(Reply::stream(PROMETHEUS_TEXT, move |sink| {
            prometheus::write(&report, sink).map_err(ApiError::ClientGone)
        }));
    }
    Ok(Reply::stream(reply::JSON, move |sink| {
        serde_json::to_writer(sink, &report).map_err(|error| ApiError::ClientGone(error.into()))
    }))
}

/// `format` decides, else `Accept`. Scrapers name `text/plain` beside the newer formats; browsers' libraries name it
/// beside `application/json`, which they want more.
fn wants_text(request: &Request<'_>) -> Result<bool, ApiError> {
    match request.query()?.text("format") {
        Some("prometheus") => Ok(true),
        Some("json") => Ok(false),
        Some(_) => Err(ApiError::parameter(
            "format",
            "must be `json` or `prometheus`",
        )),
        None => Ok(["text/plain", "application/openmetrics-text"]
            .iter()
            .any(|text| request.accepts_explicitly(text))
            && !request.accepts_explicitly(reply::JSON)),
    }
}

fn report(context: &Context) -> Report {
    let _asking = Asking::begin(&context.metrics.asking);
    let at_once = calls_for_each(context.metrics.asking.load(Relaxed));
    let bulk = Bulk::new(at_once, limits::METRICS_ENGINE);
    let mut survey = survey::survey(context, bulk);
    let use_of_machine = processor::measure(&context.metrics, &mut survey);
    let system = system::system(&context.metrics.machine, use_of_machine);
    let memory = system.memory.as_ref().map(|memory| memory.total_bytes);
    let containers = survey.subjects.into_iter();
    let containers = containers.map(|subject| subject.container.limited_by(memory));
    Report {
        timestamp: Timestamp::now().with_milliseconds().to_string(),
        containers: containers.collect(),
        containers_error: survey.error,
        system,
        agent: agent::agent(context),
    }
}

/// The connections to the engine that one of so many requests may have.
fn calls_for_each(requests: usize) -> usize {
    (limits::METRICS_CALLS / requests.max(1)).clamp(1, limits::METRICS_CALLS_EACH)
}

/// Counts a request while it lives.
struct Asking<'m>(&'m AtomicUsize);

impl<'m> Asking<'m> {
    fn begin(asking: &'m AtomicUsize) -> Self {
        asking.fetch_add(1, Relaxed);
        Self(asking)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
