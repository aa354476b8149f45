//! Logs and exec over HTTP on the real engine: whole, as they come, and when somebody goes away.

use serde_json::json;

use crate::support::agent::KEY;
use crate::support::lab::Lab;
use crate::support::{Agent, Client, eventually};

#[test]
fn logs_as_json_and_text() {
    let lab = Lab::new();
    lab.shell(
        "a",
        "for i in 1 2 3 4 5; do echo out-$i; done; echo 'err é \"q\"' >&2; busybox sleep 1000",
    );
    let text = |query: &str| {
        let headers = [("X-API-Key", KEY), ("Accept", "text/plain")];
        let path = format!("/containers/{}/logs{query}", lab.name("a"));
        let response = lab
            .agent
            .connect()
            .request("GET", &path, &headers, b"")
            .expect(200);
        assert!(
            response
                .header("content-type")
                .unwrap()
                .starts_with("text/plain")
        );
        response.text()
    };
    eventually("all six lines", || {
        (text("").lines().count() == 6).then_some(())
    });
    // The engine counts the lines of both streams, in whatever order they reached it.
    assert_eq!(text("?tail=2").lines().count(), 2);
    assert_eq!(text("?stdout=0"), "err é \"q\"\n");
    assert_eq!(text("?tail=all&stderr=0").lines().count(), 5);
    assert_eq!(text("?until=1"), "");
    assert_eq!(text("?since=1h").lines().count(), 6);
    assert!(text("?timestamps=1&tail=1").starts_with("20"));
    let json = lab.get("a", "logs?stdout=false").expect(200).json();
    assert_eq!(
        json,
        json!({ "container": lab.name("a"), "logs": "err é \"q\"\n" })
    );
    for bad in [
        "tail=some",
        "tail=-1",
        "since=yesterday",
        "stdout=0&stderr=0",
        "follow=perhaps",
        "tail=1&tail=2",
    ] {
        lab.get("a", &format!("logs?{bad}")).expect(400);
    }
    assert!(
        lab.get("b", "logs")
            .expect(404)
            .error()
            .contains(&lab.name("b"))
    );
    assert!(
        lab.get("b", "logs?follow=true")
            .expect(404)
            .error()
            .contains(&lab.name("b"))
    );
}

/// Opens a follow or a streamed exec and reads its head.
fn open(agent: &Agent, request: &[u8]) -> Client {
    let mut client = agent.connect();
    client.send(request);
    assert_eq!(client.head().status, 200);
    client
}

#[test]
fn a_follow_brings_each_line_at_once_and_ends_with_the_container() {
    let lab = Lab::new();
    // Each line waits for us: a line that is held back would never come.
    lab.shell("a", "while ! [ -e /go ]; do busybox sleep 0.02; done; echo one; while ! [ -e /end ]; do busybox sleep 0.02; done; echo two");
    let path = format!("/containers/{}/logs?follow=true", lab.name("a"));
    let mut follow = open(
        &lab.agent,
        &Client::encode("GET", &path, &[("X-API-Key", KEY)], b""),
    );
    lab.exec("a", &json!({ "command": "echo > /go" }))
        .expect(200);
    assert_eq!(follow.chunk(), b"one\n");
    lab.exec("a", &json!({ "command": "echo > /end" }))
        .expect(200);
    assert_eq!(follow.chunk(), b"two\n");
    assert_eq!(follow.chunk(), b"");
}

#[test]
fn who_goes_away_in_silence_is_noticed_within_a_second() {
    let lab = Lab::new();
    lab.run("a", &json!({})).expect(201);
    lab.agent.get("/containers").expect(200);
    let before = lab.agent.descriptors();
    let follow = Client::encode(
        "GET",
        &format!("/containers/{}/logs?follow=true", lab.name("a")),
        &[("X-API-Key", KEY)],
        b"",
    );
    let body = json!({ "command": ["busybox", "sleep", "100"] }).to_string();
    let path = format!("/containers/{}/exec", lab.name("a"));
    let exec = Client::encode("POST", &path, &[("X-API-Key", KEY)], body.as_bytes());
    let stream = Client::encode(
        "POST",
        &format!("{path}?stream=true"),
        &[("X-API-Key", KEY)],
        body.as_bytes(),
    );
    let mut clients = vec![open(&lab.agent, &follow), open(&lab.agent, &stream)];
    let mut waiting = lab.agent.connect();
    waiting.send(&exec);
    clients.push(waiting);
    // Three clients, and the engine's side of each.
    eventually("six more descriptors", || {
        (lab.agent.descriptors() >= before + 6).then_some(())
    });
    let gone = std::time::Instant::now();
    drop(clients);
    eventually("all of them to be closed", || {
        (lab.agent.descriptors() <= before).then_some(())
    });
    assert!(
        gone.elapsed() < std::time::Duration::from_secs(1),
        "{:?}",
        gone.elapsed()
    );
}

