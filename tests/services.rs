//! Services over HTTP, as far as that needs none: who may be asked for, and machines without systemd. The rest is in
//! `tests/droplet/`.

use crate::support::Client;
use crate::support::agent::Setup;

#[test]
fn other_services_are_forbidden() {
    // Without systemctl: nothing could happen to this machine.
    let agent = Setup::new().without_programs(&["systemctl"]).start();
    for name in [
        "ssh",
        "nginx.service",
        "nginx.service;x",
        "nginx%3Bx",
        "NGINX",
        "Docker",
        "..%2fnginx",
        "%2e%2e",
        "..",
        "nginx%20",
        "nginx%0a",
        "--help",
        "*",
        "docker.socket",
        "node-agent%2F..%2Fssh",
    ] {
        let status = agent.get(&format!("/services/{name}/status")).expect(403);
        assert!(status.error().contains("nginx, docker, node-agent"));
        agent
            .post_nothing(&format!("/services/{name}/restart"))
            .expect(403);
    }
    agent.get("/services/a/b/status").expect(404);
    agent.get("/services/nginx/restart").expect(405);
    let mut stranger = Client::connect(agent.address());
    assert_eq!(
        stranger
            .request("POST", "/services/nginx/restart", &[], b"")
            .status,
        401
    );
}

#[test]
fn a_machine_without_systemctl_says_so() {
    let agent = Setup::new().without_programs(&["systemctl"]).start();
    for service in ["nginx", "docker", "node-agent"] {
        let status = agent
            .get(&format!("/services/{service}/status"))
            .expect(503);
        assert!(status.error().contains("systemctl is not installed"));
        agent
            .post_nothing(&format!("/services/{service}/restart"))
            .expect(503);
    }
}

#[test]
fn a_machine_that_systemd_did_not_start_says_so() {
    let agent = Setup::new().without_programs(&[]).start();
    let status = agent.get("/services/nginx/status").expect(503);
    assert!(status.error().contains("not started by systemd"));
    agent.post_nothing("/services/docker/restart").expect(503);
}
