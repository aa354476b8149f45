//! An agent, a directory that archives go into, and the ways to send them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::agent::{Agent, KEY, Setup};
use super::file_lab::{FileLab, encoded};
use super::http::{Client, Response};
use super::seen::{Tree, place_in_memory, tree};
use super::upload;

/// A content type for the forms that [`upload::form`] makes.
pub const FORM: &str = "multipart/form-data; boundary=XX";
/// For bytes.
pub const BYTES: &str = "application/octet-stream";
/// For JSON.
pub const JSON: &str = "application/json";

/// `root/target` with a few files, `outside`, and `state`; all in memory.
pub struct UploadLab {
    files: FileLab,
    place: tempfile::TempDir,
}

impl UploadLab {
    /// A fresh one.
    pub fn new() -> Self {
        Self::with(|setup| setup)
    }

    /// A fresh one, with an agent of its own setup.
    pub fn with(setup: impl FnOnce(Setup) -> Setup) -> Self {
        let place = place_in_memory();
        for name in ["root/target/old", "outside/directory"] {
            fs::create_dir_all(place.path().join(name)).unwrap();
        }
        for name in ["root/target/keep", "root/target/old/file", "outside/secret"] {
            fs::write(place.path().join(name), name).unwrap();
        }
        let files = started(place.path(), setup);
        let lab = Self { files, place };
        // From the first look at the uploads on the agent holds their directory open.
        lab.status("nobody");
        lab
    }

    /// Kills the agent and starts another one in its place.
    pub fn start_again(&mut self) {
        self.files.agent.signal("KILL");
        self.files.agent.wait();
        self.start();
    }

    /// Starts another one after one that has ended.
    pub fn start(&mut self) {
        self.files = started(self.place.path(), |setup| setup);
    }

    /// Ends the agent as the system does.
    pub fn end(&mut self) -> ExitStatus {
        self.files.agent.signal("TERM");
        self.files.agent.wait()
    }

    /// Whether this path below the target, or a new one, is there unpacked and not moved in.
    pub fn is_staged(&self, below: &str) -> bool {
        let names = self.names("root");
        let staging = names.iter().filter(|name| name.starts_with(".node-agent-"));
        let mut trees = staging.map(|name| self.path("root").join(name).join("tree"));
        trees.any(|tree| tree.join(below).exists())
    }

    pub fn agent(&self) -> &Agent {
        &self.files.agent
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.files.path(below)
    }

    pub fn text(&self, below: &str) -> String {
        self.files.text(below)
    }

    pub fn content(&self, below: &str) -> String {
        String::from_utf8(self.files.content(below)).unwrap()
    }

    pub fn names(&self, below: &str) -> Vec<String> {
        self.files.names(below)
    }

    /// All that is there, without the times of directories that something is staged in for a while.
    pub fn seen(&self) -> Tree {
        let mut tree = tree(self.place.path());
        tree.retain(|path, _| !path.starts_with("state"));
        for name in ["", "root"] {
            tree.get_mut(Path::new(name)).unwrap().modified = (0, 0);
        }
        tree
    }

    /// The target of a request to `/upload/<what>` that unpacks below the place.
    pub fn query(&self, what: &str, below: &str, more: &str) -> String {
        let path = encoded(&self.text(below));
        format!("/upload/{what}?extract_path={path}{more}")
    }

    /// `POST /upload/tar/stream` into `root/target`.
    pub fn stream(&self, archive: &[u8], more: &str) -> Response {
        self.stream_into("root/target", archive, more)
    }

    /// The same into something else.
    pub fn stream_into(&self, below: &str, archive: &[u8], more: &str) -> Response {
        let path = self.query("tar/stream", below, more);
        upload::post(self.agent(), &path, BYTES, archive)
    }

    /// `POST /upload/tar` of this body into `root/target`.
    pub fn body(&self, content_type: &str, body: &[u8]) -> Response {
        let path = self.query("tar", "root/target", "");
        upload::post(self.agent(), &path, content_type, body)
    }

    /// Sends a chunk, with these further parameters.
    pub fn chunk(&self, id: &str, place: (u32, u32), more: &str, bytes: &[u8]) -> Response {
        upload::post(self.agent(), &chunk_path(id, place, more), BYTES, bytes)
    }

    /// The parameter that says where to, to follow others.
    pub fn extracting_to(&self, below: &str) -> String {
        format!("&extract_path={}", encoded(&self.text(below)))
    }

    /// How far an upload is.
    pub fn status(&self, id: &str) -> Response {
        self.agent().get(&chunked_path(id))
    }

    /// Drops an upload.
    pub fn discard(&self, id: &str) -> Response {
        let headers = [("X-API-Key", KEY)];
        let mut client = self.agent().connect();
        client.request("DELETE", &chunked_path(id), &headers, b"")
    }

    /// The names in `root` that are the agent's own, at any depth, and what it has recorded about them.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let mut left: Vec<_> = tree(self.place.path()).into_keys().collect();
        left.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(".node-agent-") || name.contains("staging-")
        });
        left
    }
}

fn started(place: &Path, setup: impl FnOnce(Setup) -> Setup) -> FileLab {
    let state = place.join("state");
    FileLab::at(place, |usual| {
        setup(usual.env("NODE_AGENT_STATE_DIR", state))
    })
}

fn chunked_path(id: &str) -> String {
    format!("/upload/tar/chunked?chunk_id={id}")
}

/// The target of a request that sends chunk `place.0` of `place.1`.
pub fn chunk_path(id: &str, place: (u32, u32), more: &str) -> String {
    let (index, total) = place;
    let path = chunked_path(id);
    format!("{path}&chunk_index={index}&total_chunks={total}{more}")
}

/// A POST of `body`, with further headers.
pub fn post_with(agent: &Agent, path: &str, more: &[(&str, &str)], body: &[u8]) -> Response {
    let headers = [&[("X-API-Key", KEY), ("Content-Type", BYTES)], more].concat();
    let mut client = agent.connect();
    client.send(&Client::encode("POST", path, &headers, body));
    client.response_to("POST")
}

/// The digits of the SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// The numbers of the chunks that an answer says are missing.
pub fn missing(answer: &Value) -> Vec<u64> {
    let numbers = answer["missing"].as_array().unwrap().iter();
    numbers.map(|number| number.as_u64().unwrap()).collect()
}
