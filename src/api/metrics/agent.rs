//! The section `agent`: what the agent did, and what it takes.
#![forbid(unsafe_code)]

use super::model::{Agent, Bucket, Durations, RequestCount, Uploads, Workers, hundredths};
use crate::api::Context;
use crate::api::counters::{BOUNDS, Histogram, Requests};
use crate::clock::Timestamp;
use crate::host::machine::{Machine, Process};

/// The agent's own figures. This very request is not counted yet.
pub(super) fn agent(context: &Context) -> Agent {
    // Its own process, whatever machine the figures are about.
    let machine = Machine::this();
    let process = machine.own_process().ok();
    let boot_time = machine.clock().ok().map(|clock| clock.boot_time);
    let start = |process: &Process| Some(whole(boot_time?) + process.started_after_boot);
    let start_seconds = process.as_ref().and_then(start);
    let uptime =
        |process: &Process| Some(machine.uptime().ok()?.as_secs_f64() - process.started_after_boot);
    let counters = &context.counters;
    let counted = counters.requests();
    Agent {
        version: env!("CARGO_PKG_VERSION"),
        started_at: start_seconds.map(in_words),
        uptime_seconds: process.as_ref().and_then(uptime).map(hundredths),
        resident_bytes: process.map(|process| process.resident_bytes),
        cpu_seconds: process.map(|process| process.cpu_seconds),
        threads: process.map(|process| process.threads),
        open_descriptors: process.map(|process| process.open_descriptors),
        connections: counters.connections.get(),
        workers: Workers {
            total: counters.workers.get(),
            busy: counters.busy_workers.get(),
        },
        uploads: context.uploads.counts().ok().map(|counts| Uploads {
            open: counts.open,
            finished: counts.finished,
        }),
        requests: counted.iter().flat_map(by_status).collect(),
        durations: all_durations(&counted),
        counted,
        start_seconds,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact for longer than there are machines"
)]
fn whole(seconds: u64) -> f64 {
    seconds as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a time of the machine's own clock"
)]
fn in_words(seconds: f64) -> String {
    Timestamp::from_seconds(seconds as i64).to_string()
}

fn by_status(requests: &Requests) -> impl Iterator<Item = RequestCount> {
    requests
        .by_status
        .iter()
        .map(|(status, count)| RequestCount {
            method: requests.endpoint.method,
            route: requests.endpoint.pattern,
            status: *status,
            count: *count,
        })
}

fn all_durations(counted: &[Requests]) -> Durations {
    let none = Histogram::default();
    let all = counted
        .iter()
        .fold(none, |sum, one| sum.plus(&one.durations));
    let buckets = BOUNDS.iter().zip(all.up_to).map(|(bound, count)| Bucket {
        up_to_seconds: bound.as_secs_f64(),
        count,
    });
    Durations {
        buckets: buckets.collect(),
        count: all.count,
        sum_seconds: all.sum.as_secs_f64(),
    }
}
