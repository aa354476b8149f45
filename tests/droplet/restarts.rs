//! What survives: restarts, crashes, a standstill, a reboot.

use serde_json::json;

use crate::support::docker;
use crate::support::tar_builder::Tar;
use crate::support::upload_lab::BYTES;
use crate::{Droplet, droplet_alone};

/// An upload in two chunks of which one was sent.
struct HalfSent {
    path: String,
    target: String,
    rest: Vec<u8>,
}

impl HalfSent {
    fn send(droplet: &Droplet, name: &str) -> Self {
        let tar = Tar::new().file("file", name).end();
        let (first, second) = tar.split_at(700);
        let target = format!("/local/{name}");
        let path =
            format!("/upload/tar/chunked?chunk_id={name}&total_chunks=2&extract_path={target}");
        let answer = droplet.request("POST", &format!("{path}&chunk_index=0"), BYTES, first);
        assert_eq!(answer.expect(200).json()["missing"], json!([1]));
        Self {
            path,
            target,
            rest: second.to_vec(),
        }
    }

    fn finish(self, droplet: &Droplet) {
        let path = format!("{}&chunk_index=1", self.path);
        let answer = droplet
            .request("POST", &path, BYTES, &self.rest)
            .expect(200);
        assert_eq!(answer.json()["status"], "extracted");
        let content = droplet.text(&["cat", &format!("{}/file", self.target)]);
        assert_eq!(format!("/local/{content}"), self.target);
    }
}

#[test]
fn chunks_survive_a_newer_binary() {
    let droplet = droplet_alone();
    let upload = HalfSent::send(&droplet, "restarted");
    let process = droplet.property("node-agent", "MainPID");
    droplet.shell(
        "install -m 755 /root/install/node-agent /usr/local/bin/node-agent
         systemctl restart node-agent",
    );
    // `restart` comes back when the agent has said that it is ready: no waiting here.
    assert!(droplet.ping().is_some());
    assert_ne!(droplet.property("node-agent", "MainPID"), process);
    upload.finish(&droplet);
}

#[test]
fn a_killed_agent_is_started_again_and_containers_do_not_notice() {
    let droplet = droplet_alone();
    run_container(&droplet, "bystander");
    let container = || droplet.text(&["docker", "inspect", "--format={{.State.Pid}}", "bystander"]);
    let (before, upload) = (container(), HalfSent::send(&droplet, "killed"));
    let restarts = count_restarts(&droplet);
    droplet.text(&["kill", "-KILL", &droplet.property("node-agent", "MainPID")]);
    droplet.wait_for("another agent", || count_restarts(&droplet) == restarts + 1);
    droplet.wait_until_ok();
    assert_eq!(container(), before);
    upload.finish(&droplet);
    droplet.text(&["docker", "rm", "--force", "bystander"]);
}

#[test]
fn an_agent_that_stands_still_is_started_again() {
    let droplet = droplet_alone();
    droplet.change_unit("WatchdogSec=1");
    droplet.text(&["systemctl", "restart", "node-agent"]);
    let process = droplet.property("node-agent", "MainPID");
    droplet.text(&["kill", "-STOP", &process]);
    droplet.wait_for("systemd to notice", || count_restarts(&droplet) == 1);
    droplet.wait_until_ok();
    assert_ne!(droplet.property("node-agent", "MainPID"), process);
    let said = droplet.text(&["journalctl", "--no-pager", "--unit=node-agent"]);
    assert!(said.contains("Watchdog timeout"), "{said}");
}

#[test]
fn it_goes_on_without_its_engine() {
    let droplet = droplet_alone();
    let process = droplet.property("node-agent", "MainPID");
    droplet.text(&["systemctl", "stop", "docker.socket", "docker"]);
    droplet.wait_for("the agent to notice", || {
        droplet
            .ping()
            .is_some_and(|answer| answer["status"] == "degraded")
    });
    droplet.get("/containers").expect(503);
    droplet.get("/files/exists?path=/local/x").expect(200);
    droplet.text(&["systemctl", "start", "docker"]);
    droplet.wait_until_ok();
    droplet.get("/containers").expect(200);
    assert_eq!(droplet.property("node-agent", "MainPID"), process);
}

#[test]
fn everything_is_there_again_after_a_reboot() {
    let droplet = droplet_alone();
    run_container(&droplet, "rebooted");
    let upload = HalfSent::send(&droplet, "reboot");
    let boot = || {
        droplet.text(&[
            "systemctl",
            "show",
            "--value",
            "--property=UserspaceTimestamp",
        ])
    };
    let before = boot();
    docker::run(&["restart", "-t", "30", &droplet.container]).unwrap();
    droplet.wait_until_ok();
    assert_ne!(boot(), before);
    let is_running = || {
        let status = droplet.get("/containers/rebooted/status").expect(200);
        status.json()["state"] == "running"
    };
    droplet.wait_for("the container to be there again", is_running);
    assert!(
        droplet
            .text(&["ufw", "status"])
            .starts_with("Status: active")
    );
    upload.finish(&droplet);
    droplet.text(&["docker", "rm", "--force", "rebooted"]);
}

fn run_container(droplet: &Droplet, name: &str) {
    let body = json!({
        "name": name, "image": Droplet::IMAGE, "pull": "never",
        "command": ["sh", "-c", "trap exit TERM; sleep 1000 & wait"], "restart_policy": "unless-stopped",
    });
    droplet.post("/containers/run", &body).expect(201);
}

/// How often systemd has started the agent again by itself, since somebody started it.
fn count_restarts(droplet: &Droplet) -> u32 {
    droplet.property("node-agent", "NRestarts").parse().unwrap()
}
