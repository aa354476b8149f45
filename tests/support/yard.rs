//! An engine of our own to be cleaned up, and an agent on it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::agent::{Agent, Setup};
use super::dockerd::Dockerd;
use super::made::{Made, archive};

/// Both.
pub struct Yard {
    pub agent: Agent,
    pub engine: Dockerd,
}

impl Yard {
    /// Without a single image.
    pub fn new() -> Self {
        let engine = Dockerd::start(&json!({}));
        let agent = Setup::new().engine(&engine.socket()).start();
        Self { agent, engine }
    }

    /// What `docker ARGS` says.
    #[track_caller]
    pub fn docker(&self, args: &[&str]) -> String {
        self.engine.docker(args).unwrap()
    }

    /// Loads these images; their ids.
    #[track_caller]
    pub fn load(&self, images: &[Made]) -> Vec<String> {
        let (tar, ids) = archive(images);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("images.tar");
        std::fs::write(&path, tar).unwrap();
        self.docker(&["load", "--quiet", "--input", path.to_str().unwrap()]);
        assert!(ids.iter().all(|id| self.ids().contains(id)));
        ids
    }

    /// Cleans up; the answer.
    #[track_caller]
    pub fn cleanup(&self, body: &Value) -> Value {
        self.agent.post("/images/cleanup", body).expect(200).json()
    }

    /// The ids of all images, those that others are built on included.
    pub fn ids(&self) -> BTreeSet<String> {
        self.lines(&["images", "--all", "--quiet", "--no-trunc"])
    }

    /// The ids of those that the engine calls dangling.
    pub fn dangling(&self) -> BTreeSet<String> {
        self.lines(&[
            "images",
            "--quiet",
            "--no-trunc",
            "--filter",
            "dangling=true",
        ])
    }

    /// All names with a tag.
    pub fn names(&self) -> BTreeSet<String> {
        let format = "{{.Repository}}:{{.Tag}}";
        self.lines(&["images", "--format", format, "--filter", "dangling=false"])
    }

    fn lines(&self, args: &[&str]) -> BTreeSet<String> {
        self.docker(args).lines().map(str::to_owned).collect()
    }

    /// Makes everything as it was at first.
    pub fn clear(&self) {
        let containers = self.docker(&["ps", "--all", "--quiet"]);
        for container in containers.lines() {
            self.docker(&["rm", "--force", container]);
        }
        self.docker(&["image", "prune", "--all", "--force"]);
        assert_eq!(self.ids(), BTreeSet::new());
    }
}

/// The texts of a list in an answer.
pub fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter().map(|item| item.as_str().unwrap()).collect()
}

/// Why the answer says that `image` stays.
#[track_caller]
pub fn reason<'a>(answer: &'a Value, image: &str) -> &'a str {
    let kept = answer["kept"].as_array().unwrap();
    let found = kept.iter().find(|kept| kept["image"] == image);
    let found = found.unwrap_or_else(|| panic!("{image} is not kept: {answer}"));
    found["reason"].as_str().unwrap()
}
