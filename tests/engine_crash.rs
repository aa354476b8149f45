//! An agent that is killed while the engine works for it: builds, pulls, loads. After its next start nothing of it is
//! left, here or in the engine, and the same work succeeds.

use std::path::Path;
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::support::agent::{Agent, KEY, Setup};
use crate::support::builds::{BUILD, Builds};
use crate::support::docker::{self, Docker};
use crate::support::peer::{Peer, Then};
use crate::support::registry::{PASSWORD, USER};
use crate::support::shelf::Shelf;
use crate::support::upload::{form, head, post, saved};
use crate::support::{Client, eventually};

const MIB: usize = 1024 * 1024;
const FORM: &str = "multipart/form-data; boundary=XX";

/// A state directory that outlives its agents.
struct State(tempfile::TempDir);

impl State {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn setup(&self) -> Setup {
        Setup::new().env("NODE_AGENT_STATE_DIR", self.0.path())
    }

    /// Kills `agent` and starts another one. Nothing is left in the directory but what every start makes.
    fn kill(&self, agent: &mut Agent) {
        agent.signal("KILL");
        agent.wait();
        *agent = self.setup().start();
        eventually("the state directory to be cleared", || {
            files(self.0.path()).is_empty().then_some(())
        });
    }
}

/// The files below a directory.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in directory.read_dir().unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

/// Sends it and waits for nothing.
fn ask(agent: &Agent, path: &str, body: &Value) -> Client {
    let headers = [("X-API-Key", KEY), ("Content-Type", "application/json")];
    let mut client = agent.connect();
    let body = body.to_string();
    client.send(&Client::encode("POST", path, &headers, body.as_bytes()));
    client
}

#[test]
fn a_build_that_is_cut_off_leaves_no_step() {
    let state = State::new();
    let mut builds = Builds::of(state.setup());
    builds.dockerfile("COPY file /\nRUN busybox sleep 600");
    builds.write("file", "content");
    let tag = builds.tag("1");
    let tar = builds.tar();
    // From a directory, and from a body; in a step, and while it is sent.
    for in_body in [false, true] {
        let mut client = if in_body {
            let mut client = builds.agent.connect();
            let lines = format!(
                "Content-Type: application/x-tar\r\nContent-Length: {}\r\n",
                tar.len()
            );
            client.send(&head(&format!("{BUILD}?tag={tag}"), &lines));
            client.send(&tar);
            client
        } else {
            ask(&builds.agent, BUILD, &builds.body(&json!({ "tag": tag })))
        };
        eventually("the step to run", || {
            (builds.containers().len() == 1).then_some(())
        });
        state.kill(&mut builds.agent);
        assert!(client.is_closed());
        eventually("the step to be gone", || {
            builds.containers().is_empty().then_some(())
        });
    }
    let mut half = builds.agent.connect();
    let lines = format!(
        "Content-Type: application/x-tar\r\nContent-Length: {}\r\nExpect: 100-continue\r\n",
        tar.len()
    );
    half.send(&head(BUILD, &lines));
    assert_eq!(half.head().status, 100);
    half.send(&tar[..tar.len() / 2]);
    state.kill(&mut builds.agent);
    assert!(docker::run(&["inspect", &tag]).is_err());
    // The same again, with a step that ends.
    builds.dockerfile("COPY file /\nRUN busybox true");
    builds.build(&json!({ "tag": tag })).expect(200);
    assert!(builds.containers().is_empty());
}

#[test]
fn a_pull_that_is_cut_off_leaves_no_image() {
    let state = State::new();
    let mut agent = state.setup().start();
    let shelf = Shelf::with_random(2 * MIB);
    let (sender, stalls) = mpsc::channel();
    let enough = MIB as u64;
    let relay = Peer::relay_noting(shelf.registry.address(), enough, Then::Stall, move || {
        let _ = sender.send(());
    });
    let image = relay.reference("team/app:1");
    let body = |image: &str| json!({ "image": image, "username": USER, "password": PASSWORD });
    for path in ["/images/pull", "/images/pull?stream=true"] {
        let mut client = ask(&agent, path, &body(&image));
        stalls.recv().unwrap();
        state.kill(&mut agent);
        client.rest();
        let repository = image.rsplit_once(':').unwrap().0;
        assert_eq!(docker::run(&["images", "-aq", repository]).unwrap(), "");
        assert!(!shelf.is_here());
    }
    agent
        .post("/images/pull", &body(&shelf.image()))
        .expect(200);
    assert!(shelf.is_here());
}

#[test]
fn a_load_that_is_cut_off_leaves_no_image_and_no_file() {
    let state = State::new();
    let mut agent = state.setup().start();
    let docker = Docker::with_random(40 * MIB);
    let image = docker.image();
    let archive = saved(&[&image]);
    docker::run(&["rmi", &image]).unwrap();
    let whole = form(&[("image_tar", "a.tar", &archive)]);
    for (path, kind, body) in [
        ("/images/load", FORM, &whole),
        ("/docker/load/stream", "application/x-tar", &archive),
    ] {
        let mut client = agent.connect();
        let lines = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        client.send(&head(path, &lines));
        // More than the kernel's buffers hold: some of it has been taken.
        client.send(&body[..body.len() / 2]);
        state.kill(&mut agent);
        client.rest();
        assert!(docker::run(&["inspect", &image]).is_err());
    }
    post(&agent, "/images/load", FORM, &whole).expect(200);
    docker::run(&["inspect", &image]).unwrap();
}
