//! Connections that end where they should not.

use std::io::Write;
use std::net::Shutdown;
use std::process::{Command, Stdio};

use super::{get, write};
use crate::support::agent::Setup;
use crate::support::target::Target;
use crate::support::{Agent, Client};

/// Sends each beginning of what stdin has to the port of its argument, and resets the connection.
const RESET: &str = "
import socket, struct, sys
request = sys.stdin.buffer.read()
for length in range(len(request) + 1):
    peer = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    peer.sendall(request[:length])
    peer.close()
";

fn reset_at_every_byte(port: u16, request: &[u8]) {
    let mut python = Command::new("python3")
        .args(["-c", RESET, &port.to_string()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(request).unwrap();
    assert!(python.wait().unwrap().success());
}

#[test]
fn a_reset_at_every_byte_of_a_request_leaves_nothing() {
    Target::new().endure(|target| {
        let port = target.for_attackers().port();
        for request in [get("/ping"), get("/containers"), get("/openapi.json")] {
            reset_at_every_byte(port, &request);
        }
        // So many that the pings had time to suffer.
        reset_at_every_byte(
            port,
            &get(&format!("/files/read?path=/{}", "x".repeat(1000))),
        );
    });
}

#[test]
fn a_write_that_is_reset_at_any_byte_is_whole_or_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Setup::new()
        .env("NODE_AGENT_ALLOWED_PATHS", directory.path())
        .start();
    let path = directory.path().join("file");
    std::fs::write(&path, "the old one").unwrap();
    let request = write(&path, b"the new one is longer");
    let (begun, whole) = (&request[..request.len() - 1], &request[..]);
    reset_at_every_byte(agent.address().port(), begun);
    assert_eq!(std::fs::read(&path).unwrap(), b"the old one");
    let mut client = agent.connect();
    client.send(whole);
    client.response_to("POST").expect(200);
    assert_eq!(std::fs::read(&path).unwrap(), b"the new one is longer");
    let names = std::fs::read_dir(directory.path()).unwrap();
    assert_eq!(names.count(), 1, "something is left beside the file");
}

#[test]
fn who_has_said_all_may_close_his_half_and_is_answered() {
    let agent = Agent::start();
    for path in ["/ping", "/containers", "/openapi.json"] {
        let mut client = agent.connect();
        client.send(&get(path));
        client.socket().shutdown(Shutdown::Write).unwrap();
        client.response().expect(200);
        assert!(client.is_closed(), "{path}");
    }
}

#[test]
fn who_closes_his_half_in_a_request_is_not_waited_for() {
    let agent = Agent::start();
    let request = get("/containers");
    for length in [0, 1, 10, request.len() - 1] {
        let mut client: Client = agent.connect();
        client.send(&request[..length]);
        client.socket().shutdown(Shutdown::Write).unwrap();
        let said = String::from_utf8(client.rest()).unwrap();
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 400 "),
            "{said}"
        );
    }
}
