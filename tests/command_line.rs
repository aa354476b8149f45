//! The program as a person meets it: help, key, config, and a start-up that refuses nonsense.

use std::io::Write;
use std::process::Stdio;

use crate::support::Client;
use crate::support::agent::{KEY, Setup, TOKEN, program};
use crate::support::dev::Dev;

fn run(arguments: &[&str], variables: &[(&str, &str)], stdin: &str) -> (i32, String, String) {
    let mut command = program();
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.envs(variables.iter().copied()).spawn().unwrap();
    // A program that does not read its stdin may have closed it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn key_prints_the_key_for_a_token() {
    assert_eq!(run(&["key"], &[], "test-token\n").1, format!("{KEY}\n"));
    assert_eq!(
        run(&["key"], &[("DO_TOKEN", TOKEN)], "").1,
        format!("{KEY}\n")
    );
    // Of both, the one that `serve` would take.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TOKEN).unwrap();
    let both = [
        ("DO_TOKEN_FILE", file.path().to_str().unwrap()),
        ("DO_TOKEN", "another"),
    ];
    assert_eq!(run(&["key"], &both, "").1, format!("{KEY}\n"));
    let (code, _, error) = run(&["key"], &[], "");
    assert_eq!(code, 1);
    assert!(error.contains("empty"), "{error}");
}

#[test]
fn config_shows_everything_but_secrets() {
    let variables = [("DO_TOKEN", "hunter2"), ("NODE_AGENT_WORKERS", "8")];
    let (code, shown, _) = run(&["config"], &variables, "");
    assert_eq!(code, 0);
    assert!(
        shown.contains("NODE_AGENT_WORKERS=8\n")
            && shown.contains("NODE_AGENT_BIND=0.0.0.0:9999\n"),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"));
}

#[test]
fn wrong_usage_is_exit_code_2_and_help() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["serve", "--fast"],
        &["key", "--dev"],
        &["serve", "extra"],
    ] {
        let (code, _, error) = run(arguments, &[], "");
        assert_eq!(code, 2, "{arguments:?}");
        assert!(error.contains("Usage:"), "{error}");
    }
    assert!(run(&["--help"], &[], "").1.contains("node-agent serve"));
    assert_eq!(run(&["--version"], &[], "").1, "node-agent 2.6.1\n");
}

#[test]
fn a_bad_value_stops_the_start() {
    let (code, error) = Setup::new()
        .env("NODE_AGENT_ALLOWED_IPS", "10.0.0.1,nonsense")
        .fail();
    assert_eq!(code, 1);
    assert!(
        error.contains(
            "NODE_AGENT_ALLOWED_IPS=\"10.0.0.1,nonsense\": expected addresses or networks"
        ),
        "{error}"
    );
    let (code, error) = Setup::new().without("DO_TOKEN").fail();
    assert_eq!(code, 1);
    assert!(
        error.contains("NODE_AGENT_API_KEY_FILE") && error.contains("DO_TOKEN"),
        "{error}"
    );
    let (_, error) = Setup::new()
        .env("NODE_AGENT_API_KEY_FILE", "/nowhere")
        .fail();
    assert!(error.contains("/nowhere"), "{error}");
}

#[test]
fn a_taken_port_is_said_to_be_taken() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, error) = Setup::new()
        .env("NODE_AGENT_BIND", other.local_addr().unwrap().to_string())
        .fail();
    assert_eq!(code, 1);
    assert!(
        error.contains("another program") && error.contains("NODE_AGENT_BIND"),
        "{error}"
    );
}

#[test]
fn dev_prints_three_lines_to_try_and_they_work() {
    let mut command = program();
    command
        .args(["serve", "--dev"])
        .env("NODE_AGENT_DOCKER_SOCKET", "/nowhere");
    let dev = Dev::start(&mut command);
    let ping = Client::connect(dev.address)
        .request("GET", "/ping", &[], b"")
        .expect(200);
    assert_eq!(ping.json()["status"], "degraded");
    Client::connect(dev.address)
        .request("GET", "/openapi.json", &[("X-API-Key", &dev.key)], b"")
        .expect(200);
    dev.stop();
}

#[test]
fn dev_is_for_loopback_only() {
    let (code, _, error) = run(&["serve", "--dev"], &[("NODE_AGENT_BIND", "0.0.0.0:0")], "");
    assert_eq!(code, 1);
    assert!(error.contains("loopback"), "{error}");
}
