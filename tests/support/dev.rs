//! `serve --dev`, and what it prints for whoever tries it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::process;

/// A running try.
pub struct Dev {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// The key it made.
    pub key: String,
}

impl Dev {
    /// Starts `command`, which is `node-agent serve --dev` on a free port, and reads the three commands it shows.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .env("NODE_AGENT_BIND", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let shown = BufReader::new(child.stdout.take().unwrap()).lines();
        let shown: Vec<String> = shown
            .map_while(Result::ok)
            .filter(|line| line.starts_with("curl"))
            .take(3)
            .collect();
        // curl -H 'X-API-Key: KEY' http://ADDRESS/containers
        let key = shown[1].split('\'').nth(1).unwrap();
        Self {
            child,
            address: shown[0].split('/').nth(2).unwrap().parse().unwrap(),
            key: key.strip_prefix("X-API-Key: ").unwrap().to_owned(),
        }
    }

    /// Ends it as ctrl-C does, in order.
    pub fn stop(mut self) {
        process::signal(self.child.id(), "INT");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It has ended already, unless a test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
