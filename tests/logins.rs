//! Registry logins: `run` with one that a credential helper keeps, and the docker CLI with one that we saved.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use node_agent::store::logins::{Login, Logins};
use serde_json::json;

use crate::support::Response;
use crate::support::agent::{Agent, Setup};
use crate::support::docker::{self, Docker};
use crate::support::registry::{PASSWORD, Registry, USER};

/// A directory of the docker CLI that names the helper `test` for `registry`, and one with that helper.
struct Helped {
    directory: tempfile::TempDir,
}

impl Helped {
    fn new(registry: &Registry, script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = json!({ "credHelpers": { registry.address().to_string(): "test" } });
        fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
        let helped = Self { directory };
        let source = helped.path().join("source");
        fs::write(&source, format!("#!/bin/sh\n{script}\n")).unwrap();
        // By another process: what is open for writing here while another test forks cannot be started.
        let installed = Command::new("install")
            .args(["-m", "755"])
            .args([source, helped.path().join("docker-credential-test")])
            .status()
            .unwrap();
        assert!(installed.success());
        helped
    }

    fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    fn agent(&self) -> Agent {
        let search = std::env::join_paths([&self.path(), Path::new("/usr/bin"), Path::new("/bin")]);
        Setup::new()
            .env("DOCKER_CONFIG", self.path())
            .env("PATH", search.unwrap())
            .start()
    }
}

/// The image of `docker` in `registry`, and no longer in the engine; taken away again at the end.
struct Pushed(String);

impl Pushed {
    fn new(registry: &Registry, docker: &Docker) -> Self {
        let (login, image) = (registry.logged_in(), Self(registry.reference("team/app:1")));
        docker::run(&["tag", &docker.image(), &image.0]).unwrap();
        docker::run(&["--config", &login, "push", &image.0]).unwrap();
        docker::run(&["rmi", &image.0]).unwrap();
        image
    }

    fn run(&self, agent: &Agent, docker: &Docker) -> Response {
        let body = json!({
            "image": self.0, "labels": [docker.label()], "command": ["busybox", "sleep", "1000"],
        });
        agent.post("/containers/run", &body)
    }
}

impl Drop for Pushed {
    fn drop(&mut self) {
        let _ = docker::run(&["rmi", "-f", &self.0]);
    }
}

#[test]
fn a_login_comes_from_its_helper() {
    let (registry, docker) = (Registry::start(), Docker::new());
    let image = Pushed::new(&registry, &docker);
    let answer = json!({ "ServerURL": "", "Username": USER, "Secret": PASSWORD });
    // It sees what it is asked for, and nothing of the agent's own secrets.
    let script = format!(
        "here=${{0%/*}}\nenv > $here/environment\ncat /proc/self/status > $here/status\n\
         [ \"$1 $(cat)\" = 'get {}' ] && echo '{answer}'",
        registry.address()
    );
    let helped = Helped::new(&registry, &script);
    let agent = helped.agent();
    image.run(&agent, &docker).expect(201);
    let environment = fs::read_to_string(helped.path().join("environment")).unwrap();
    assert!(environment.contains("HOME=") && environment.contains("LANG=C"));
    assert!(!environment.contains("NODE_AGENT_") && !environment.contains("DO_TOKEN"));
    let status = fs::read_to_string(helped.path().join("status")).unwrap();
    assert!(status.contains("SigBlk:\t0000000000000000"), "{status}");
    assert!(!agent.log().iter().any(|line| line.contains(PASSWORD)));
}

#[test]
fn a_helper_that_fails_is_named_with_its_words() {
    let (registry, docker) = (Registry::start(), Docker::new());
    let image = Pushed::new(&registry, &docker);
    let helped = Helped::new(&registry, "echo the keychain is locked; exit 1");
    let refused = image.run(&helped.agent(), &docker).expect(503);
    assert!(
        refused.error().contains("`docker-credential-test`"),
        "{}",
        refused.text()
    );
    assert_eq!(refused.json()["details"], "the keychain is locked");

    let helped = Helped::new(
        &registry,
        "echo credentials not found in native keychain; exit 1",
    );
    let refused = image.run(&helped.agent(), &docker).expect(401);
    assert!(
        refused.error().contains("credentials"),
        "{}",
        refused.text()
    );
}

#[test]
fn the_docker_cli_takes_what_is_saved_here() {
    let (registry, docker) = (Registry::start(), Docker::new());
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("docker");
    let address = registry.address().to_string();
    let login = Login::new(Some(&address), USER.to_owned(), PASSWORD.to_owned(), None);
    let logins = Logins::new(config.clone(), Vec::new());
    logins.save(&login, None).unwrap();
    let saved = fs::read_to_string(config.join("config.json")).unwrap();

    let image = Pushed(registry.reference("team/app:1"));
    docker::run(&["tag", &docker.image(), &image.0]).unwrap();
    let config = config.display().to_string();
    docker::run(&["--config", &config, "push", &image.0]).unwrap();
    // To the byte as the CLI writes it.
    let by_cli = Path::new(&registry.logged_in()).join("config.json");
    assert_eq!(fs::read_to_string(by_cli).unwrap(), saved);
    assert_eq!(logins.find(Some(&address), None).unwrap(), Some(login));
}
