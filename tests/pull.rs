//! `run` with an image that is not here: from a real registry, with and without a saved login.

use serde_json::json;

use crate::support::Response;
use crate::support::agent::{Agent, Setup};
use crate::support::docker::{self, Docker};
use crate::support::registry::Registry;

/// Takes an image of the registry away from the engine when the test ends.
struct Pulled(String);

impl Drop for Pulled {
    fn drop(&mut self) {
        let _ = docker::run(&["rmi", &self.0]);
    }
}

fn run(agent: &Agent, docker: &Docker, image: &str, pull: &str) -> Response {
    let label = docker.label();
    let command = ["busybox", "sleep", "1000"];
    agent.post(
        "/containers/run",
        &json!({ "image": image, "pull": pull, "labels": [label], "command": command }),
    )
}

#[test]
fn a_missing_image_is_pulled_with_the_saved_login() {
    let (registry, docker) = (Registry::start(), Docker::new());
    let login = registry.logged_in();
    let image = Pulled(registry.reference("team/app:1"));
    docker::run(&["tag", &docker.image(), &image.0]).unwrap();
    docker::run(&["--config", &login, "push", &image.0]).unwrap();
    docker::run(&["rmi", &image.0]).unwrap();

    let stranger = Agent::start();
    let refused = run(&stranger, &docker, &image.0, "missing").expect(401);
    assert!(
        refused.error().contains("credentials"),
        "{}",
        refused.text()
    );
    assert!(
        run(&stranger, &docker, &image.0, "never")
            .expect(404)
            .error()
            .contains("never")
    );

    let agent = Setup::new().env("DOCKER_CONFIG", &login).start();
    let ran = run(&agent, &docker, &image.0, "missing").expect(201).json();
    assert_eq!(ran["image"], image.0);
    run(&agent, &docker, &image.0, "always").expect(201);
    for missing in ["team/app:2", "team/other:1"] {
        let missing = registry.reference(missing);
        let error = run(&agent, &docker, &missing, "missing")
            .expect(404)
            .error();
        assert!(error.contains(&missing), "{error}");
    }
    assert!(!agent.log().iter().any(|line| line.contains("pass:word")));
    let label = format!("label={}", docker.label());
    let containers = docker::run(&["ps", "-aq", "--filter", &label]).unwrap();
    assert_eq!(containers.lines().count(), 2);
    docker::run(&[
        "rm",
        "-f",
        containers.lines().next().unwrap(),
        containers.lines().last().unwrap(),
    ])
    .unwrap();
}

#[test]
fn a_registry_that_is_not_there_is_a_bad_gateway() {
    let (agent, docker) = (Agent::start(), Docker::new());
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = run(&agent, &docker, &format!("{gone}/a:1"), "missing")
        .expect(502)
        .error();
    assert!(error.contains("cannot be reached"), "{error}");
}
