//! Figures in tests: reading them from `/metrics` and from `docker stats`, and comparing them.

use serde_json::Value;

use super::Agent;
use super::docker;
use super::lab::Lab;

/// An answer as JSON.
pub fn metrics(agent: &Agent) -> Value {
    agent.get("/metrics").expect(200).json()
}

/// What it says about our container.
pub fn of(lab: &Lab, metrics: &Value, name: &str) -> Value {
    find(metrics, &lab.name(name)).unwrap_or_else(|| panic!("no {name} in {metrics:#}"))
}

pub fn find(metrics: &Value, name: &str) -> Option<Value> {
    let containers = metrics["containers"].as_array().unwrap();
    containers.iter().find(|one| one["name"] == name).cloned()
}

/// What `docker stats` shows of our container in one column.
pub fn docker_stats(lab: &Lab, name: &str, column: &str) -> String {
    let format = format!("{{{{.{column}}}}}");
    docker::run(&["stats", "--no-stream", "--format", &format, &lab.name(name)]).unwrap()
}

/// The numbers of `1.5MiB / 2GiB` or `0.12%`.
pub fn numbers(text: &str) -> Vec<f64> {
    let number = |text: &str| {
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap();
        let factor = match &text[end..] {
            "B" | "%" => 1.0,
            "kB" => 1e3,
            "MB" => 1e6,
            "GB" => 1e9,
            "KiB" => 1024.0,
            "MiB" => 1024.0 * 1024.0,
            "GiB" => 1024.0 * 1024.0 * 1024.0,
            unit => panic!("{unit}"),
        };
        text[..end].parse::<f64>().unwrap() * factor
    };
    text.split('/').map(number).collect()
}

/// Whether both differ by less than `part` of the bigger one, or by less than `least`.
pub fn are_close(left: f64, right: f64, part: f64, least: f64) -> bool {
    (left - right).abs() <= (left.max(right) * part).max(least)
}

/// The engine's own figure of processor time, in seconds.
pub fn engine_cpu(lab: &Lab, name: &str) -> f64 {
    let path = format!("/containers/{}/stats?stream=0", lab.name(name));
    let stats = docker::engine_get(&path);
    stats["cpu_stats"]["cpu_usage"]["total_usage"]
        .as_f64()
        .unwrap()
        / 1e9
}
