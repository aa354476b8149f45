//! A job: made, listed, and removed. That it fires is seen in `crate::cron`.

use serde_json::json;

use super::Tour;
use crate::Droplet;

pub fn drive(tour: &Tour) {
    let body = json!({
        "schedule": "0 2 * * *", "image": Droplet::IMAGE, "command": ["/bin/sh", "-c", "true"],
        "environment": ["DEBUG=1"], "volumes": ["/local/data:/data"],
    });
    let made = tour.post("/cron/run-docker", &body);
    let id = made["id"].as_str().unwrap();
    let line = tour.text(&["grep", "--fixed-strings", id, "/etc/cron.d/node-agent"]);
    assert!(line.starts_with("0 2 * * * root "), "{line}");

    let listed = tour.get("/cron/jobs");
    let job = listed["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|job| job["id"] == id)
        .unwrap();
    assert_eq!(job["schedule"], "0 2 * * *");
    assert!(
        job["command"]
            .as_str()
            .unwrap()
            .starts_with("docker run --rm ")
    );
    assert!(job["created"].as_str().unwrap().ends_with('Z'));

    tour.post("/cron/remove", &json!({ "job_id": id }));
    let left = tour
        .droplet
        .run(&["grep", "--quiet", id, "/etc/cron.d/node-agent"]);
    assert_eq!(left.status.code(), Some(1));
}