#[test]
fn a_stop_of_the_agent_does_not_wait_for_followers() {
    let mut lab = Lab::new();
    lab.run("a", &json!({})).expect(201);
    let path = format!("/containers/{}/logs?follow=true", lab.name("a"));
    let _follow = open(
        &lab.agent,
        &Client::encode("GET", &path, &[("X-API-Key", KEY)], b""),
    );
    let begun = std::time::Instant::now();
    lab.agent.signal("TERM");
    assert!(lab.agent.wait().success());
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn exec_answers_with_both_streams_and_the_exit_code() {
    let lab = Lab::new();
    lab.run("a", &json!({})).expect(201);
    let body = json!({ "command": ["sh", "-c", "echo $A; pwd; echo bad >&2; exit 3"], "env": ["A=b"], "workdir": "/bin", "user": 0, "oops": 1 });
    let answer = lab.exec("a", &body).expect(200).json();
    assert_eq!(
        (&answer["exit_code"], &answer["stdout"], &answer["stderr"]),
        (&json!(3), &json!("b\n/bin\n"), &json!("bad\n"))
    );
    assert_eq!(
        (&answer["truncated"], &answer["warnings"]),
        (&json!(false), &json!(["unknown field: oops"]))
    );
    let answer = lab
        .exec("a", &json!({ "command": "echo $0; exit 4" }))
        .expect(200)
        .json();
    assert_eq!(
        (&answer["exit_code"], &answer["output"]),
        (&json!(4), &json!("sh\n"))
    );
    let answer = lab
        .exec("a", &json!({ "command": ["no-such-program"] }))
        .expect(200)
        .json();
    assert!(
        [126, 127].contains(&answer["exit_code"].as_i64().unwrap()),
        "{answer}"
    );
    assert!(
        answer["output"]
            .as_str()
            .unwrap()
            .contains("no-such-program"),
        "{answer}"
    );
    let long = lab
        .exec(
            "a",
            &json!({ "command": "busybox yes | busybox head -n 2000000" }),
        )
        .expect(200)
        .json();
    assert_eq!(long["truncated"], true);
    assert!(long["output"].as_str().unwrap().len() < 1_100_000);
}

#[test]
fn exec_streams_with_the_exit_code_as_a_trailer() {
    let lab = Lab::new();
    lab.run("a", &json!({})).expect(201);
    let path = format!("/containers/{}/exec?stream=true", lab.name("a"));
    let response = lab
        .agent
        .post(&path, &json!({ "command": "echo hi; exit 5" }))
        .expect(200);
    assert_eq!(response.header("trailer"), Some("X-Exit-Code"));
    assert_eq!(
        (response.text().as_str(), response.trailers.as_slice()),
        ("hi\n", &[("x-exit-code".to_owned(), "5".to_owned())][..])
    );
}

#[test]
fn exec_that_cannot_be() {
    let lab = Lab::new();
    lab.shell("ended", "true");
    eventually("it to have ended", || {
        (lab.get("ended", "status").json()["state"] == "exited").then_some(())
    });
    assert!(
        lab.exec("ended", &json!({ "command": "true" }))
            .expect(409)
            .error()
            .contains("not running")
    );
    assert!(
        lab.exec("nobody", &json!({ "command": "true" }))
            .expect(404)
            .error()
            .contains("nobody")
    );
    lab.run("a", &json!({})).expect(201);
    for body in [
        json!({}),
        json!({ "command": [] }),
        json!({ "command": 5 }),
        json!({ "command": "true", "timeout": 0 }),
        json!({ "command": "true", "env": ["=x"] }),
    ] {
        lab.exec("a", &body).expect(400);
    }
    let slow = lab
        .exec(
            "a",
            &json!({ "command": "echo begun; busybox sleep 60", "timeout": 1 }),
        )
        .expect(504);
    assert!(slow.error().contains("goes on running"));
    assert_eq!(slow.json()["details"], "begun\n");
    // What a command prints may be a secret.
    lab.agent.wait_for_log("goes on running");
    assert!(!lab.agent.log().iter().any(|line| line.contains("begun")));
}
