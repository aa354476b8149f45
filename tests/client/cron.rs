//! `cron`: what is asked of an agent, and what is shown of its answers.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::support::operator::{Came, client_at, finish};
use crate::support::peer::Peer;

/// Answers one request with `answer`, and gives its first line and body.
fn asked(answer: &Value, words: &[&str]) -> (Came, String, Value) {
    let (tell, told) = channel();
    let answer = answer.to_string();
    let peer = Peer::start(move |mut stream| {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        // The head, and as much of a body as it announces.
        while !is_whole(&bytes) {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "the request broke off");
            bytes.extend_from_slice(&piece[..count]);
        }
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{answer}"
        )
        .unwrap();
        tell.send(String::from_utf8(bytes).unwrap()).unwrap();
    });
    let came = finish(client_at(peer.address()).args(words), b"");
    let (line, body) = request(&told);
    (came, line, body)
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.is_none_or(|(_, length)| body.len() >= length.parse().unwrap())
}

fn request(told: &Receiver<String>) -> (String, Value) {
    let text = told.recv().unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let line = head.lines().next().unwrap().to_owned();
    (line, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn jobs_are_added_listed_and_removed() {
    let made = json!({ "job_id": "cron_1" });
    let words = [
        "cron",
        "add",
        "-e",
        "A=1",
        "-v",
        "/local/data:/data",
        "0 2 * * *",
        "myapp:latest",
        "sh",
        "-c",
        "clean up",
    ];
    let (came, line, body) = asked(&made, &words);
    assert_eq!(came.well(), "cron_1\n");
    assert_eq!(line, "POST /cron/run-docker HTTP/1.1");
    let expected = json!({
        "schedule": "0 2 * * *", "image": "myapp:latest", "command": ["sh", "-c", "clean up"],
        "environment": ["A=1"], "volumes": ["/local/data:/data"],
    });
    assert_eq!(body, expected);
    let jobs = json!({ "jobs": [{ "id": "cron_1", "schedule": "0 2 * * *", "command": "docker run --rm myapp", "last_exit_code": 3 }] });
    let (came, line, _) = asked(&jobs, &["cron", "list"]);
    assert_eq!(line, "GET /cron/jobs HTTP/1.1");
    let listed = came.well();
    let shown: Vec<_> = listed
        .lines()
        .nth(1)
        .unwrap()
        .split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect();
    assert_eq!(shown, ["cron_1", "0 2 * * *", "3", "docker run --rm myapp"]);
    let (came, line, body) = asked(&json!({}), &["cron", "rm", "cron_1"]);
    assert_eq!(
        (came.well().as_str(), line.as_str()),
        ("cron_1\n", "POST /cron/remove HTTP/1.1")
    );
    assert_eq!(body, json!({ "job_id": "cron_1" }));
}
