//! `top`: the containers' figures, again and again, the busiest first.
#![forbid(unsafe_code)]

use std::io::{self, IsTerminal};
use std::time::Duration;

use serde_json::Value;

use super::failure::Failure;
use super::path::Path;
use super::session::{Session, parsed, print, text};
use super::table::{bytes, duration, table};

/// To the upper left, and what was there is cleared. Nothing is left to be put back when ctrl-C comes.
const AGAIN: &str = "\u{1b}[H\u{1b}[J";
/// Seconds between two looks, when nothing is said, and at most.
const INTERVAL: u64 = 2;
const MOST_SECONDS: u64 = 3600;

/// `GET /metrics`, until somebody has seen enough.
pub(super) fn top(session: &mut Session) -> Result<u8, Failure> {
    let given = &session.arguments;
    let seconds = given
        .number("interval", 1, MOST_SECONDS)?
        .unwrap_or(INTERVAL);
    let is_screen = io::stdout().is_terminal();
    loop {
        let answer = session.client.get(&Path::new("/metrics"))?.text()?;
        if session.is_json {
            print(&format!("{}\n", answer.trim_end()))?;
        } else {
            let again = if is_screen && !given.flag("once") {
                AGAIN
            } else {
                ""
            };
            print(&format!("{again}{}", frame(&parsed(&answer)?)))?;
        }
        // Nobody watches a pipe.
        if given.flag("once") || !is_screen {
            return Ok(0);
        }
        std::thread::sleep(Duration::from_secs(seconds));
    }
}

fn size(value: &Value) -> String {
    value.as_u64().map_or_else(|| "-".to_owned(), bytes)
}

fn percent(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "-".to_owned(), |percent| format!("{percent:.1}%"))
}

/// What is seen at once.
fn frame(metrics: &Value) -> String {
    let system = &metrics["system"];
    let memory = &system["memory"];
    let head = format!(
        "{}  up {}  cpu {}  memory {} of {}\n\n",
        text(system, "hostname"),
        duration(system["uptime_seconds"].as_f64().map_or(0, whole)),
        percent(&system["cpu"]["percent"]),
        size(&memory["used_bytes"]),
        size(&memory["total_bytes"]),
    );
    let listed = metrics["containers"].as_array().into_iter().flatten();
    let mut containers: Vec<_> = listed.collect();
    let load = |container: &Value| container["cpu_percent"].as_f64().unwrap_or(-1.0);
    containers.sort_by(|a, b| load(b).total_cmp(&load(a)));
    let rows: Vec<_> = containers.iter().map(|container| row(container)).collect();
    head + &table(
        &[
            "NAME", "CPU", "MEMORY", "LIMIT", "RECEIVED", "SENT", "PIDS", "STATE",
        ],
        &rows,
    )
}

fn row(container: &Value) -> Vec<String> {
    vec![
        text(container, "name").trim_start_matches('/').to_owned(),
        percent(&container["cpu_percent"]),
        size(&container["memory"]["usage_bytes"]),
        size(&container["memory"]["limit_bytes"]),
        size(&container["network"]["rx_bytes"]),
        size(&container["network"]["tx_bytes"]),
        container["pids"]
            .as_u64()
            .map_or_else(|| "-".to_owned(), |count| count.to_string()),
        text(container, "state").to_owned(),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds since a boot"
)]
fn whole(seconds: f64) -> u64 {
    seconds as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_busiest_come_first_and_what_is_not_told_is_a_dash() {
        let seen = frame(&json!({
            "system": { "hostname": "web1", "uptime_seconds": 3700, "cpu": { "percent": null },
                "memory": { "used_bytes": 1_000_000, "total_bytes": 2_000_000 } },
            "containers": [
                { "name": "idle", "state": "exited" },
                { "name": "busy", "cpu_percent": 12.34, "memory": { "usage_bytes": 5000 }, "pids": 3, "state": "running" },
            ],
        }));
        let lines: Vec<_> = seen.lines().collect();
        assert_eq!(lines[0], "web1  up 1h01m  cpu -  memory 1.0 MB of 2.0 MB");
        assert_eq!(
            lines[3],
            "busy  12.3%  5.0 kB  -      -         -     3     running"
        );
        assert!(lines[4].starts_with("idle  -"), "{seen}");
    }
}
