//! The agent under load and what the loads work on: a directory, an engine with an image, two containers that stay.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::shipped::shipped_program;
use crate::support::agent::{Agent, Setup};
use crate::support::docker::Docker;

/// Container that prints a line every 10 ms.
const TALKER: &str = "talker";
/// Container that waits for commands.
const WAITER: &str = "waiter";

/// All of it, gone when it is dropped.
pub struct Site {
    pub agent: Agent,
    pub docker: Docker,
    directory: tempfile::TempDir,
}

/// What must be the same before and after the load.
#[derive(Debug, PartialEq)]
pub struct State {
    descriptors: usize,
    threads: usize,
    containers: Vec<String>,
    /// Files in the agent's state directory and in the directory of the loads, and directories in the latter.
    files: Vec<PathBuf>,
}

impl Site {
    /// With the agent that `NODE_AGENT_TEST_BINARY` names, or else the one that cargo has built.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let docker = Docker::labelled();
        let agent = Setup::of(shipped_program())
            .env("NODE_AGENT_ALLOWED_PATHS", directory.path())
            .start();
        let site = Self {
            agent,
            docker,
            directory,
        };
        site.stand(
            TALKER,
            "while :; do echo a line; busybox usleep 10000; done",
        );
        site.stand(WAITER, "exec busybox sleep 1000000");
        site
    }

    fn stand(&self, name: &str, script: &str) {
        let body = self.container(&self.name(name), &["sh", "-c", script]);
        self.agent.post("/containers/run", &body).expect(201);
    }

    /// A body for `run`.
    pub fn container(&self, name: &str, command: &[&str]) -> Value {
        json!({ "name": name, "image": self.docker.image(), "pull": "never", "command": command })
    }

    /// A name of our own.
    pub fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.docker.name)
    }

    /// The container that talks.
    pub fn talker(&self) -> String {
        self.name(TALKER)
    }

    /// The container that waits for commands.
    pub fn waiter(&self) -> String {
        self.name(WAITER)
    }

    /// A path in the directory of the loads.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// How things stand now.
    pub fn state(&self) -> State {
        let mut files = tree(self.directory.path());
        let mut kept = tree(self.agent.state_directory());
        kept.retain(|path| !path.is_dir());
        files.append(&mut kept);
        State {
            descriptors: self.agent.descriptors(),
            threads: self.agent.threads().len(),
            containers: self.containers(),
            files,
        }
    }

    fn containers(&self) -> Vec<String> {
        let label = format!("label={}", self.docker.label());
        let output = Command::new("docker")
            .args(["ps", "-a", "--filter", &label, "--format", "{{.Names}}"])
            .output()
            .unwrap();
        let mut names: Vec<_> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    }
}

/// Everything below `directory`.
fn tree(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = paths
        .iter()
        .filter(|path| path.is_dir() && !path.is_symlink());
    let below: Vec<_> = below.flat_map(|path| tree(path)).collect();
    paths.extend(below);
    paths
}
