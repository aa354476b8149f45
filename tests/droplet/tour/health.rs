//! Health and monitoring.

use serde_json::json;

use super::Tour;

pub fn drive(tour: &Tour) {
    let answer = tour.droplet.connect().request("GET", "/ping", &[], b"");
    let answer = tour.note("GET", "/ping", answer).json();
    let version = tour.text(&["/usr/local/bin/node-agent", "--version"]);
    let version = version.strip_prefix("node-agent ").unwrap();
    let expected = json!({ "status": "ok", "version": version, "docker": true });
    assert_eq!(answer, expected);

    let metrics = tour.get("/metrics");
    let system = &metrics["system"];
    assert_eq!(system["hostname"], json!(tour.text(&["hostname"])));
    assert_eq!(system["cpu"]["cores"].to_string(), tour.text(&["nproc"]));
    assert!(metrics["containers"].is_array() && metrics["agent"].is_object());
}
