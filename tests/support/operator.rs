//! Somebody at a shell with the client: the real program, and what came of it.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use super::agent::{Agent, KEY, program};

/// What a command came to.
#[derive(Debug)]
pub struct Came {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Came {
    /// Its output, when it ended well.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.out
    }

    /// Its messages, when it ended with this code.
    #[track_caller]
    pub fn badly(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:#?}");
        self.err
    }

    /// Its output as JSON.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let out = self.well();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }
}

/// The client for the agent at `address`, with the key.
pub fn client_at(address: SocketAddr) -> Command {
    let mut command = program();
    command
        .env("NODE_AGENT_HOST", address.to_string())
        .env("NODE_AGENT_KEY", KEY);
    command
}

/// Runs the client.
pub fn client(agent: &Agent, arguments: &[&str]) -> Came {
    finish(client_at(agent.address()).args(arguments), b"")
}

/// The same with this on its standard input.
pub fn client_reading(agent: &Agent, arguments: &[&str], input: &[u8]) -> Came {
    finish(client_at(agent.address()).args(arguments), input)
}

/// Runs `command` to its end.
pub fn finish(command: &mut Command, input: &[u8]) -> Came {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // One that does not read it may have closed it.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().unwrap()
    });
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Came {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
