//! Behind a real HAProxy: whom its health check takes for healthy, and that traffic follows.

use std::os::unix::fs::symlink;

use crate::support::agent::Setup;
use crate::support::haproxy::HaProxy;
use crate::support::{Agent, eventually};

/// What HAProxy sends when nothing else is said: no Host, HTTP/1.0.
const HTTP_1_0: &str = "    option httpchk GET /ping";
const HTTP_1_1: &str = "    option httpchk\n    \
                        http-check send meth GET uri /ping ver HTTP/1.1 hdr Host agent";

#[test]
fn checked_with_http_1_0_only_the_dead_one_goes_down() {
    only_the_dead_one_goes_down(HTTP_1_0);
}

#[test]
fn checked_with_http_1_1_only_the_dead_one_goes_down() {
    only_the_dead_one_goes_down(HTTP_1_1);
}

fn only_the_dead_one_goes_down(check: &str) {
    let directory = tempfile::tempdir().unwrap();
    let engine = directory.path().join("docker.sock");
    symlink("/var/run/docker.sock", &engine).unwrap();
    let loses_engine = Setup::new().engine(&engine).start();
    let dies = Agent::start();
    let servers = [
        ("loses_engine", loses_engine.address()),
        ("dies", dies.address()),
    ];
    let proxy = HaProxy::start(check, &servers);
    proxy.wait_for("loses_engine", "L7OK", "UP");
    proxy.wait_for("dies", "L7OK", "UP");

    std::fs::remove_file(&engine).unwrap();
    eventually("the agent to notice that its engine is gone", || {
        let ping = loses_engine.connect().request("GET", "/ping", &[], b"");
        (ping.expect(200).json()["status"] == "degraded").then_some(())
    });
    // Five checks saw it so; two bad ones would have been enough.
    let seen = loses_engine.log().len();
    eventually("five more checks", || {
        (loses_engine.log().len() >= seen + 5).then_some(())
    });
    assert_eq!(proxy.stat("loses_engine", "status"), "UP");
    assert_eq!(proxy.stat("loses_engine", "chkfail"), "0");

    drop(dies);
    eventually("the dead one to be DOWN", || {
        (proxy.stat("dies", "status") == "DOWN").then_some(())
    });
    for _ in 0..50 {
        let answer = proxy.get("/ping");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("degraded"), "{answer}");
    }
}

#[test]
fn one_with_an_unusable_state_directory_is_down() {
    // A file where the directory should be.
    let file = tempfile::NamedTempFile::new().unwrap();
    let broken = Setup::new()
        .env("NODE_AGENT_STATE_DIR", file.path().join("state"))
        .start();
    let sound = Agent::start();
    for check in [HTTP_1_0, HTTP_1_1] {
        let servers = [("broken", broken.address()), ("sound", sound.address())];
        let proxy = HaProxy::start(check, &servers);
        proxy.wait_for("broken", "L7STS", "DOWN");
        assert_eq!(proxy.stat("broken", "check_code"), "503");
        proxy.wait_for("sound", "L7OK", "UP");
        for _ in 0..20 {
            let answer = proxy.get("/ping");
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    }
}
