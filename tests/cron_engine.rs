//! `node-agent cron-run ID` and the engine: images, what is missing, and an engine that goes away.

use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::cron_lab::{CronLab, Run, containers_of, let_go, state_of, waiting};
use crate::support::docker;
use crate::support::dockerd::Dockerd;
use crate::support::eventually;
use crate::support::registry::{PASSWORD, Registry, USER};

#[test]
fn what_keeps_it_from_running_is_recorded() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let no_network = format!("{}-none", lab.docker.name);
    for (fields, words) in [
        (json!({"networks": [no_network]}), "could not be started"),
        (
            json!({"networks": [lab.docker.name.clone(), no_network]}),
            "could not be started",
        ),
        (
            json!({"image": "node-agent-test-no-such:1", "pull": "never"}),
            "there is no image `node-agent-test-no-such:1`",
        ),
        (
            json!({"image": "127.0.0.1:1/none:1"}),
            "image `127.0.0.1:1/none:1` could not be pulled",
        ),
        (
            json!({"image": "127.0.0.1:1/none:1", "pull": "always"}),
            "could not be pulled",
        ),
        (
            json!({"command": ["/no/such/program"]}),
            "could not be started",
        ),
    ] {
        let id = lab.job_with(&agent, &fields);
        assert_eq!(lab.run(&id).status.code(), Some(125));
        let listed = state_of(&agent, &id);
        let error = listed["last_error"].as_str().unwrap();
        assert!(
            error.contains(words) && listed["last_exit_code"] == 125,
            "{listed}"
        );
        assert!(lab.journal().concat().contains(words));
        assert!(containers_of(&id).is_empty());
    }
    let id = lab.job(&agent, &json!([]));
    let mut run = lab.cron_run(&id);
    let output = run
        .env("NODE_AGENT_DOCKER_SOCKET", lab.path("no.sock"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    let listed = state_of(&agent, &id);
    assert!(
        listed["last_error"].as_str().unwrap().contains("no.sock"),
        "{listed}"
    );
}

#[test]
fn an_image_is_pulled_with_the_saved_login() {
    let lab = CronLab::new();
    let registry = Registry::start();
    let login = registry.logged_in();
    let image = registry.reference("team/job:1");
    docker::run(&["tag", &lab.docker.image(), &image]).unwrap();
    docker::run(&["--config", &login, "push", &image]).unwrap();
    docker::run(&["rmi", &image]).unwrap();
    let agent = lab.agent();
    let id = lab.job_with(&agent, &json!({"image": image, "command": "exit 5"}));
    assert_eq!(lab.run(&id).status.code(), Some(125));
    let login =
        json!({"registry": registry.address().to_string(), "username": USER, "password": PASSWORD});
    agent.post("/docker/login", &login).expect(200);
    let output = lab.run(&id);
    let _ = docker::run(&["rmi", &image]);
    assert_eq!(output.status.code(), Some(5), "{:#?}", lab.journal());
}

#[test]
fn an_engine_that_dies_under_a_run_ends_it() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let (id, _data) = waiting(&lab, &agent);
    let mut dockerd = Dockerd::start(&json!({}));
    dockerd.take_image(&lab.docker.image());
    let mut command = lab.cron_run(&id);
    command
        .env("NODE_AGENT_DOCKER_SOCKET", dockerd.socket())
        .stderr(Stdio::null());
    let mut run = Run(command.spawn().unwrap());
    let is_running = |dockerd: &Dockerd| !dockerd.docker(&["ps", "-q"]).unwrap().is_empty();
    eventually("the container to run", || {
        is_running(&dockerd).then_some(())
    });
    dockerd.kill();
    dockerd.start_again(&json!({}));
    let code = run.wait().unwrap();
    assert_ne!(code, 0);
    let listed = state_of(&agent, &id);
    assert!(
        listed["last_exit_code"] == code && listed["running"] == false,
        "{listed}"
    );
    assert!(lab.journal().concat().contains("the engine went away"));
    eventually("the engine to have removed the container", || {
        dockerd
            .docker(&["ps", "-aq"])
            .unwrap()
            .is_empty()
            .then_some(())
    });
}

/// Hands on what comes to `socket` to the machine's engine and back, until everything that is open is broken off.
struct Between(Arc<Mutex<Vec<UnixStream>>>);

impl Between {
    fn listen(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let open = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&open);
        // It ends with the test program.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let engine = UnixStream::connect("/var/run/docker.sock").unwrap();
                for (from, to) in [(&client, &engine), (&engine, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        // Broken off, as it is meant to be.
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
                kept.lock().unwrap().extend([client, engine]);
            }
        });
        Self(open)
    }

    fn break_off(&self) {
        for stream in self.0.lock().unwrap().drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn a_run_outlives_its_connection_to_an_engine_that_keeps_the_container() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let (id, data) = waiting(&lab, &agent);
    let socket = lab.path("between.sock");
    let between = Between::listen(&socket);
    let mut command = lab.cron_run(&id);
    command
        .env("NODE_AGENT_DOCKER_SOCKET", &socket)
        .stderr(Stdio::null());
    let mut run = Run(command.spawn().unwrap());
    let mut seen = String::new();
    let mut wait_for = |words: &str| {
        eventually(words, || {
            seen.push_str(&lab.journal().concat());
            seen.contains(words).then_some(())
        });
    };
    wait_for("begun");
    between.break_off();
    wait_for("the engine went away");
    assert_eq!(state_of(&agent, &id)["running"], true);
    assert_eq!(containers_of(&id).len(), 1);
    let_go(&data);
    assert_eq!(run.wait(), Some(3));
    assert_eq!(state_of(&agent, &id)["last_exit_code"], 3);
    assert!(containers_of(&id).is_empty());
}
