//! The droplet: where it is, requests to its agent, commands in it.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::agent::KEY;
use crate::support::{Client, Response};

/// Ends a program in the droplet that does not end by itself (exit code 124), as no end of ours would.
const IN_TIME: [&str; 3] = ["timeout", "--kill-after=5", "120"];

/// A booted droplet.
pub struct Droplet {
    /// The container it is.
    pub container: String,
    /// Where its agent listens.
    pub address: SocketAddr,
    /// The address that its network knows us by.
    pub controller: String,
    /// Removes the droplet when our end of its standard input is closed, which the kernel does when we end, however we do.
    pub _watcher: Child,
}

impl Droplet {
    /// An image that its engine has: busybox alone, whose shell is `sh`.
    pub const IMAGE: &str = "busybox:droplet";

    /// A connection to the agent.
    pub fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// A request with the key.
    pub fn request(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> Response {
        let headers = [("X-API-Key", KEY), ("Content-Type", content_type)];
        self.connect().request(method, path, &headers, body)
    }

    /// A GET with the key.
    pub fn get(&self, path: &str) -> Response {
        self.connect()
            .request("GET", path, &[("X-API-Key", KEY)], b"")
    }

    /// A POST with the key and a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.request(
            "POST",
            path,
            "application/json",
            body.to_string().as_bytes(),
        )
    }

    /// A POST with the key and no body.
    pub fn post_nothing(&self, path: &str) -> Response {
        self.connect()
            .request("POST", path, &[("X-API-Key", KEY)], b"")
    }

    /// Runs a program in the droplet, as root; after two minutes it is ended.
    pub fn run(&self, command: &[&str]) -> Output {
        Command::new("docker")
            .args(["exec", &self.container])
            .args(IN_TIME)
            .args(command)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What a program says that has to succeed, without the white space around it.
    #[track_caller]
    pub fn text(&self, command: &[&str]) -> String {
        let output = self.run(command);
        assert!(output.status.success(), "{command:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same for a line of shell.
    #[track_caller]
    pub fn shell(&self, script: &str) -> String {
        self.text(&["sh", "-ec", script])
    }

    /// Runs a program with `input` on its standard input; it has to succeed.
    #[track_caller]
    pub fn feed(&self, command: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("docker")
            .args(["exec", "-i", &self.container])
            .args(IN_TIME)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // When it ends early, its words are of more use than our broken pipe.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Writes a file of the droplet, as root; without the agent.
    #[track_caller]
    pub fn write(&self, path: &str, content: &[u8]) {
        self.feed(&["tee", path], content);
    }

    /// Copies a file into the droplet, with its mode.
    #[track_caller]
    pub fn copy(&self, from: &str, to: &str) {
        let to = format!("{}:{to}", self.container);
        let output = Command::new("docker")
            .args(["cp", from, &to])
            .output()
            .unwrap();
        assert!(output.status.success(), "{from}: {output:?}");
    }

    /// A property of a unit, as systemd knows it.
    #[track_caller]
    pub fn property(&self, unit: &str, name: &str) -> String {
        self.text(&["systemctl", "show", "--value", "--property", name, unit])
    }

    /// What the unit wrote into the journal.
    #[track_caller]
    pub fn journal(&self, unit: &str) -> String {
        self.text(&["journalctl", "--no-pager", "--output=cat", "--unit", unit])
    }

    /// Waits until `condition` holds, and fails when it does not within 30 s.
    #[track_caller]
    pub fn wait_for(&self, what: &str, condition: impl FnMut() -> bool) {
        self.wait_within(Duration::from_secs(30), what, condition);
    }

    /// The same with another bound.
    #[track_caller]
    pub fn wait_within(&self, bound: Duration, what: &str, mut condition: impl FnMut() -> bool) {
        let until = Instant::now() + bound;
        while !condition() {
            assert!(
                Instant::now() < until,
                "waited {bound:?} in vain for: {what}\n{}",
                self.last_words()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The end of the journal, for whoever has to find out what went wrong.
    fn last_words(&self) -> String {
        let output = self.run(&["journalctl", "--no-pager", "--lines=30"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until the agent serves and its engine answers.
    #[track_caller]
    pub fn wait_until_ok(&self) {
        self.wait_for("the agent to say ok", || {
            self.ping().is_some_and(|answer| answer["status"] == "ok")
        });
    }

    /// What `/ping` says of an agent that may be gone.
    pub fn ping(&self) -> Option<Value> {
        let mut client = Client::try_connect(self.address).ok()?;
        // HTTP/1.0: the answer ends with the connection.
        client.try_send(b"GET /ping HTTP/1.0\r\n\r\n").ok()?;
        let answer = String::from_utf8(client.rest()).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }
}
