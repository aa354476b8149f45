//! The layers of authentication, in their order.

use node_agent::server::routes::{Access, ROUTES, Route};

use crate::support::agent::{KEY, Setup};
use crate::support::{Agent, Client, eventually};

fn status(agent: &Agent, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    agent.connect().request(method, path, headers, b"").status
}

#[test]
fn everything_but_ping_needs_the_key() {
    let agent = Agent::start();
    assert_eq!(status(&agent, "GET", "/ping", &[]), 200);
    for (method, path) in [
        ("GET", "/openapi.json"),
        ("GET", "/containers"),
        ("POST", "/containers/run"),
        ("GET", "/nothing"),
        ("DELETE", "/ping"),
        ("OPTIONS", "*"),
    ] {
        assert_eq!(status(&agent, method, path, &[]), 401, "{method} {path}");
        assert_eq!(
            status(&agent, method, path, &[("X-API-Key", "0000")]),
            401,
            "{method} {path}"
        );
    }
    let response = agent.connect().request("GET", "/openapi.json", &[], b"");
    assert!(response.error().contains("X-API-Key"));
    assert_eq!(
        status(&agent, "GET", "/openapi.json", &[("X-API-Key", KEY)]),
        200
    );
    assert_eq!(
        status(
            &agent,
            "GET",
            "/openapi.json",
            &[("x-api-key", &KEY.to_uppercase())]
        ),
        200
    );
}

#[test]
fn key_holders_learn_what_exists() {
    let agent = Agent::start();
    assert_eq!(
        agent.get("/nothing").expect(404).error(),
        "there is no such endpoint"
    );
    let response = agent.post_nothing("/ping").expect(405);
    assert_eq!(response.header("allow"), Some("GET, HEAD"));
    let response = agent
        .connect()
        .request("OPTIONS", "*", &[("X-API-Key", KEY)], b"")
        .expect(200);
    assert!(response.header("allow").unwrap().contains("POST"));
}

#[test]
fn two_keys_are_ambiguous() {
    let agent = Agent::start();
    let headers = [("X-API-Key", KEY), ("X-API-Key", KEY)];
    let response = agent
        .connect()
        .request("GET", "/openapi.json", &headers, b"")
        .expect(400);
    assert!(response.error().contains("X-API-Key"));
}

#[test]
fn a_wrong_key_is_told_before_a_byte_of_the_body_is_read() {
    let agent = Agent::start();
    let mut client = agent.connect();
    client
        .send(b"POST /containers/run HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\n");
    client.response().expect(401);
    assert!(client.is_closed());
}

#[test]
fn the_allowlist_comes_first_of_all() {
    let agent = Setup::new()
        .env("NODE_AGENT_ALLOWED_IPS", "10.120.0.5,192.168.0.0/16")
        .start();
    for path in ["/ping", "/openapi.json", "/nothing"] {
        let response = agent.connect().request(
            "GET",
            path,
            &[("X-API-Key", KEY), ("X-Forwarded-For", "10.120.0.5")],
            b"",
        );
        assert!(response.expect(403).error().contains("allowlist"));
    }
    let agent = Setup::new()
        .env("NODE_AGENT_ALLOWED_IPS", "127.0.0.0/8")
        .start();
    assert_eq!(status(&agent, "GET", "/ping", &[]), 200);
    assert_eq!(status(&agent, "GET", "/openapi.json", &[]), 401);
}

#[test]
fn an_ipv4_peer_of_a_dual_stack_socket_is_an_ipv4_peer() {
    let agent = Setup::new()
        .env("NODE_AGENT_BIND", "[::]:0")
        .env("NODE_AGENT_ALLOWED_IPS", "127.0.0.1")
        .start();
    let port = agent.address().port();
    let get = |ip: &str| {
        Client::connect(format!("{ip}:{port}").parse().unwrap())
            .request("GET", "/ping", &[], b"")
            .status
    };
    assert_eq!(get("127.0.0.1"), 200);
    assert_eq!(get("[::1]"), 403);
}

#[test]
fn the_bypass_lets_private_peers_in() {
    let agent = Setup::new()
        .env("NODE_AGENT_REQUIRE_AUTH_ALWAYS", "false")
        .start();
    agent.wait_for_log("NODE_AGENT_REQUIRE_AUTH_ALWAYS=false");
    assert_eq!(status(&agent, "GET", "/openapi.json", &[]), 200);
}

/// What always needs the key, whoever asks.
const ALWAYS: &[(&str, &str)] = &[
    ("POST", "/containers/run"),
    ("GET", "/containers/all/health"),
    ("GET", "/containers/x/health"),
    ("GET", "/containers/x/logs"),
    ("POST", "/containers/x/exec"),
    ("POST", "/images/cleanup"),
    ("POST", "/docker/build"),
    ("POST", "/files/write"),
    ("POST", "/files/delete"),
    ("POST", "/upload/tar"),
    ("POST", "/upload/tar/stream"),
    ("POST", "/upload/tar/chunked"),
    ("DELETE", "/upload/tar/chunked"),
    ("POST", "/git/clone"),
    ("POST", "/cron/run-docker"),
];

#[test]
fn the_bypass_does_not_reach_what_always_needs_the_key() {
    let agent = Setup::new()
        .env("NODE_AGENT_REQUIRE_AUTH_ALWAYS", "false")
        .start();
    for (method, path) in ALWAYS {
        assert_eq!(status(&agent, method, path, &[]), 401, "{method} {path}");
        let wrong = [("X-API-Key", "0000")];
        assert_eq!(status(&agent, method, path, &wrong), 401, "{method} {path}");
    }
    // The list is the server's own: one that is added there is added here too.
    let listed = |route: &Route| {
        let path = route.pattern.replace("{n}", "x");
        ALWAYS.contains(&(route.verb.name(), path.as_str()))
    };
    for route in ROUTES {
        let always = matches!(route.access, Access::KeyAlways);
        assert_eq!(always, listed(route), "{}", route.pattern);
    }
}

#[test]
fn keys_are_rotated_by_sighup() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    let (old, new) = ("a".repeat(64), "b".repeat(64));
    std::fs::write(&file, &old).unwrap();
    let agent = Setup::new()
        .env("NODE_AGENT_API_KEY_FILE", &file)
        .env("NODE_AGENT_API_KEY_PREVIOUS", KEY)
        .start();
    let get = |key: &str| status(&agent, "GET", "/openapi.json", &[("X-API-Key", key)]);
    assert_eq!((get(&old), get(KEY), get(&new)), (200, 200, 401));
    std::fs::write(&file, &new).unwrap();
    agent.signal("HUP");
    agent.wait_for_log("the API keys were read again");
    assert_eq!((get(&old), get(KEY), get(&new)), (401, 200, 200));
    std::fs::remove_file(&file).unwrap();
    agent.signal("HUP");
    agent.wait_for_log("the API keys stay as they are");
    eventually("the key to be still good", || {
        (get(&new) == 200).then_some(())
    });
}
