//! An engine that is not as the machine's: without limits for logs, restarted, or standing still. The agent is never
//! restarted.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::agent::{KEY, Setup};
use crate::support::docker::Docker;
use crate::support::dockerd::Dockerd;
use crate::support::{Agent, Client, eventually};

/// An agent on an engine of our own that has an image.
struct Lab {
    agent: Agent,
    engine: Dockerd,
    image: Docker,
}

impl Lab {
    fn new(configuration: &Value) -> Self {
        let engine = Dockerd::start(configuration);
        let image = Docker::new();
        engine.take_image(&image.image());
        let agent = Setup::new().engine(&engine.socket()).start();
        Self {
            agent,
            engine,
            image,
        }
    }

    /// The log configuration of a container that `run` makes with `more` in its body.
    fn log_config_of_run(&self, name: &str, more: &Value) -> Value {
        let mut body = json!({
            "name": name, "image": self.image.image(), "pull": "never", "network": "none",
            "command": ["busybox", "sleep", "1000"],
        });
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let ran = self.agent.post("/containers/run", &body).expect(201).json();
        assert_eq!(ran["warnings"], json!([]));
        let format = "{{json .HostConfig.LogConfig}}";
        let config = self.engine.docker(&["inspect", "--format", format, name]);
        serde_json::from_str(&config.unwrap()).unwrap()
    }
}

#[test]
fn logs_that_nobody_limits_are_rotated() {
    let mut lab = Lab::new(&json!({}));
    let ours = json!({ "Type": "json-file", "Config": { "max-file": "3", "max-size": "10m" } });
    // The first one teaches what the daemon does by itself; the second one uses it.
    assert_eq!(lab.log_config_of_run("first", &json!({})), ours);
    assert_eq!(lab.log_config_of_run("second", &json!({})), ours);
    let own = json!({ "log_opts": { "max-size": "1m" } });
    let asked = json!({ "Type": "json-file", "Config": { "max-size": "1m" } });
    assert_eq!(lab.log_config_of_run("third", &own), asked);
    let names = lab
        .engine
        .docker(&["ps", "--format", "{{.Names}}"])
        .unwrap();
    assert_eq!(names.lines().count(), 3, "{names}");

    // What was learnt is forgotten with the engine that it was learnt of.
    lab.engine.stop();
    let error = lab.agent.get("/containers").expect(503).error();
    assert!(error.contains("cannot be reached"), "{error}");
    lab.engine
        .start_again(&json!({ "log-driver": "json-file", "log-opts": { "max-size": "5m" } }));
    lab.agent.get("/containers").expect(200);
    let configured = json!({ "Type": "json-file", "Config": { "max-size": "5m" } });
    assert_eq!(lab.log_config_of_run("fourth", &json!({})), configured);
}

#[test]
fn another_log_driver_is_left_alone() {
    let lab = Lab::new(&json!({ "log-driver": "local" }));
    let local = json!({ "Type": "local", "Config": {} });
    assert_eq!(lab.log_config_of_run("first", &json!({})), local);
}

#[test]
fn an_engine_that_stands_still_is_504_in_time_and_well_when_it_goes_on() {
    let lab = Lab::new(&json!({}));
    lab.agent.get("/containers").expect(200);
    lab.engine.freeze();
    let start = Instant::now();
    let mut client = lab.agent.connect();
    let patience = Some(Duration::from_secs(60));
    client.socket().set_read_timeout(patience).unwrap();
    client.send(&Client::encode(
        "GET",
        "/containers",
        &[("X-API-Key", KEY)],
        b"",
    ));
    let error = client.response().expect(504).error();
    assert!(error.contains("did not answer"), "{error}");
    assert!(
        start.elapsed() < Duration::from_secs(40),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        lab.agent.get("/ping").expect(200).json()["status"],
        "degraded"
    );
    lab.engine.thaw();
    lab.agent.get("/containers").expect(200);
    eventually("ping to say ok", || {
        (lab.agent.get("/ping").json()["status"] == "ok").then_some(())
    });
}
