//! A real HAProxy in front of agents. It listens on a unix socket in its own directory, so no port has to be guessed.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::eventually;

/// A running HAProxy.
pub struct HaProxy {
    child: Child,
    directory: tempfile::TempDir,
}

impl HaProxy {
    /// Starts it in front of `servers`, named as given; `check` are the lines that say how they are asked.
    pub fn start(check: &str, servers: &[(&str, SocketAddr)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("haproxy.cfg");
        std::fs::write(&file, configuration(directory.path(), check, servers)).unwrap();
        // -db: in the foreground, as one process.
        let child = Command::new("haproxy")
            .args(["-db", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("haproxy must be installed");
        let mut proxy = Self { child, directory };
        eventually("HAProxy to listen", || {
            let ended = proxy.child.try_wait().unwrap();
            assert!(ended.is_none(), "HAProxy ended: {ended:?}");
            UnixStream::connect(proxy.directory.path().join("stats.sock")).ok()
        });
        proxy
    }

    /// A GET through it: the whole answer as text.
    pub fn get(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: front\r\nConnection: close\r\n\r\n");
        self.talk("front.sock", &request)
    }

    /// Field `field` of `show stat` for `server` (`status`, `check_status`, `check_code`, `chkfail`, …).
    pub fn stat(&self, server: &str, field: &str) -> String {
        let table = self.talk("stats.sock", "show stat\n");
        let mut lines = table.lines();
        let names = lines.next().unwrap().trim_start_matches("# ").split(',');
        let row = lines
            .map(|line| line.split(','))
            .find(|row| row.clone().nth(1) == Some(server))
            .unwrap_or_else(|| panic!("no {server} in {table}"));
        let row: HashMap<_, _> = names.zip(row).collect();
        row[field].to_owned()
    }

    /// Waits until the last check of `server` had the result `check` (`L7OK`, `L7STS`, …) and it is `status`.
    pub fn wait_for(&self, server: &str, check: &str, status: &str) {
        eventually(&format!("{server} to be {status} by {check}"), || {
            let is = (
                self.stat(server, "check_status"),
                self.stat(server, "status"),
            );
            (is.0.trim_start_matches("* ") == check && is.1 == status).then_some(())
        });
    }

    fn talk(&self, socket: &str, request: &str) -> String {
        let mut stream = UnixStream::connect(self.directory.path().join(socket)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(directory: &Path, check: &str, servers: &[(&str, SocketAddr)]) -> String {
    let directory = directory.display();
    let lines: Vec<_> = servers
        .iter()
        .map(|(name, address)| format!("    server {name} {address}"))
        .collect();
    let servers = lines.join("\n");
    format!(
        "global\n    stats socket {directory}/stats.sock\n\
         defaults\n    mode http\n    timeout connect 2s\n    timeout client 10s\n    timeout server 10s\n    \
         timeout check 2s\n\
         frontend front\n    bind unix@{directory}/front.sock\n    default_backend agents\n\
         backend agents\n{check}\n    default-server check inter 100ms fall 2 rise 2\n{servers}\n"
    )
}
