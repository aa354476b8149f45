//! `run` with `replace`: the old container is not touched by what can be known beforehand, and never lost.

use serde_json::{Value, json};

use crate::support::docker::{self, Docker};
use crate::support::{Agent, eventually};

/// An agent, and a container that runs and is to be replaced.
struct Lab {
    agent: Agent,
    docker: Docker,
}

impl Lab {
    fn new(flags: &[&str]) -> Self {
        let lab = Self {
            agent: Agent::start(),
            docker: Docker::new(),
        };
        let name = lab.name();
        let flags = [&["--name", &name], flags].concat();
        let command = ["busybox", "sleep", "1000"];
        lab.docker.create_by_cli(&flags, &command).unwrap();
        docker::run(&["start", &name]).unwrap();
        lab
    }

    fn name(&self) -> String {
        format!("{}-a", self.docker.name)
    }

    /// Id, name, state, and since when: all that a replace may change.
    fn state(&self) -> String {
        let format = "{{.Id}} {{.Name}} {{.State.Status}} {{.State.StartedAt}}";
        docker::run(&["inspect", "--format", format, &self.name()]).unwrap()
    }

    fn count(&self) -> usize {
        let label = format!("label={}", self.docker.label());
        let ids = docker::run(&["ps", "-aq", "--filter", &label]).unwrap();
        ids.lines().count()
    }

    /// Replaces it by one with `more` in its body; status and sentence.
    fn replace(&self, more: &Value) -> (u16, String) {
        let label = self.docker.label();
        let mut body = json!({
            "name": self.name(), "image": self.docker.image(), "pull": "never", "replace": true,
            "command": ["busybox", "sleep", "1000"], "labels": [label],
        });
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let answer = self.agent.post("/containers/run", &body);
        (answer.status, answer.json()["error"].to_string())
    }
}

#[test]
fn what_can_be_known_beforehand_does_not_stop_the_old_one() {
    let lab = Lab::new(&[]);
    let before = lab.state();
    for (more, status, word) in [
        (
            json!({ "image": "node-agent-no-such-image:1" }),
            404,
            "node-agent-no-such-image:1",
        ),
        (json!({ "network": "nowhere" }), 404, "`nowhere`"),
        (
            json!({ "networks": ["bridge", "nowhere"] }),
            404,
            "`nowhere`",
        ),
        (json!({ "network": "container:nobody" }), 404, "`nobody`"),
        (
            json!({ "command": [], "entrypoint": [""] }),
            400,
            "container",
        ),
        (json!({ "ports": ["80:80:80:80"] }), 400, "ports[0]"),
    ] {
        let (seen, sentence) = lab.replace(&more);
        assert_eq!(seen, status, "{more}: {sentence}");
        assert!(sentence.contains(word), "{more}: {sentence}");
        assert_eq!(lab.state(), before, "{more}");
        assert_eq!(lab.count(), 1, "{more}");
    }
}

#[test]
fn one_that_could_not_be_put_back_is_not_stopped() {
    let lab = Lab::new(&["--rm"]);
    let before = lab.state();
    let (status, sentence) = lab.replace(&json!({}));
    assert_eq!(status, 409, "{sentence}");
    assert!(sentence.contains("--rm"), "{sentence}");
    assert_eq!(lab.state(), before);
}

#[test]
fn the_new_one_gets_the_ports_of_the_old_one() {
    let lab = Lab::new(&["-p", "127.0.0.1::80"]);
    let bound = docker::run(&["port", &lab.name(), "80/tcp"]).unwrap();
    let (status, sentence) = lab.replace(&json!({ "ports": [format!("{bound}:80")] }));
    assert_eq!(status, 201, "{sentence}");
    assert_eq!(
        docker::run(&["port", &lab.name(), "80/tcp"]).unwrap(),
        bound
    );
    assert_eq!(lab.count(), 1);
}

/// The engine finds no network sandbox of a container that waits for its next attempt, and refuses to rename it (404).
#[test]
fn one_in_a_restart_loop_is_replaced_and_put_back_as_any_other() {
    let lab = Lab::new(&[]);
    let name = lab.name();
    docker::run(&["rm", "-f", &name]).unwrap();
    let flags = ["--name", &name, "--restart", "always"];
    let ends_at_once = ["busybox", "false"];
    lab.docker.create_by_cli(&flags, &ends_at_once).unwrap();
    docker::run(&["start", &name]).unwrap();
    // The engine waits longer each time: from the fourth time on long enough for a look.
    let format = "{{.Id}} {{.State.Restarting}} {{.RestartCount}}";
    let waiting = || {
        eventually("the container to wait for its next attempt", || {
            let seen = docker::run(&["inspect", "--format", format, &name]).unwrap();
            let (id, restarts) = seen.split_once(" true ")?;
            (restarts.parse::<u32>().unwrap() >= 4).then(|| id.to_owned())
        })
    };
    let old = waiting();
    let (status, sentence) = lab.replace(&json!({ "command": ["no-such-program"] }));
    assert_eq!(status, 400, "{sentence}");
    assert_eq!(waiting(), old);
    assert_eq!(lab.count(), 1);
    let (status, sentence) = lab.replace(&json!({}));
    assert_eq!(status, 201, "{sentence}");
    assert_eq!(lab.count(), 1);
    assert!(lab.state().contains(" running "), "{}", lab.state());
}
