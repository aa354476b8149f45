//! Building: an agent, a base image with a label that everything built on it inherits, and a directory to build from.
//! Images and containers with that label are gone when the owner is dropped.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::agent::{Agent, Setup};
use super::docker::{self, Docker};
use super::dockerd::Dockerd;
use super::tmpfs::Tmpfs;
use super::{Response, upload};

/// Where builds are asked for.
pub const BUILD: &str = "/docker/build";

/// An agent, what it builds on, and what it builds from.
pub struct Builds {
    pub agent: Agent,
    pub docker: Docker,
    context: tempfile::TempDir,
}

impl Builds {
    /// The usual agent.
    pub fn new() -> Self {
        Self::of(Setup::new())
    }

    /// An agent with this setup.
    pub fn of(setup: Setup) -> Self {
        Self {
            agent: setup.start(),
            docker: Docker::labelled(),
            context: tempfile::tempdir().unwrap(),
        }
    }

    /// The context.
    pub fn context(&self) -> &Path {
        self.context.path()
    }

    /// A path in the context.
    pub fn path(&self, name: &str) -> PathBuf {
        self.context.path().join(name)
    }

    /// A file in the context, with the directories on its way.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// A Dockerfile of our image and these instructions.
    pub fn on_image(&self, instructions: &str) -> String {
        format!("FROM {}\n{instructions}\n", self.docker.image())
    }

    /// The same in the context.
    pub fn dockerfile(&self, instructions: &str) {
        self.write("Dockerfile", self.on_image(instructions));
    }

    /// A tag of our own.
    pub fn tag(&self, name: &str) -> String {
        format!("{}-built:{name}", self.docker.name)
    }

    /// A body for a build of the context: `more` besides.
    pub fn body(&self, more: &Value) -> Value {
        let mut body = json!({ "context_path": self.context() });
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        body
    }

    /// Builds the context.
    pub fn build(&self, more: &Value) -> Response {
        self.agent.post(BUILD, &self.body(more))
    }

    /// Builds the context, and gives the lines that came meanwhile, the last one apart.
    pub fn build_live(&self, more: &Value) -> (Vec<Value>, Value) {
        let path = format!("{BUILD}?stream=true");
        lines(&self.agent.post(&path, &self.body(more)).expect(200))
    }

    /// Builds the tar `body`, with these query parameters.
    pub fn build_tar(&self, query: &str, body: &[u8]) -> Response {
        let path = format!("{BUILD}?{query}");
        upload::post(&self.agent, &path, "application/x-tar", body)
    }

    /// The context as tar writes it.
    pub fn tar(&self) -> Vec<u8> {
        let output = Command::new("tar")
            .arg("-C")
            .arg(self.context())
            .args(["-c", "."])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }

    /// The ids of all images and containers that were made here, the base image apart.
    pub fn made(&self) -> Vec<String> {
        let label = format!("label={}", self.docker.label());
        let base = docker::run(&["inspect", "--format={{.Id}}", &self.docker.image()]).unwrap();
        let images = ["images", "-aq", "--no-trunc", "--filter", &label];
        let images = docker::run(&images).unwrap();
        let images = images.lines().filter(|id| *id != base);
        images.map(str::to_owned).chain(self.containers()).collect()
    }

    /// The ids of the containers of steps.
    pub fn containers(&self) -> Vec<String> {
        let label = format!("label={}", self.docker.label());
        let listed = docker::run(&["ps", "-aq", "--no-trunc", "--filter", &label]).unwrap();
        listed.lines().map(str::to_owned).collect()
    }
}

/// Builds on an engine of our own.
pub struct Own {
    pub engine: Dockerd,
    pub builds: Builds,
}

impl Own {
    /// One that has the base image, with its data on this disk.
    pub fn new(disk: Option<Tmpfs>) -> Self {
        let engine = Dockerd::start_on(disk, &json!({}));
        let builds = Builds::of(Setup::new().engine(&engine.socket()));
        engine.take_image(&builds.docker.image());
        Self { engine, builds }
    }

    /// How many images it has besides the one that was put there.
    pub fn images(&self) -> usize {
        let listed = self.engine.docker(&["images", "-aq", "--no-trunc"]);
        listed.unwrap().lines().count() - 1
    }
}

/// The lines of an answer that was streamed, the last one apart.
#[track_caller]
pub fn lines(answer: &Response) -> (Vec<Value>, Value) {
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let text = answer.text();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.pop().unwrap();
    (lines, last)
}

/// What the steps printed, from the lines of a streamed build.
pub fn printed(lines: &[Value]) -> String {
    let text = |line: &Value| line["stream"].as_str().map(str::to_owned);
    lines.iter().filter_map(text).collect()
}

/// What the shell script prints in a container of `image`.
pub fn run(image: &str, script: &str) -> String {
    let command = ["run", "--rm", "--network=none", image, "sh", "-c", script];
    docker::run(&command).unwrap()
}

/// The id of an image.
pub fn id_of(image: &str) -> String {
    docker::run(&["inspect", "--format", "{{.Id}}", image]).unwrap()
}
