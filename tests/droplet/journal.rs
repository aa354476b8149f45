//! What the agent leaves in the journal.

use serde_json::{Value, json};

use crate::support::agent::{KEY, TOKEN};
use crate::{Droplet, droplet};

/// The lines with `what` in them, once they are there: the journal takes them a moment after the answer.
fn lines(droplet: &Droplet, what: &str) -> Vec<String> {
    let mut found = Vec::new();
    droplet.wait_for("the line in the journal", || {
        let said = droplet.journal("node-agent");
        found = said
            .lines()
            .filter(|line| line.contains(what))
            .map(str::to_owned)
            .collect();
        !found.is_empty()
    });
    found
}

#[test]
fn a_request_is_one_line() {
    let droplet = droplet();
    let headers = [("X-API-Key", KEY), ("X-Request-Id", "journal-1")];
    let path = "/containers/nobody-of-this-name/status";
    droplet
        .connect()
        .request("GET", path, &headers, b"")
        .expect(404);
    let found = lines(&droplet, "id=journal-1");
    assert_eq!(found.len(), 1);
    for word in [path, "status=404", &format!("peer={}:", droplet.controller)] {
        assert!(found[0].contains(word), "no {word} in {}", found[0]);
    }
}

#[test]
fn lines_have_their_priority() {
    let droplet = droplet();
    let headers = [("X-API-Key", KEY), ("X-Request-Id", "journal-2")];
    droplet
        .connect()
        .request("GET", "/containers", &headers, b"")
        .expect(200);
    lines(&droplet, "id=journal-2");
    let export = [
        "journalctl",
        "--no-pager",
        "--unit=node-agent",
        "--output=json",
        "--grep=id=journal-2",
    ];
    let entry: Value = serde_json::from_str(&droplet.text(&export)).unwrap();
    assert_eq!(entry["PRIORITY"], "6");
    let message = entry["MESSAGE"].as_str().unwrap();
    assert!(message.contains(" info request id=journal-2 "), "{message}");
    assert!(
        message.starts_with(|first: char| first.is_ascii_digit()),
        "{message}"
    );
}

#[test]
fn secrets_are_not_in_it() {
    let droplet = droplet();
    let wrong = "ef".repeat(32);
    let with = |key: &str, path: &str| {
        droplet
            .connect()
            .request("GET", path, &[("X-API-Key", key)], b"")
            .status
    };
    assert_eq!(
        with(KEY, &format!("/containers/secret-1/status?key={KEY}")),
        404
    );
    assert_eq!(with(&wrong, "/containers/secret-2/status"), 401);
    let login = json!({ "registry": "127.0.0.1:1", "username": "u", "password": "a-pass-word" });
    let answer = droplet.post("/docker/login", &login);
    assert!(answer.status >= 500, "{}", answer.status);
    let last = [("X-API-Key", KEY), ("X-Request-Id", "secrets-over")];
    droplet
        .connect()
        .request("GET", "/containers", &last, b"")
        .expect(200);
    lines(&droplet, "secrets-over");
    // Everything since the boot, whoever wrote it.
    let all = droplet.text(&["journalctl", "--no-pager", "--boot", "--output=export"]);
    assert!(all.contains("/containers/secret-1/status"));
    for secret in [KEY, TOKEN, &wrong, "a-pass-word"] {
        assert!(!all.contains(secret), "{secret} is in the journal");
    }
    let process = droplet.property("node-agent", "MainPID");
    let arguments = droplet.text(&["cat", &format!("/proc/{process}/cmdline")]);
    assert_eq!(arguments, "/usr/local/bin/node-agent\0serve\0");
}
