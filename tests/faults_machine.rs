//! A machine on which the kernel's files are missing: the agent says what it knows, and nothing is a 500.

use serde_json::{Value, json};

use crate::support::agent::{Agent, KEY, Setup};
use crate::support::docker::{self, Docker};
use crate::support::tar_builder::Tar;
use crate::support::upload;

/// What needs none of these files, and must work.
fn works(agent: &Agent) {
    let ping = agent.connect().request("GET", "/ping", &[], b"");
    assert_eq!(ping.expect(200).json()["status"], "ok");
    agent.get("/containers").expect(200);
    agent.get("/images/list").expect(200);
    agent.get("/cron/jobs").expect(200);
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("file").display().to_string();
    let body = json!({ "path": path, "content": "content" });
    agent.post("/files/write", &body).expect(200);
    let read = agent.get(&format!("/files/read?path={path}")).expect(200);
    assert_eq!(read.json()["content"], "content");
    let tar = Tar::new().file("file", b"content").end();
    for mode in ["merge", "replace"] {
        let target = place.path().join("target");
        let path = format!(
            "/upload/tar/stream?mode={mode}&extract_path={}",
            target.display()
        );
        upload::post(agent, &path, "application/x-tar", &tar).expect(200);
        assert_eq!(std::fs::read(target.join("file")).unwrap(), b"content");
    }
    // A program is started: there is no such repository.
    let nowhere =
        json!({ "url": "http://127.0.0.1:9/a.git", "target_path": place.path().join("a") });
    agent.post("/git/clone", &nowhere).expect(502);
}

/// Both formats of the figures.
fn metrics(agent: &Agent) -> (Value, String) {
    let headers = [("X-API-Key", KEY)];
    let text = "/metrics?format=prometheus";
    let text = agent.connect().request("GET", text, &headers, b"");
    (
        agent.get("/metrics").expect(200).json(),
        text.expect(200).text(),
    )
}

#[test]
fn without_proc_the_figures_are_left_out() {
    let agent = Setup::new()
        .in_own_mounts("mount -t tmpfs none /proc")
        .start();
    works(&agent);
    let (json, text) = metrics(&agent);
    let unknown = json!({
        "hostname": null, "uptime_seconds": null, "cpu": null, "memory": null, "disks": [],
        "networks": [],
    });
    assert_eq!(json["system"], unknown);
    let own = &json["agent"];
    assert!(
        own["resident_bytes"].is_null() && own["threads"].is_null(),
        "{own}"
    );
    // What it counts itself is told, and what is not known has no line.
    assert!(own["workers"]["total"].as_u64().unwrap() > 0, "{own}");
    assert!(text.contains("\nnode_agent_workers "), "{text}");
    for name in [
        "node_agent_system_",
        "process_resident_memory_bytes",
        "NaN",
        "null",
    ] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    assert!(json.get("containers_error").is_none(), "{json}");
}

#[test]
fn without_control_groups_containers_are_asked_of_the_engine() {
    let docker = Docker::new();
    let command = ["busybox", "sleep", "1000"];
    let id = docker.create_by_cli(&["--network=none"], &command).unwrap();
    docker::run(&["start", &id]).unwrap();
    let agent = Setup::new()
        .in_own_mounts("mount -t tmpfs none /sys/fs/cgroup")
        .start();
    works(&agent);
    let (json, text) = metrics(&agent);
    let containers = json["containers"].as_array().unwrap();
    let ours = containers.iter().find(|container| container["id"] == *id);
    let ours = ours.unwrap_or_else(|| panic!("{json}"));
    assert_eq!(ours["source"], "engine", "{ours}");
    assert!(
        ours["memory"]["usage_bytes"].as_u64().unwrap() > 0,
        "{ours}"
    );
    assert!(json["system"]["memory"]["total_bytes"].as_u64().unwrap() > 0);
    assert!(text.contains(&docker.name) || text.contains(&id), "{text}");
}
