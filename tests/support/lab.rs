//! An agent and an engine, and words for what tests do with a container.

use serde_json::{Value, json};

use super::docker::{self, Docker};
use super::{Agent, Response};

/// An agent, and an engine with an image of our own.
pub struct Lab {
    pub agent: Agent,
    pub docker: Docker,
}

impl Lab {
    /// Both, fresh.
    pub fn new() -> Self {
        Self {
            agent: Agent::start(),
            docker: Docker::new(),
        }
    }

    /// A name of our own.
    pub fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.docker.name)
    }

    /// A body for `run`: our image, our label, `more`.
    pub fn body(&self, name: &str, more: &Value) -> Value {
        let (label, value) = self
            .docker
            .label()
            .split_once('=')
            .map(|(l, v)| (l.to_owned(), v.to_owned()))
            .unwrap();
        let mut body = json!({
            "name": self.name(name), "image": self.docker.image(), "pull": "never",
            "command": ["busybox", "sleep", "1000"], "labels": {label: value},
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    }

    /// Runs it as [`Self::body`] says.
    pub fn run(&self, name: &str, more: &Value) -> Response {
        self.agent.post("/containers/run", &self.body(name, more))
    }

    /// A container with this shell script, running or already ended.
    pub fn shell(&self, name: &str, script: &str) -> String {
        self.run(name, &json!({ "command": ["sh", "-c", script] }))
            .expect(201);
        self.name(name)
    }

    /// A GET about our container.
    pub fn get(&self, name: &str, what: &str) -> Response {
        self.agent
            .get(&format!("/containers/{}/{what}", self.name(name)))
    }

    /// A POST about our container.
    pub fn post(&self, name: &str, what: &str) -> Response {
        self.agent
            .post_nothing(&format!("/containers/{}/{what}", self.name(name)))
    }

    /// Runs a command in our container.
    pub fn exec(&self, name: &str, body: &Value) -> Response {
        self.agent
            .post(&format!("/containers/{}/exec", self.name(name)), body)
    }

    /// The names of all our containers, as docker sees them.
    pub fn names(&self) -> Vec<String> {
        let label = format!("label={}", self.docker.label());
        let listed =
            docker::run(&["ps", "-a", "--filter", &label, "--format", "{{.Names}}"]).unwrap();
        let mut names: Vec<_> = listed.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// What docker knows of it at `path`, as JSON.
    pub fn inspect(&self, name: &str, path: &str) -> String {
        docker::run(&[
            "inspect",
            "--format",
            &format!("{{{{json {path}}}}}"),
            &self.name(name),
        ])
        .unwrap()
    }
}
