//! Containers.

use std::net::SocketAddr;

use serde_json::json;

use super::Tour;
use crate::Droplet;
use crate::support::Client;

/// The droplet's port that the container is published at.
const PORT: u16 = 18080;

pub fn drive(tour: &Tour) {
    run(tour);
    look(tour);
    logs_and_exec(tour);
    life(tour);
}

fn run(tour: &Tour) {
    let answer = tour.post(
        "/containers/run",
        &json!({
            "name": "tour", "image": Droplet::IMAGE, "pull": "never",
            "command": ["sh", "-c", "echo began $WORD; exec busybox httpd -f -p 80 -h /data"],
            "ports": [format!("{PORT}:80")], "environment": { "WORD": "well" },
            "volumes": ["/local/tour-data:/data"], "restart_policy": "unless-stopped",
            "health_check": { "test": "test -d /data", "interval": 1, "timeout": 5, "retries": 3 },
        }),
    );
    assert_eq!(
        (&answer["status"], &answer["id"]),
        (&json!("running"), &json!(about(tour, "Id")))
    );
    assert_eq!(
        about(tour, "HostConfig.RestartPolicy.Name"),
        "unless-stopped"
    );
    // A published port is open to the outside, and the volume is the droplet's directory.
    tour.post(
        "/files/write",
        &json!({ "path": "/local/tour-data/greeting", "content": "hello from inside" }),
    );
    tour.droplet.wait_for("the container to serve", || {
        greeting(tour) == "hello from inside"
    });
}

/// What the published port serves; nothing while nobody is behind it.
fn greeting(tour: &Tour) -> String {
    let address = SocketAddr::new(tour.droplet.address.ip(), PORT);
    let Ok(mut client) = Client::try_connect(address) else {
        return String::new();
    };
    // It ends with a reset when the container is not up yet.
    let _ = client.try_send(b"GET /greeting HTTP/1.0\r\n\r\n");
    let answer = String::from_utf8(client.rest()).unwrap();
    let body = answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned());
    body.unwrap_or_default()
}

fn look(tour: &Tour) {
    let id = about(tour, "Id");
    let listed = tour.get("/containers");
    let ours = |item: &&serde_json::Value| item["ID"] == json!(id);
    let item = listed["containers"]
        .as_array()
        .unwrap()
        .iter()
        .find(ours)
        .unwrap();
    assert_eq!(
        (&item["Names"], &item["State"]),
        (&json!("/tour"), &json!("running"))
    );
    let status = tour.get("/containers/tour/status");
    assert_eq!(
        (&status["id"], &status["state"]),
        (&json!(id), &json!("running"))
    );
    let inspected = tour.get("/containers/tour/inspect");
    assert_eq!(
        inspected["State"]["Pid"].to_string(),
        about(tour, "State.Pid")
    );
    let health = || tour.get("/containers/tour/health")["health_status"].clone();
    tour.droplet
        .wait_for("the container to be healthy", || health() == "healthy");
    assert_eq!(about(tour, "State.Health.Status"), "healthy");
    assert_eq!(tour.get("/containers/all/health")["tour"], "healthy");
}

fn logs_and_exec(tour: &Tour) {
    let logs = tour.get("/containers/tour/logs?tail=5");
    assert_eq!(logs["logs"], "began well\n");
    let body = json!({ "command": ["sh", "-c", "cat /data/greeting; echo $WORD >&2; exit 3"] });
    let answer = tour.post("/containers/tour/exec", &body);
    assert_eq!(
        (&answer["exit_code"], &answer["stdout"]),
        (&json!(3), &json!("hello from inside"))
    );
    assert_eq!(answer["stderr"], "well\n");
}

fn life(tour: &Tour) {
    let first = about(tour, "State.Pid");
    tour.post_nothing("/containers/tour/restart?timeout=0");
    assert_ne!(about(tour, "State.Pid"), first);
    assert_eq!(
        tour.post_nothing("/containers/tour/stop?timeout=0")["changed"],
        true
    );
    assert_eq!(about(tour, "State.Status"), "exited");
    assert_eq!(tour.post_nothing("/containers/tour/start")["changed"], true);
    assert_eq!(about(tour, "State.Status"), "running");
    tour.post_nothing("/containers/tour/remove?force=true");
    assert_eq!(
        tour.text(&["docker", "ps", "-aq", "--filter", "name=^tour$"]),
        ""
    );
    assert_eq!(
        tour.text(&["cat", "/local/tour-data/greeting"]),
        "hello from inside"
    );
}

/// What the engine knows of it.
fn about(tour: &Tour, field: &str) -> String {
    tour.text(&[
        "docker",
        "inspect",
        "--format",
        &format!("{{{{.{field}}}}}"),
        "tour",
    ])
}
