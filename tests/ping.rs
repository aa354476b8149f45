//! `GET /ping`: what load balancers see.

use crate::support::agent::Setup;
use crate::support::{Agent, eventually};
use serde_json::json;

#[test]
fn a_healthy_agent_says_so_at_once() {
    let agent = Agent::start();
    let response = agent
        .connect()
        .request("GET", "/ping", &[], b"")
        .expect(200);
    assert_eq!(
        response.json(),
        json!({"status": "ok", "version": "2.6.1", "docker": true})
    );
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert!(response.header("x-request-id").is_some());
}

#[test]
fn without_an_engine_it_is_degraded_and_still_200() {
    let agent = Setup::new().engine("/nowhere/docker.sock".as_ref()).start();
    let response = agent
        .connect()
        .request("GET", "/ping", &[], b"")
        .expect(200);
    assert_eq!(
        response.json(),
        json!({"status": "degraded", "version": "2.6.1", "docker": false})
    );
}

#[test]
fn with_an_unusable_state_directory_it_is_an_error() {
    // A file where the directory should be: the agent starts all the same and says what is wrong.
    let file = tempfile::NamedTempFile::new().unwrap();
    let agent = Setup::new()
        .env("NODE_AGENT_STATE_DIR", file.path().join("state"))
        .start();
    let response = agent
        .connect()
        .request("GET", "/ping", &[], b"")
        .expect(503);
    assert_eq!(response.json()["status"], "error");
    agent.wait_for_log("cannot make the state directory");
}

#[test]
fn http_1_0_without_host_gets_an_answer_and_a_close() {
    let agent = Agent::start();
    let mut client = agent.connect();
    client.send(b"GET /ping HTTP/1.0\r\n\r\n");
    let response = client.response().expect(200);
    assert_eq!(response.header("connection"), Some("close"));
    assert!(client.is_closed());
}

#[test]
fn http_1_0_with_keep_alive_keeps_the_connection() {
    let agent = Agent::start();
    let mut client = agent.connect();
    for _ in 0..3 {
        client.send(b"GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        let response = client.response().expect(200);
        assert_eq!(response.header("connection"), Some("keep-alive"));
    }
}

#[test]
fn head_has_the_head_of_get_and_no_body() {
    let agent = Agent::start();
    let mut client = agent.connect();
    let get = client.request("GET", "/ping", &[], b"");
    let head = client.request("HEAD", "/ping", &[], b"").expect(200);
    assert_eq!(head.header("content-length"), get.header("content-length"));
    // Nothing of a body is in the way of the next answer.
    client.request("GET", "/ping", &[], b"").expect(200);
}

#[test]
fn request_ids_differ_and_a_harmless_one_of_the_client_is_kept() {
    let agent = Agent::start();
    let mut client = agent.connect();
    let mut id = |headers: &[(&str, &str)]| {
        let response = client.request("GET", "/ping", headers, b"").expect(200);
        response.header("x-request-id").unwrap().to_owned()
    };
    assert_ne!(id(&[]), id(&[]));
    assert_eq!(
        id(&[("X-Request-Id", "deploy-4bd0.ed9b_1")]),
        "deploy-4bd0.ed9b_1"
    );
    assert_ne!(id(&[("X-Request-Id", "a b\"c")]), "a b\"c");
    assert_ne!(id(&[("X-Request-Id", &"x".repeat(65))]), "x".repeat(65));
}

#[test]
fn every_request_is_one_line_of_the_log_without_its_query() {
    let agent = Agent::start();
    let headers = [("X-Request-Id", "the-ping")];
    agent
        .connect()
        .request("GET", "/ping?token=hunter2", &headers, b"")
        .expect(200);
    let line = agent.wait_for_log("id=the-ping");
    for part in [
        "info request",
        "peer=127.0.0.1:",
        "method=GET",
        "path=/ping ",
        "status=200",
        "duration_ms=",
        "bytes_in=",
        "bytes_out=",
    ] {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
    assert!(!agent.log().iter().any(|line| line.contains("hunter2")));
}

#[test]
fn json_logs_are_json() {
    let agent = Setup::new().env("NODE_AGENT_LOG_FORMAT", "json").start();
    agent
        .connect()
        .request("GET", "/ping", &[("X-Request-Id", "j1")], b"")
        .expect(200);
    let line: serde_json::Value = serde_json::from_str(&agent.wait_for_log("j1")).unwrap();
    assert_eq!(
        (&line["id"], &line["status"], &line["path"]),
        (&json!("j1"), &json!(200), &json!("/ping"))
    );
}

#[test]
fn an_engine_that_goes_and_comes_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("docker.sock");
    let agent = Setup::new().engine(&socket).start();
    let docker = || {
        agent.connect().request("GET", "/ping", &[], b"").json()["docker"]
            .as_bool()
            .unwrap()
    };
    assert!(!docker());
    std::os::unix::fs::symlink("/var/run/docker.sock", &socket).unwrap();
    eventually("docker to be true", || docker().then_some(()));
    std::fs::remove_file(&socket).unwrap();
    eventually("docker to be false", || (!docker()).then_some(()));
}

#[test]
fn an_idle_agent_lets_go_of_the_code_of_its_start() {
    let agent = Setup::new().start();
    let (mut most, mut looks) = (0, 0_u32);
    eventually("half of the code to be let go", || {
        // It may have been let go before the first look: then requests bring some of it back.
        if looks.is_multiple_of(700) {
            for path in ["/metrics", "/containers", "/openapi.json"] {
                agent.get(path).expect(200);
            }
        }
        looks += 1;
        let now = agent.proc_status("RssFile");
        most = most.max(now);
        (now > 0 && now < most / 2).then_some(())
    });
    assert_eq!(agent.get("/ping").status, 200);
}
