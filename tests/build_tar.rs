//! `POST /docker/build` with the tar itself as the body, and base images that only a saved login gets, on the real
//! engine and a real registry.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::agent::{Agent, KEY, Setup};
use crate::support::builds::{BUILD, Builds, id_of, lines, printed, run};
use crate::support::docker;
use crate::support::registry::{PASSWORD, Registry, USER};
use crate::support::upload::{self, gzipped, head, post_chunked};

/// A value as it stands in a query.
fn encoded(value: &Value) -> String {
    let text = value.to_string();
    percent_encoding::percent_encode(text.as_bytes(), percent_encoding::NON_ALPHANUMERIC)
        .to_string()
}

#[test]
fn a_tar_in_any_form_becomes_an_image() {
    let builds = Builds::new();
    builds.write(
        "sub/File",
        builds.on_image("ARG WHO=nobody\nCOPY hello /\nRUN echo $WHO >> /hello"),
    );
    builds.write("hello", "hello\n");
    let tag = builds.tag("1");
    let query = format!(
        "dockerfile=sub/File&tag={tag}&build_args={}&labels={}",
        encoded(&json!({ "WHO": true })),
        encoded(&json!({ "a": 1 })),
    );
    let tar = builds.tar();
    let built = builds.build_tar(&query, &tar).expect(200).json();
    assert_eq!(built["image_id"], id_of(&tag));
    assert_eq!(
        (&built["status"], &built["tag"]),
        (&json!("built"), &json!(tag))
    );
    assert_eq!(run(&tag, "busybox cat /hello"), "hello\ntrue");
    let label = docker::run(&["inspect", "--format={{.Config.Labels.a}}", &tag]);
    assert_eq!(label.as_deref(), Ok("1"));
    // The steps are known by now: it is the same image, however it is sent.
    let path = format!("{BUILD}?{query}");
    let (agent, compressed) = (&builds.agent, gzipped(&tar));
    for answer in [
        upload::post(agent, &path, "application/gzip", &compressed),
        upload::post(agent, &path, "application/octet-stream", &compressed),
        post_chunked(agent, &path, "application/x-tar", &tar),
        post_chunked(agent, &path, "application/x-tar", &compressed),
    ] {
        assert_eq!(answer.expect(200).json()["image_id"], built["image_id"]);
    }
    let live = builds
        .build_tar(&format!("{query}&stream=1"), &tar)
        .expect(200);
    let (steps, last) = lines(&live);
    assert!(printed(&steps).contains("Using cache"));
    assert_eq!(last["image_id"], built["image_id"]);
    assert_eq!(agent.state_files(), Vec::<String>::new());
}

