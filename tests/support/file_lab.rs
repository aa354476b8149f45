//! An agent that may touch one directory, and words for what tests do with files in it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::agent::{Agent, KEY, Setup};
use super::http::Response;
use super::upload;

/// `root/`, which the agent may touch, and `outside/` beside it.
pub struct FileLab {
    pub agent: Agent,
    place: PathBuf,
    /// Removed with it, if it is its own.
    _owner: Option<tempfile::TempDir>,
}

impl FileLab {
    /// A fresh one.
    pub fn new() -> Self {
        let owner = tempfile::tempdir().unwrap();
        let lab = Self::at(owner.path(), |setup| setup);
        Self {
            _owner: Some(owner),
            ..lab
        }
    }

    /// One in `place`, with an agent of its own setup.
    pub fn at(place: &Path, setup: impl FnOnce(Setup) -> Setup) -> Self {
        for directory in ["root", "outside"] {
            fs::create_dir_all(place.join(directory)).unwrap();
        }
        let usual = Setup::new().env("NODE_AGENT_ALLOWED_PATHS", place.join("root"));
        Self {
            agent: setup(usual).start(),
            place: place.to_owned(),
            _owner: None,
        }
    }

    /// The path of something in it.
    pub fn path(&self, below: &str) -> PathBuf {
        self.place.join(below)
    }

    /// The permissions of something in it.
    pub fn mode(&self, below: &str) -> u32 {
        self.path(below).metadata().unwrap().mode() & 0o7777
    }

    /// Makes a FIFO in it.
    pub fn fifo(&self, below: &str) {
        let made = Command::new("mkfifo").arg(self.path(below)).status();
        assert!(made.unwrap().success());
    }

    /// The same as text, kept as it is written.
    pub fn text(&self, below: &str) -> String {
        format!("{}/{below}", self.place.display())
    }

    /// Writes `content` to a file directly.
    pub fn put(&self, below: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(below), content).unwrap();
    }

    /// What a file has in it.
    pub fn content(&self, below: &str) -> Vec<u8> {
        fs::read(self.path(below)).unwrap()
    }

    /// The names in a directory, sorted.
    pub fn names(&self, below: &str) -> Vec<String> {
        let entries = self.path(below).read_dir().unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }

    /// `POST /files/<what>` about something in it, with `more` in the body.
    pub fn post(&self, what: &str, below: &str, more: Value) -> Response {
        let mut body = more;
        body["path"] = json!(self.text(below));
        self.agent.post(&format!("/files/{what}"), &body)
    }

    /// `POST /files/write` with JSON.
    pub fn write(&self, below: &str, content: &str) -> Response {
        self.post("write", below, json!({ "content": content }))
    }

    /// `POST /files/write` with the bytes as the body.
    pub fn write_raw(&self, below: &str, more: &str, content: &[u8]) -> Response {
        let path = self.query("write", below, more);
        upload::post(&self.agent, &path, "application/octet-stream", content)
    }

    /// `GET /files/<what>` about something in it, with `more` in the query.
    pub fn get(&self, what: &str, below: &str, more: &str) -> Response {
        self.agent.get(&self.query(what, below, more))
    }

    /// `GET /files/read` for the bytes alone.
    pub fn read_raw(&self, below: &str, more: &str) -> Response {
        let headers = [("X-API-Key", KEY), ("Accept", "application/octet-stream")];
        let path = self.query("read", below, more);
        self.agent.connect().request("GET", &path, &headers, b"")
    }

    /// The target of a request about something in it.
    pub fn query(&self, what: &str, below: &str, more: &str) -> String {
        format!("/files/{what}?path={}{more}", encoded(&self.text(below)))
    }
}

/// `text` for a query.
pub fn encoded(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let encode = |byte: u8| {
        if keep(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}
