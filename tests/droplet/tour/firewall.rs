//! The firewall.

use serde_json::json;

use super::Tour;

pub fn drive(tour: &Tour) {
    let body = json!({"port": 7001, "protocol": "tcp", "from_ip": "10.0.0.0/8"});
    let allowed = tour.post("/firewall/allow", &body);
    assert_eq!(
        (&allowed["status"], &allowed["changed"]),
        (&json!("allowed"), &json!(true))
    );
    let shown = tour.text(&["ufw", "status"]);
    let line = shown.lines().find(|line| line.starts_with("7001/tcp"));
    assert!(line.is_some_and(|line| line.contains("10.0.0.0/8")));
    let status = tour.get("/firewall/status");
    assert_eq!(status["status"], "active");
    let rules = status["rules"].as_array().unwrap();
    assert!(rules.contains(&allowed["rule"]));
    let delete = "ufw delete allow proto tcp from 10.0.0.0/8 to any port 7001";
    tour.droplet.shell(delete);
}
