//! An agent that is killed while it replaces a container: after its next start there is one container of that name, the
//! old one or the new one, it runs, and nothing else is left.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::support::agent::{KEY, Setup};
use crate::support::docker::{self, Docker};
use crate::support::{Agent, Client, eventually, eventually_within};

/// A state directory that outlives its agents, and a container to be replaced.
struct Lab {
    state: tempfile::TempDir,
    docker: Docker,
}

impl Lab {
    fn new(command: &[&str]) -> Self {
        let lab = Self {
            state: tempfile::tempdir().unwrap(),
            docker: Docker::new(),
        };
        let flags = ["--name", &lab.name()];
        lab.docker.create_by_cli(&flags, command).unwrap();
        docker::run(&["start", &lab.name()]).unwrap();
        lab
    }

    fn agent_with(&self, socket: Option<&Path>) -> Agent {
        let setup = Setup::new().env("NODE_AGENT_STATE_DIR", self.state.path());
        match socket {
            Some(socket) => setup.engine(socket).start(),
            None => setup.start(),
        }
    }

    fn name(&self) -> String {
        format!("{}-a", self.docker.name)
    }

    /// `name state` of each container.
    fn containers(&self) -> Vec<String> {
        let label = format!("label={}", self.docker.label());
        let format = "{{.Names}} {{.State}}";
        let listed = docker::run(&["ps", "-a", "--filter", &label, "--format", format]).unwrap();
        listed.lines().map(str::to_owned).collect()
    }

    fn id(&self) -> String {
        docker::run(&["inspect", "--format", "{{.Id}}", &self.name()]).unwrap()
    }

    /// Asks for a replacement, and waits for nothing.
    fn begin(&self, agent: &Agent, command: &[&str]) -> Client {
        let body = json!({
            "name": self.name(), "image": self.docker.image(), "pull": "never", "replace": true,
            "command": command, "labels": [self.docker.label()],
        });
        let headers = [("X-API-Key", KEY), ("Content-Type", "application/json")];
        let mut client = agent.connect();
        let body = body.to_string();
        client.send(&Client::encode(
            "POST",
            "/containers/run",
            &headers,
            body.as_bytes(),
        ));
        client
    }

    /// An agent was killed when the old one had stepped aside and the new one was made; the note about it.
    fn killed_in_the_middle(&self) -> PathBuf {
        let note = self.state.path().join("replacements").join(self.id());
        let agent = self.agent_with(None);
        let _client = self.begin(&agent, &STUBBORN);
        eventually("the new one to be noted", || {
            let noted = std::fs::read_to_string(&note).unwrap_or_default();
            noted.contains("\"successor\":\"").then_some(())
        });
        agent.signal("KILL");
        note
    }

    /// Waits until all is in order, and the notes are gone.
    fn is_in_order(&self) {
        // A container that has just begun does not know SIGTERM yet: the engine may wait ten seconds for it, for the agent
        // that was killed, and again for the next one.
        eventually_within(TWO_STOPS, "the replacement to be in order", || {
            let notes = self.state.path().join("replacements").read_dir();
            notes
                .is_ok_and(|mut notes| notes.next().is_none())
                .then_some(())
        });
        let wanted = [format!("{} running", self.name())];
        assert_eq!(self.containers(), wanted);
    }
}

const TWO_STOPS: Duration = Duration::from_secs(40);

/// Ends at SIGTERM.
const POLITE: [&str; 3] = ["sh", "-c", "trap 'exit 0' TERM; busybox sleep 1000 & wait"];
/// The first process of a container: the kernel keeps SIGTERM from it.
const STUBBORN: [&str; 3] = ["busybox", "sleep", "1000"];

#[test]
fn whenever_it_is_killed_there_is_one_that_runs() {
    let lab = Lab::new(&POLITE);
    for milliseconds in [5, 30, 60, 100, 150, 250, 400, 600, 900] {
        let agent = lab.agent_with(None);
        let _client = lab.begin(&agent, &POLITE);
        std::thread::sleep(Duration::from_millis(milliseconds));
        agent.signal("KILL");
        drop(agent);
        let _next = lab.agent_with(None);
        if lab.state.path().join("replacements").exists() {
            lab.is_in_order();
        }
    }
    lab.is_in_order();
}

/// The engine goes on with a stop that nobody waits for, and may come up after the agent.
#[test]
fn killed_in_the_middle_of_the_stop_it_brings_the_old_one_back_when_the_engine_comes() {
    let lab = Lab::new(&STUBBORN);
    let old = lab.id();
    lab.killed_in_the_middle();
    let successor = format!("{} created", lab.name());
    let away = tempfile::tempdir().unwrap();
    let socket = away.path().join("engine.sock");
    let _next = lab.agent_with(Some(&socket));
    assert!(lab.containers().contains(&successor));
    std::os::unix::fs::symlink("/var/run/docker.sock", &socket).unwrap();
    lab.is_in_order();
    assert_eq!(lab.id(), old);
}

/// Somebody has made another one by hand meanwhile.
#[test]
fn what_somebody_else_made_is_left_alone() {
    let lab = Lab::new(&STUBBORN);
    let note = lab.killed_in_the_middle();
    docker::run(&["rm", "-f", &lab.name()]).unwrap();
    let flags = ["--name", &lab.name()];
    let own = lab.docker.create_by_cli(&flags, &STUBBORN).unwrap();
    docker::run(&["start", &own]).unwrap();
    let next = lab.agent_with(None);
    next.wait_for_log("somebody else has the name");
    eventually("the note to be gone", || (!note.exists()).then_some(()));
    assert_eq!(lab.id(), own);
    assert_eq!(lab.containers().len(), 2);
}

/// Somebody makes another one while the engine is not there for the agent, and has not started it yet.
#[test]
fn what_somebody_else_makes_meanwhile_is_left_alone() {
    let lab = Lab::new(&STUBBORN);
    lab.killed_in_the_middle();
    let away = tempfile::tempdir().unwrap();
    let socket = away.path().join("engine.sock");
    let next = lab.agent_with(Some(&socket));
    docker::run(&["rm", "-f", &lab.name()]).unwrap();
    let own = lab
        .docker
        .create_by_cli(&["--name", &lab.name()], &STUBBORN);
    std::os::unix::fs::symlink("/var/run/docker.sock", &socket).unwrap();
    next.wait_for_log("somebody else has the name");
    assert_eq!(Ok(lab.id()), own);
}
