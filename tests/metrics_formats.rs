//! `GET /metrics`: both formats tell the same, and what counts things that end falls again when they have ended.

use serde_json::{Value, json};

use crate::support::agent::KEY;
use crate::support::figures::{are_close, metrics};
use crate::support::{Agent, Client, eventually};

/// The one sample of `name` with these labels in the text for Prometheus.
fn sample(text: &str, name: &str) -> f64 {
    let start = format!("{name} ");
    let mut found = text.lines().filter_map(|line| line.strip_prefix(&start));
    let number = found.next().unwrap_or_else(|| panic!("no {name}: {text}"));
    assert_eq!(found.next(), None, "{name}");
    number.parse().unwrap()
}

fn figure(metrics: &Value, pointer: &str) -> f64 {
    let figure = metrics.pointer(pointer).and_then(Value::as_f64);
    figure.unwrap_or_else(|| panic!("no {pointer} in {metrics:#}"))
}

/// Those that only grow, or stay: what Prometheus is told lies between what JSON told before and after.
const GROWING: &[(&str, &str)] = &[
    ("node_agent_system_uptime_seconds", "/system/uptime_seconds"),
    ("node_agent_system_cpu_cores", "/system/cpu/cores"),
    (
        "node_agent_system_memory_bytes",
        "/system/memory/total_bytes",
    ),
    (
        "node_agent_system_swap_bytes",
        "/system/memory/swap_total_bytes",
    ),
    ("process_cpu_seconds_total", "/agent/cpu_seconds"),
    ("node_agent_connections", "/agent/connections"),
    ("node_agent_workers", "/agent/workers/total"),
    ("node_agent_workers_busy", "/agent/workers/busy"),
    ("node_agent_uploads_open", "/agent/uploads/open"),
];

/// Those that go up and down at any time, and by how much they may meanwhile.
const CHANGING: &[(&str, &str, f64)] = &[
    ("node_agent_system_load1", "/system/cpu/load1", 2.0),
    ("node_agent_system_load15", "/system/cpu/load15", 0.5),
    (
        "node_agent_system_memory_available_bytes",
        "/system/memory/available_bytes",
        3e8,
    ),
    (
        "node_agent_system_memory_used_bytes",
        "/system/memory/used_bytes",
        3e8,
    ),
    (
        "process_resident_memory_bytes",
        "/agent/resident_bytes",
        3e6,
    ),
    ("process_open_fds", "/agent/open_descriptors", 4.0),
    ("process_threads", "/agent/threads", 2.0),
];

#[test]
fn prometheus_is_told_the_figures_of_the_json() {
    let agent = Agent::start();
    let mut client = agent.connect();
    let mut ask = |query: &str| {
        let path = format!("/metrics{query}");
        let answer = client.request("GET", &path, &[("X-API-Key", KEY)], b"");
        answer.expect(200)
    };
    ask("");
    let before = ask("").json();
    let answer = ask("?format=prometheus");
    let text = answer.text();
    let after = ask("").json();
    for (name, pointer) in GROWING {
        let told = sample(&text, name);
        let (least, most) = (figure(&before, pointer), figure(&after, pointer));
        // The JSON has two or three digits behind the point.
        assert!(
            told >= least - 0.01 && told <= most + 0.01,
            "{name}: {least} {told} {most}"
        );
    }
    for (name, pointer, least) in CHANGING {
        let (told, known) = (sample(&text, name), figure(&before, pointer));
        assert!(
            are_close(told, known, 0.2, *least),
            "{name}: {told} {known}"
        );
    }
    for disk in before["system"]["disks"].as_array().unwrap() {
        let point = disk["mount_point"].as_str().unwrap();
        let part = format!("mount_point=\"{point}\"");
        let mut lines = text.lines().filter(|line| {
            line.starts_with("node_agent_system_disk_bytes{") && line.contains(&part)
        });
        let told = lines.next().unwrap().rsplit(' ').next().unwrap();
        assert_eq!(json!(told.parse::<u64>().unwrap()), disk["total_bytes"]);
    }
    // Both scrapes before this text are in it.
    let scrapes =
        "node_agent_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"}";
    assert!((sample(&text, scrapes) - 2.0).abs() < f64::EPSILON);
}

#[test]
fn gauges_fall_when_what_they_count_has_ended() {
    let agent = Agent::start();
    let expect = |what: &str, busy: u64, connections: u64| {
        eventually(what, || {
            let own = &metrics(&agent)["agent"];
            let is = (&own["workers"]["busy"], &own["connections"]);
            (is == (&json!(busy), &json!(connections))).then_some(())
        });
    };
    // The scrape itself is one of each.
    expect("nothing but the scrape", 1, 1);
    let mut all: Vec<Client> = (0..3).map(|_| agent.stalled()).collect();
    expect("three requests to be at work", 4, 4);
    all.pop();
    expect("a client that went away to be forgotten", 3, 3);
    for client in &mut all {
        client.send(b"}");
        client.response().expect(400);
    }
    expect("the workers to have ended", 1, 3);
    drop(all);
    expect("the connections to have ended", 1, 1);
}
