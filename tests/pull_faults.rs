//! Pulls from what is no registry, from one that breaks off, and for a client that leaves. Nothing half-pulled stays.

use std::io::Read;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::agent::{Agent, KEY, Setup};
use crate::support::peer::{Peer, Then};
use crate::support::registry::{PASSWORD, USER};
use crate::support::shelf::Shelf;
use crate::support::{Client, docker, eventually};

const MIB: usize = 1024 * 1024;
/// From a hangup to the worker's being free.
const AT_ONCE: Duration = Duration::from_secs(1);

fn body(image: &str) -> Value {
    json!({ "image": image, "username": USER, "password": PASSWORD })
}

/// A client that has asked for a pull and reads on its own.
fn asking(agent: &Agent, path: &str, image: &str) -> Client {
    let headers = [("X-API-Key", KEY), ("Content-Type", "application/json")];
    let mut client = agent.connect();
    let body = body(image).to_string();
    client.send(&Client::encode("POST", path, &headers, body.as_bytes()));
    client
}

/// Nothing of `image` is in the engine, not even without a name.
fn is_not_here(shelf: &Shelf, image: &str) {
    let (repository, _) = image.rsplit_once(':').unwrap();
    assert_eq!(docker::run(&["images", "-aq", repository]).unwrap(), "");
    assert!(!shelf.is_here());
}

#[test]
fn a_registry_that_is_none_is_a_bad_gateway() {
    const PAGE: &str = "<html><body>unauthorized, access denied, manifest unknown</body></html>";
    let agent = Agent::start();
    let page = |status: &str| -> &'static str {
        let length = PAGE.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{PAGE}"
        );
        // Lives as long as the peer, which is as long as the test.
        Box::leak(answer.into_boxed_str())
    };
    for answer in [
        page("200 OK"),
        page("404 Not Found"),
        page("500 Internal Server Error"),
        page("301 Moved Permanently"),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        "220 mail.example ESMTP\r\n\r\n",
        "\0\u{1}\u{2}\u{3}\r\n\r\n",
        "",
    ] {
        let peer = Peer::answering(answer);
        // The names of images are nobody's words.
        let image = peer.reference("denied/unauthorized:1");
        for path in ["/images/pull", "/images/pull?stream=true"] {
            let refused = agent.post(path, &body(&image));
            let told = format!("{answer:?}: {}", refused.text());
            assert_eq!(refused.status, 502, "{told}");
            assert_eq!(
                refused.error(),
                format!("the registry of image `{image}` cannot be reached, or failed"),
                "{told}"
            );
        }
    }
}

#[test]
fn nobody_who_listens_is_a_bad_gateway() {
    let agent = Agent::start();
    let gone = Peer::answering("").address();
    for path in ["/images/pull", "/images/pull?stream=true"] {
        let image = format!("{gone}/forbidden/denied:1");
        let refused = agent.post(path, &body(&image)).expect(502);
        assert!(refused.error().contains("cannot be reached"));
        let details = refused.json()["details"].as_str().unwrap().to_owned();
        assert!(details.contains("connection refused"), "{details}");
    }
}

/// Pulls through a relay that goes wrong in the middle of the layer; the engine's words.
fn fails_on_the_way(shelf: &Shelf, agent: &Agent, then: Then) -> String {
    let relay = Peer::relay(shelf.registry.address(), MIB as u64, then);
    let image = relay.reference("team/app:1");
    let streamed = agent
        .post("/images/pull?stream=true", &body(&image))
        .expect(200);
    let lines: Vec<Value> = streamed
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (last, progress) = lines.split_last().unwrap();
    let sentence = format!("the registry of image `{image}` cannot be reached, or failed");
    let details = last["details"].as_str().unwrap();
    assert_eq!(*last, json!({ "error": sentence, "details": details }));
    assert!(
        progress
            .iter()
            .any(|line| line["status"] == "Pulling fs layer")
    );
    assert!(progress.iter().all(|line| line.get("error").is_none()));
    let logged = agent.wait_for_log("path=/images/pull");
    assert!(
        logged.contains(&format!("{sentence}: {details}")),
        "{logged}"
    );
    is_not_here(shelf, &image);
    assert!(!agent.log().iter().any(|line| line.contains(PASSWORD)));
    details.to_owned()
}

#[test]
fn a_layer_that_was_changed_on_the_way_is_told_in_the_last_line() {
    let (shelf, agent) = (Shelf::with_random(4 * MIB), Agent::start());
    let details = fails_on_the_way(&shelf, &agent, Then::Garble);
    assert!(details.contains("verification failed"), "{details}");
    // Without progress the status says it.
    let relay = Peer::relay(shelf.registry.address(), MIB as u64, Then::Garble);
    let image = relay.reference("team/app:1");
    let refused = agent.post("/images/pull", &body(&image)).expect(502);
    assert_eq!(refused.json()["details"], details);
    is_not_here(&shelf, &image);
}

#[test]
fn a_registry_that_breaks_off_is_told_in_the_last_line() {
    let (shelf, agent) = (Shelf::with_random(4 * MIB), Agent::start());
    // The engine may try again after 5 and after 10 s.
    fails_on_the_way(&shelf, &agent, Then::Refuse);
}

/// Waits for the line of a request that its client gave up, which may not take long.
fn is_given_up_at_once(agent: &Agent, left: Instant) {
    let line = agent.wait_for_log("status=499");
    assert!(left.elapsed() < AT_ONCE, "{:?}: {line}", left.elapsed());
    assert!(line.contains("the client went away"), "{line}");
}

#[test]
fn a_client_that_leaves_a_silent_registry_frees_its_worker() {
    for path in ["/images/pull", "/images/pull?stream=true"] {
        let (came, arrival) = mpsc::channel();
        let silent = Peer::start(move |mut stream| {
            let _ = came.send(());
            // The engine itself goes on for some seconds.
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let agent = Setup::new().env("NODE_AGENT_WORKERS", "4").start();
        let descriptors = agent.descriptors();
        let client = asking(&agent, path, &silent.reference("team/app:1"));
        arrival.recv_timeout(Duration::from_secs(10)).unwrap();
        let left = Instant::now();
        drop(client);
        is_given_up_at_once(&agent, left);
        eventually("the agent's descriptors to be as before", || {
            (agent.descriptors() <= descriptors).then_some(())
        });
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_layer_leaves_nothing() {
    let shelf = Shelf::with_random(4 * MIB);
    for path in ["/images/pull", "/images/pull?stream=true"] {
        let agent = Agent::start();
        let (stalled, stall) = mpsc::channel();
        let relay = Peer::relay_noting(
            shelf.registry.address(),
            MIB as u64,
            Then::Stall,
            move || {
                let _ = stalled.send(());
            },
        );
        let image = relay.reference("team/app:1");
        let client = asking(&agent, path, &image);
        stall.recv_timeout(Duration::from_secs(10)).unwrap();
        let left = Instant::now();
        drop(client);
        is_given_up_at_once(&agent, left);
        is_not_here(&shelf, &image);
    }
}
