//! The firewall over HTTP, as far as that needs none: what is refused, and machines without ufw. The rest is in
//! `tests/droplet/`.

use serde_json::json;

use crate::support::agent::Setup;

#[test]
fn what_ufw_would_not_take_is_refused_by_its_field() {
    // Without ufw: a mistake here must not open this machine's ports.
    let agent = Setup::new().without_programs(&["ufw"]).start();
    for (body, field) in [
        (json!({"port": 0}), "port"),
        (json!({"port": 65536}), "port"),
        (json!({"port": -1}), "port"),
        (json!({"port": 1.5}), "port"),
        (json!({"port": "http"}), "port"),
        (json!({"port": "80; reboot"}), "port"),
        (json!({"port": null}), "port"),
        (json!({}), "port"),
        (json!({"port": "6000:6007"}), "protocol"),
        (json!({"port": 80, "protocol": "sctp"}), "protocol"),
        (json!({"port": 80, "protocol": 6}), "protocol"),
        (json!({"port": 80, "from_ip": "10.0.0.300"}), "from_ip"),
        (json!({"port": 80, "from_ip": "10.0.0.1/8"}), "from_ip"),
        (json!({"port": 80, "from_ip": "fd00::/129"}), "from_ip"),
        (json!({"port": 80, "from_ip": "any port 22"}), "from_ip"),
    ] {
        let refused = agent.post("/firewall/allow", &body).expect(400);
        let error = refused.error();
        assert!(error.contains(&format!("`{field}`")), "{body}: {error}");
    }
}

#[test]
fn a_machine_without_ufw_says_so() {
    let agent = Setup::new().without_programs(&["ufw"]).start();
    let status = agent.get("/firewall/status").expect(503);
    assert!(status.error().contains("ufw is not installed"));
    let body = json!({"port": 80, "protocol": "tcp", "from_ip": "10.0.0.0/8"});
    let allow = agent.post("/firewall/allow", &body).expect(503);
    assert!(allow.error().contains("ufw is not installed"));
}
