//! `node-agent doctor` on the droplet: what is there, and what is missing.

use serde_json::Value;

use crate::{Droplet, droplet, droplet_alone};

/// The exit code and the report.
fn examine(droplet: &Droplet, variables: &[&str]) -> (Option<i32>, Value) {
    let command = [&["env"][..], variables, &["node-agent", "doctor", "--json"]].concat();
    let output = droplet.run(&command);
    (
        output.status.code(),
        serde_json::from_slice(&output.stdout).unwrap(),
    )
}

fn check<'r>(report: &'r Value, name: &str) -> &'r Value {
    let mut checks = report["checks"].as_array().unwrap().iter();
    checks.find(|check| check["name"] == name).unwrap()
}

#[test]
fn a_good_droplet_is_healthy() {
    let droplet = droplet();
    droplet.text(&["mkdir", "-p", "/local", "/app"]);
    let (code, report) = examine(&droplet, &[]);
    assert_eq!(
        (code, &report["healthy"]),
        (Some(0), &Value::Bool(true)),
        "{report:#}"
    );
    let good = [
        "systemd",
        "engine",
        "systemctl",
        "git",
        "ssh",
        "nginx",
        "ufw",
        "cron",
        "cgroups",
        "key",
        "settings",
        "state",
        "disk",
        "allowed path",
        "rights",
        "port",
        "service",
    ];
    for name in good {
        assert_eq!(check(&report, name)["state"], "ok", "{name}: {report:#}");
    }
    let text = droplet.text(&["node-agent", "doctor"]);
    assert!(text.contains("answers at 0.0.0.0:9999"), "{text}");
    // The droplet has no buildx.
    assert!(text.contains("RUN --mount"), "{text}");
}

#[test]
fn what_is_essential_and_wrong_is_exit_code_1() {
    let droplet = droplet();
    let key = "/root/doctor-key";
    droplet.shell(&format!(
        "cp /etc/node-agent/api-key {key}; chmod 640 {key}; mkdir -p /root/doctor-state
         mountpoint -q /root/doctor-state || mount -t tmpfs -o ro,mode=700 tmpfs /root/doctor-state"
    ));
    for (variable, name) in [
        ("NODE_AGENT_DOCKER_SOCKET=/nowhere/docker.sock", "engine"),
        ("NODE_AGENT_API_KEY_FILE=/root/doctor-key", "key"),
        ("NODE_AGENT_API_KEY_FILE=/nowhere/key", "key"),
        ("NODE_AGENT_STATE_DIR=/etc/hostname", "state"),
        ("NODE_AGENT_STATE_DIR=/root/doctor-state", "state"),
        ("NODE_AGENT_BIND=0.0.0.0:80", "port"),
        ("NODE_AGENT_BIND=192.0.2.7:9999", "port"),
    ] {
        let (code, report) = examine(&droplet, &[variable]);
        assert_eq!(
            (code, &report["healthy"]),
            (Some(1), &Value::Bool(false)),
            "{variable}"
        );
        let check = check(&report, name);
        assert_eq!(check["state"], "failed", "{variable}: {check}");
        assert!(check["disables"].is_string(), "{check}");
    }
    let (code, report) = examine(&droplet, &["NODE_AGENT_ALLOWED_PATHS=/nowhere/app"]);
    assert_eq!(code, Some(0));
    assert_eq!(check(&report, "allowed path")["state"], "warning");
    let (code, report) = examine(&droplet, &["NODE_AGENT_BIND=127.0.0.1:9997"]);
    assert_eq!(code, Some(0));
    assert!(
        check(&report, "port")["found"]
            .as_str()
            .unwrap()
            .contains("free")
    );
}

#[test]
fn a_stopped_service_is_told() {
    let droplet = droplet_alone();
    droplet.text(&["systemctl", "stop", "node-agent"]);
    let (code, report) = examine(&droplet, &[]);
    assert_eq!(code, Some(1));
    assert_eq!(check(&report, "service")["state"], "failed");
}
