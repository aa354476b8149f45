//! The agent itself, for Prometheus. What every process has is named as the client libraries name it.
#![forbid(unsafe_code)]

use std::io;

use super::super::exposition::{
    Exposition, Family,
    Kind::{Counter, Gauge, Histogram},
    Number::{Real, Whole},
};
use super::super::model::Agent;
use super::whole;
use crate::api::counters::{BOUNDS, Requests};

pub(super) fn write(agent: &Agent, out: &mut Exposition<'_>) -> io::Result<()> {
    let mut info = out.family(
        Gauge,
        "node_agent_build_info",
        "Always 1; tells the agent's version.",
    );
    info.sample(&[("version", agent.version)], Whole(1))?;
    process(agent, out)?;
    let workers = &agent.workers;
    out.single(
        Gauge,
        "node_agent_connections",
        "Open connections of clients.",
        Some(whole(agent.connections)),
    )?;
    out.single(
        Gauge,
        "node_agent_workers",
        "Threads that work for clients.",
        Some(whole(workers.total)),
    )?;
    out.single(
        Gauge,
        "node_agent_workers_busy",
        "Threads that are working for a client.",
        Some(whole(workers.busy)),
    )?;
    let open = agent.uploads.map(|uploads| whole(uploads.open));
    out.single(
        Gauge,
        "node_agent_uploads_open",
        "Resumable uploads that are not finished.",
        open,
    )?;
    requests(agent, out)
}

fn process(agent: &Agent, out: &mut Exposition<'_>) -> io::Result<()> {
    let bytes = agent.resident_bytes.map(Whole);
    out.single(
        Gauge,
        "process_resident_memory_bytes",
        "Memory of the agent.",
        bytes,
    )?;
    let seconds = agent.cpu_seconds.map(Real);
    out.single(
        Counter,
        "process_cpu_seconds_total",
        "Processor time of the agent.",
        seconds,
    )?;
    let start = agent.start_seconds.map(Real);
    out.single(
        Gauge,
        "process_start_time_seconds",
        "Start of the agent, in seconds since 1970.",
        start,
    )?;
    let descriptors = agent.open_descriptors.map(Whole);
    out.single(
        Gauge,
        "process_open_fds",
        "Open descriptors of the agent.",
        descriptors,
    )?;
    out.single(
        Gauge,
        "process_threads",
        "Threads of the agent.",
        agent.threads.map(Whole),
    )
}

fn requests(agent: &Agent, out: &mut Exposition<'_>) -> io::Result<()> {
    let name = "node_agent_http_requests_total";
    let mut family = out.family(
        Counter,
        name,
        "Requests that were answered, by endpoint and status.",
    );
    for request in &agent.requests {
        let status = request.status.to_string();
        let labels = [
            ("method", request.method),
            ("route", request.route),
            ("status", status.as_str()),
        ];
        family.sample(&labels, Whole(request.count))?;
    }
    let name = "node_agent_http_request_duration_seconds";
    let mut family = out.family(
        Histogram,
        name,
        "Time from a request's head to the end of its answer.",
    );
    for requests in &agent.counted {
        durations(requests, &mut family)?;
    }
    Ok(())
}

fn durations(requests: &Requests, family: &mut Family<'_, '_>) -> io::Result<()> {
    let (method, route) = (
        ("method", requests.endpoint.method),
        ("route", requests.endpoint.pattern),
    );
    let durations = &requests.durations;
    for (bound, count) in BOUNDS.iter().zip(durations.up_to) {
        let bound = bound.as_secs_f64().to_string();
        family.suffixed("_bucket", &[method, route, ("le", &bound)], Whole(count))?;
    }
    family.suffixed(
        "_bucket",
        &[method, route, ("le", "+Inf")],
        Whole(durations.count),
    )?;
    family.suffixed("_sum", &[method, route], Real(durations.sum.as_secs_f64()))?;
    family.suffixed("_count", &[method, route], Whole(durations.count))
}
