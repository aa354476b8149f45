//! What `install`, `upgrade` and `uninstall` refuse, on a machine that systemd did not start. The rest is tested on the
//! droplet.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use crate::support::agent::program;

fn run(arguments: &[&str]) -> (i32, String) {
    outcome(program().args(arguments))
}

/// The exit code, and what it said on stderr; nothing on stdout.
fn outcome(command: &mut Command) -> (i32, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(stdout, b"", "{command:?}");
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

const ALL: [&[&str]; 3] = [&["install"], &["upgrade", "/bin/true"], &["uninstall"]];

#[test]
fn without_systemd_the_foreground_command_is_told() {
    for arguments in ALL {
        let (code, words) = run(arguments);
        assert_eq!(code, 1, "{arguments:?}");
        assert!(
            words.contains("systemd") && words.contains("node-agent serve"),
            "{words}"
        );
        assert_eq!(words.lines().count(), 1, "{words}");
    }
    assert!(!std::path::Path::new("/etc/node-agent").exists());
}

#[test]
fn only_root_may() {
    let directory = tempfile::tempdir().unwrap();
    // The program itself may be where nobody else can go.
    let copy = directory.path().join("node-agent");
    std::fs::copy(program().get_program(), &copy).unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    for arguments in ALL {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        let (code, words) = outcome(command.arg(&copy).args(arguments));
        assert_eq!(code, 1, "{words}");
        assert!(words.contains("only root"), "{words}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_named() {
    for (arguments, word) in [
        (&["install", "--bind", "9999"][..], "--bind"),
        (&["install", "--allow", "10.0.0.300"], "10.0.0.300"),
        (&["install", "--key-file"], "--key-file"),
        (&["install", "--key-file", "x", "--token-stdin"], "either"),
        (&["install", "--force"], "--force"),
        (&["install", "here"], "here"),
        (&["upgrade"], "file"),
        (&["upgrade", "a", "b"], "\"b\""),
        (&["upgrade", "a", "--sha256", "beef"], "64 hexadecimal"),
        (&["uninstall", "--all"], "--all"),
        (&["serve", "--dev", "install"], "install"),
    ] {
        let (code, words) = run(arguments);
        assert_eq!(code, 2, "{words}");
        let first = words.lines().next().unwrap();
        assert!(first.contains(word), "{first}");
        assert!(words.contains("Usage:"), "{words}");
    }
}

#[test]
fn the_doctor_looks_without_systemd_too() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key");
    std::fs::write(&key, "ab".repeat(32)).unwrap();
    let set_mode = |path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    set_mode(directory.path(), 0o700);
    let examine = || {
        let output = program()
            .args(["doctor", "--json"])
            .env("NODE_AGENT_API_KEY_FILE", &key)
            .env("NODE_AGENT_STATE_DIR", directory.path())
            .env("NODE_AGENT_BIND", "127.0.0.1:0")
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let state = |name| {
            let mut checks = report["checks"].as_array().unwrap().iter();
            checks.find(|check| check["name"] == name).unwrap()["state"].clone()
        };
        (output.status.code(), state("key"), state("systemd"))
    };
    set_mode(&key, 0o600);
    assert_eq!(examine(), (Some(0), "ok".into(), "warning".into()));
    set_mode(&key, 0o644);
    assert_eq!(examine(), (Some(1), "failed".into(), "warning".into()));
}

#[test]
fn each_says_how_it_is_used() {
    for command in ["install", "upgrade", "uninstall", "doctor"] {
        let output = program().args([command, "--help"]).output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("node-agent {command}")), "{text}");
    }
}
