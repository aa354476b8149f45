//! An engine that is restarted while clients list, follow, run commands and ask for states: every answer is a documented
//! one, and afterwards everything works and nothing is held. The agent is never restarted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::support::agent::{KEY, Setup};
use crate::support::docker::Docker;
use crate::support::dockerd::Dockerd;
use crate::support::{Agent, Client, Over, eventually};

/// Clients of each kind.
const CLIENTS: usize = 3;

/// What somebody was answered.
struct Seen {
    path: String,
    status: u16,
    text: String,
}

/// Asks on a connection of its own, which ends with the answer, complete or not.
fn ask(agent: &Agent, method: &str, path: &str, body: &[u8]) -> Seen {
    let mut client = agent.connect();
    client
        .socket()
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let headers = [
        ("X-API-Key", KEY),
        ("Content-Type", "application/json"),
        ("Connection", "close"),
    ];
    client.send(&Client::encode(method, path, &headers, body));
    let status = client.head().status;
    Seen {
        path: path.to_owned(),
        status,
        text: String::from_utf8_lossy(&client.rest()).into_owned(),
    }
}

#[test]
fn a_restart_under_load_is_documented_answers_and_nothing_held() {
    let mut engine = Dockerd::start(&json!({}));
    let image = Docker::new();
    engine.take_image(&image.image());
    let agent = Setup::new().engine(&engine.socket()).start();
    let script = "while :; do echo line; busybox sleep 1; done";
    let body = json!({
        "name": "loaded", "image": image.image(), "pull": "never", "network": "none",
        "command": ["sh", "-c", script],
    });
    agent.post("/containers/run", &body).expect(201);
    let before = (agent.descriptors(), agent.threads().len());

    let short = json!({ "command": ["busybox", "true"] }).to_string();
    let long = json!({ "command": ["busybox", "sleep", "1000"] }).to_string();
    let kinds = [
        ("GET", "/containers", ""),
        ("GET", "/containers/loaded/status", ""),
        ("GET", "/containers/loaded/logs?follow=true", ""),
        ("GET", "/metrics", ""),
        ("GET", "/containers/all/health", ""),
        ("POST", "/containers/loaded/exec", short.as_str()),
        ("POST", "/containers/loaded/exec?stream=true", long.as_str()),
    ];
    let is_over = AtomicBool::new(false);
    let counts = kinds.map(|_| AtomicUsize::new(0));
    let odd = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let _over = Over(&is_over);
        for ((method, path, body), count) in kinds.into_iter().zip(&counts) {
            for _ in 0..CLIENTS {
                let (agent, is_over, odd) = (&agent, &is_over, &odd);
                scope.spawn(move || {
                    while !is_over.load(SeqCst) {
                        let seen = ask(agent, method, path, body.as_bytes());
                        count.fetch_add(1, SeqCst);
                        if !matches!(seen.status, 200 | 409 | 502 | 503 | 504) {
                            odd.lock().unwrap().push(seen);
                        }
                    }
                });
            }
        }
        for round in 0..3 {
            // Somebody of each kind was answered, and long ones are at it.
            let seen = counts.each_ref().map(|count| count.load(SeqCst));
            eventually("short calls to be answered", || {
                let is_new = |kind: usize| counts[kind].load(SeqCst) > seen[kind];
                [0, 1, 3, 4, 5].into_iter().all(is_new).then_some(())
            });
            if round == 1 {
                engine.kill();
            } else {
                engine.stop();
            }
            eventually("ping to be degraded", || {
                (agent.get("/ping").json()["status"] == "degraded").then_some(())
            });
            engine.start_again(&json!({}));
            eventually("ping to be ok", || {
                (agent.get("/ping").json()["status"] == "ok").then_some(())
            });
            // The container has ended with its engine; the last time it stays so, and whoever follows it is done.
            if round < 2 {
                agent.post_nothing("/containers/loaded/start").expect(200);
            }
        }
    });
    let odd = odd.into_inner().unwrap();
    let odd: Vec<_> = odd
        .iter()
        .map(|seen| format!("{} {}: {}", seen.status, seen.path, seen.text))
        .collect();
    assert!(odd.is_empty(), "{odd:#?}");

    agent.post_nothing("/containers/loaded/start").expect(200);
    let said = ask(&agent, "POST", "/containers/loaded/exec", short.as_bytes());
    assert_eq!(said.status, 200, "{}", said.text);
    assert!(said.text.contains("\"exit_code\":0"), "{}", said.text);
    agent.get("/containers/loaded/logs?tail=1").expect(200);
    eventually("descriptors and threads to be as before", || {
        let now = (agent.descriptors(), agent.threads().len());
        (now.0 <= before.0 && now.1 <= before.1).then_some(())
    });
}
