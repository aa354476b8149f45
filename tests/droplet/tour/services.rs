//! Services.

use serde_json::json;

use super::Tour;

pub fn drive(tour: &Tour) {
    let shown = tour.get("/services/nginx/status");
    assert_eq!(
        (&shown["active"], &shown["enabled"]),
        (&json!(true), &json!(true))
    );
    let before = tour.droplet.property("nginx", "MainPID");
    let restarted = tour.post_nothing("/services/nginx/restart");
    assert_eq!(restarted["status"], "restarted");
    assert_ne!(tour.droplet.property("nginx", "MainPID"), before);
}
