//! Which agent is asked, with which key, and what is told when nothing comes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::agent::{KEY, Setup, program};
use crate::support::operator::{client, client_at, client_reading, finish};
use crate::support::peer::Peer;

fn without_engine() -> crate::support::Agent {
    Setup::new().engine(Path::new("/nowhere")).start()
}

#[test]
fn ping_needs_no_key_and_no_engine() {
    let agent = without_engine();
    let address = agent.address().to_string();
    let said = finish(program().args(["ping", "--host", &address]), b"").well();
    assert_eq!(
        said,
        "degraded: version 2.6.1, its engine does not answer\n"
    );
    let said = finish(program().args(["--json", "--host", &address, "ping"]), b"").well();
    let asked = agent.get("/ping");
    assert_eq!(
        said,
        format!("{}\n", String::from_utf8(asked.body).unwrap())
    );
}

#[test]
fn a_key_comes_from_a_file_that_nobody_else_can_read() {
    let agent = without_engine();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("key");
    fs::write(&file, format!("{KEY}\n")).unwrap();
    let listed = |mode, by_option: bool| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = program();
        command.env("NODE_AGENT_HOST", agent.address().to_string());
        command.args(["call", "GET", "/openapi.json"]);
        if by_option {
            // It wins over the environment.
            command
                .env("NODE_AGENT_KEY", "0".repeat(64))
                .arg("--key-file")
                .arg(&file);
        } else {
            command.env("NODE_AGENT_KEY_FILE", &file);
        }
        finish(&mut command, b"")
    };
    for by_option in [true, false] {
        assert!(listed(0o600, by_option).well().contains("\"openapi\""));
        for mode in [0o644, 0o640, 0o602] {
            let message = listed(mode, by_option).badly(4);
            assert!(
                message.contains("by others") && message.contains("chmod 600"),
                "{message}"
            );
        }
    }
    fs::write(&file, "no key").unwrap();
    let message = listed(0o600, true).badly(4);
    assert!(
        message.contains("64 hexadecimal digits") && !message.contains("no key\n"),
        "{message}"
    );
    fs::remove_file(&file).unwrap();
    let mut missing = client_at(agent.address());
    let message = finish(missing.args(["ps", "--key-file"]).arg(&file), b"").badly(4);
    assert!(message.contains("No such file"), "{message}");
}

#[test]
fn what_the_agent_refuses_is_told_in_its_words() {
    let agent = without_engine();
    let mut stranger = client_at(agent.address());
    let message = finish(
        stranger.env("NODE_AGENT_KEY", "1".repeat(64)).arg("ps"),
        b"",
    )
    .badly(1);
    assert!(
        message.contains("X-API-Key") && message.contains("NODE_AGENT_KEY_FILE"),
        "{message}"
    );
    let came = client(&agent, &["--json", "ps"]);
    let answer: serde_json::Value = serde_json::from_str(&came.out).unwrap();
    let message = came.badly(1);
    assert!(
        message.contains(answer["error"].as_str().unwrap()),
        "{message} {answer}"
    );
}

#[test]
fn an_agent_that_is_not_there_is_exit_code_3() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let message = finish(client_at(free).arg("ps"), b"").badly(3);
    assert!(
        message.contains(&free.to_string()) && message.contains("refused"),
        "{message}"
    );
    let mute = Peer::start(drop);
    let message = finish(client_at(mute.address()).arg("ps"), b"").badly(3);
    assert!(message.contains(&mute.address().to_string()), "{message}");
    let nonsense = Peer::answering("SSH-2.0-OpenSSH_9.2\r\n");
    finish(client_at(nonsense.address()).arg("ps"), b"").badly(3);
    let half = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"containers\":");
    let message = finish(client_at(half.address()).arg("ps"), b"").badly(3);
    assert!(!message.contains("panicked"), "{message}");
    let mut nameless = program();
    finish(nameless.args(["ping", "--host", "nobody.invalid"]), b"").badly(3);
}

#[test]
fn wrong_words_are_exit_code_2_and_say_how_it_is_used() {
    for (words, told) in [
        (&["ps", "more"][..], "one word too many"),
        (&["exec", "web"], "wants more words"),
        (&["logs", "--tial", "5", "web"], "--tial"),
        (&["stop", "--time", "soon", "web"], "whole number"),
        (&["ping", "--host", "https://web"], "TLS"),
        (&["ping", "--host", "a b"], "no name"),
        (&["call", "GET", "ping"], "slash"),
        (&["call", "GET", "/ping", "--data", "{}"], "no body"),
        (&["logs", "--follow", "--json", "web"], "no JSON"),
        (&["pull", "--username", "me", "image"], "--password-stdin"),
        (&["upload", "--level", "11", ".", "/tmp/x"], "0 to 9"),
        (&["completions", "tcsh"], "bash, zsh and fish"),
    ] {
        let message = finish(program().args(words), b"").badly(2);
        assert!(message.contains(told), "{words:?}: {message}");
        assert!(
            message.contains(&format!("Usage: node-agent {}", words[0])),
            "{message}"
        );
    }
    let message = finish(program().args(["cron"]), b"").badly(2);
    assert!(message.contains("node-agent cron list"), "{message}");
    for words in [["help", "exec"], ["exec", "--help"], ["exec", "-h"]] {
        let help = finish(program().args(words), b"").well();
        assert!(
            help.contains("Usage: node-agent exec") && help.contains("--workdir DIR"),
            "{help}"
        );
    }
}

#[test]
fn call_sends_anything_and_prints_the_answer() {
    let agent = without_engine();
    let place = tempfile::tempdir().unwrap();
    let body = format!("{{\"path\":\"{}\"}}", "/etc/nothing");
    let file = place.path().join("body");
    fs::write(&file, &body).unwrap();
    let from_file = format!("@{}", file.display());
    for (data, input) in [
        (body.as_str(), ""),
        (from_file.as_str(), ""),
        ("-", body.as_str()),
    ] {
        let words = ["call", "post", "/files/mkdir", "--data", data];
        let came = client_reading(&agent, &words, input.as_bytes());
        assert!(
            came.out.contains("/etc/nothing") && came.out.contains("\"error\""),
            "{came:?}"
        );
        came.badly(1);
    }
    assert!(
        client(&agent, &["call", "GET", "/nothing"])
            .out
            .contains("\"error\"")
    );
    let deleted = client(
        &agent,
        &["call", "DELETE", "/upload/tar/chunked?chunk_id=none"],
    );
    assert!(deleted.out.contains("no upload"), "{deleted:?}");
    assert_eq!(client(&agent, &["call", "HEAD", "/ping"]).well(), "");
}

#[test]
fn whoever_stops_reading_is_no_failure() {
    use std::process::Stdio;
    let agent = without_engine();
    let mut command = client_at(agent.address());
    command.args(["call", "GET", "/openapi.json"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}