#[test]
fn a_body_that_is_no_context_is_refused() {
    let builds = Builds::new();
    let without = builds.tar();
    builds.dockerfile("COPY large /");
    builds.write("large", vec![b'x'; 100_000]);
    let tar = builds.tar();
    let (half, gzip) = (&tar[..tar.len() / 2], gzipped(&tar));
    let post = |kind: &str, body: &[u8]| upload::post(&builds.agent, BUILD, kind, body);
    let engine = "the engine cannot build this";
    for (kind, body, status, sentence, words) in [
        ("application/x-tar", &without[..], 400, engine, "Dockerfile"),
        ("application/x-tar", b"hello", 400, engine, ""),
        ("application/x-tar", half, 400, engine, "unexpected EOF"),
        (
            "application/gzip",
            &gzip[..gzip.len() / 2],
            400,
            engine,
            "unexpected EOF",
        ),
        ("application/x-tar", b"", 400, "the body is empty", ""),
        (
            "text/plain",
            &tar,
            415,
            "the body is text/plain; this endpoint takes application/json, ",
            "",
        ),
        (
            "multipart/form-data; boundary=XX",
            &tar,
            415,
            "the body is multipart/form-data",
            "",
        ),
        ("application/json", &tar, 400, "the body ", ""),
    ] {
        let answer = post(kind, body);
        let (code, error) = (answer.status, answer.error());
        assert_eq!(code, status, "{kind}: {}", answer.text());
        assert!(error.starts_with(sentence), "{kind}: {error}");
        let details = answer.json()["details"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(details.contains(words), "{kind}: {details}");
    }
    // The engine's own paths are held to the context as well.
    let outside = builds
        .build_tar("dockerfile=../../../etc/passwd", &tar)
        .expect(400);
    assert_eq!(outside.error(), engine);
    for query in [
        "build_args=x",
        "build_args=[1]",
        "labels=1",
        "no_cache=maybe",
        "tag=A",
        "stream=x",
    ] {
        let error = builds.build_tar(query, &tar).expect(400).error();
        let name = query.split('=').next().unwrap();
        assert!(error.contains(&format!("`{name}`")), "{error}");
    }
    let mut client = builds.agent.connect();
    client.send(&head(BUILD, "Content-Type: application/x-tar\r\n"));
    client.response().expect(411);
    assert_eq!(builds.made(), Vec::<String>::new());
    assert_eq!(builds.agent.state_files(), Vec::<String>::new());
}

#[test]
fn a_body_beyond_the_limit_is_413() {
    let builds = Builds::of(Setup::new().env("NODE_AGENT_MAX_UPLOAD_BYTES", "4000"));
    builds.dockerfile("");
    let tar = builds.tar();
    let error = builds.build_tar("", &tar).expect(413).error();
    assert_eq!(error, "the body is larger than 4000 bytes");
    post_chunked(&builds.agent, BUILD, "application/x-tar", &tar).expect(413);
}

/// An image that is in the registry alone, and again after each build.
struct Private {
    registry: Registry,
    image: String,
}

impl Private {
    fn of(builds: &Builds) -> Self {
        let registry = Registry::start();
        let image = registry.reference("team/base:1");
        let login = registry.logged_in();
        docker::run(&["tag", &builds.docker.image(), &image]).unwrap();
        let private = Self { registry, image };
        docker::run(&["--config", &login, "push", &private.image]).unwrap();
        private.take_away();
        private
    }

    fn take_away(&self) {
        docker::run(&["rmi", &self.image]).unwrap();
    }

    /// Builds on it with an agent of this setup.
    fn build(&self, builds: &Builds, setup: Setup) -> (crate::support::Response, Agent) {
        builds.write("Dockerfile", format!("FROM {}\n", self.image));
        let agent = setup.start();
        let answer = agent.post(BUILD, &builds.body(&json!({})));
        (answer, agent)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = docker::run(&["rmi", "-f", &self.image]);
    }
}

/// A directory of the docker CLI in which a credential helper has the login.
fn helped(directory: &Path, registry: &Registry) -> Setup {
    let answer = json!({ "ServerURL": "", "Username": USER, "Secret": PASSWORD });
    let config = json!({ "credHelpers": { registry.address().to_string(): "test" } });
    std::fs::write(directory.join("config.json"), config.to_string()).unwrap();
    let source = directory.join("source");
    std::fs::write(&source, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
    // By another process: what is open for writing here while another test forks cannot be started.
    let installed = Command::new("install")
        .args(["-m", "755"])
        .args([source, directory.join("docker-credential-test")])
        .status()
        .unwrap();
    assert!(installed.success());
    let search = [directory.to_owned(), "/usr/bin".into(), "/bin".into()];
    Setup::new()
        .env("DOCKER_CONFIG", directory)
        .env("PATH", std::env::join_paths::<_, PathBuf>(search).unwrap())
}

#[test]
fn saved_logins_go_along() {
    let builds = Builds::new();
    let private = Private::of(&builds);
    let (refused, agent) = private.build(&builds, Setup::new());
    let error = refused.expect(400).error();
    let sentence = format!(
        "base image `{}` is not there, or the saved logins",
        private.image
    );
    assert!(error.starts_with(&sentence), "{error}");
    drop(agent);

    let directory = tempfile::tempdir().unwrap();
    let helped = helped(directory.path(), &private.registry);
    let saved = Setup::new().env("DOCKER_CONFIG", private.registry.logged_in());
    for setup in [saved, helped] {
        let (built, agent) = private.build(&builds, setup);
        let built = built.expect(200).json();
        assert_eq!(built["image_id"], id_of(&private.image));
        assert_eq!(built.get("warnings"), None, "{built}");
        assert!(!agent.log().iter().any(|line| line.contains(PASSWORD)));
        private.take_away();
    }

    // A helper that fails is a warning: the build may not need it.
    let config = json!({ "credHelpers": { "other.example": "missing" } });
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    builds.dockerfile("");
    let agent = Setup::new().env("DOCKER_CONFIG", directory.path()).start();
    let built = agent
        .post(BUILD, &builds.body(&json!({})))
        .expect(200)
        .json();
    let warnings = built["warnings"].to_string();
    assert!(
        warnings.contains("`docker-credential-missing` is not in the agent's PATH"),
        "{warnings}"
    );
}

#[test]
fn a_build_needs_the_key_from_everywhere() {
    let agent = Setup::new()
        .env("NODE_AGENT_REQUIRE_AUTH_ALWAYS", "false")
        .start();
    let mut client = agent.connect();
    client.request("POST", BUILD, &[], b"{}").expect(401);
    let with_key = [("X-API-Key", KEY)];
    agent
        .connect()
        .request("POST", BUILD, &with_key, b"{}")
        .expect(400);
}
