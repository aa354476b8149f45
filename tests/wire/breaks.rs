//! Clients that break off, at every place where one can.

use std::net::Shutdown;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::support::agent::KEY;
use crate::support::{Client, eventually};
use crate::target::{Target, rounds};

/// Sends `bytes` and resets the connection: an answer to an earlier request lies there unread when it is closed, and
/// then the kernel sends RST instead of FIN (RFC 2525, 2.17).
fn reset_after(target: &Target, bytes: &[u8]) {
    let mut client = Client::connect(target.for_attackers());
    client.send(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
    client.socket().peek(&mut [0]).unwrap();
    client.send(bytes);
}

fn write_request(path: &Path) -> Vec<u8> {
    let body = serde_json::json!({"path": path, "content": "all of it"}).to_string();
    Client::encode(
        "POST",
        "/files/write",
        &[("X-API-Key", KEY)],
        body.as_bytes(),
    )
}

#[test]
fn a_reset_at_every_byte_of_a_request() {
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    let path = directory.path().join("file");
    let request = write_request(&path);
    Target::new().endure(|target| {
        let before_end = |length: usize| length % request.len();
        let mut lengths = 0;
        for round in rounds() {
            reset_after(target, &request[..before_end(round)]);
            // A pace that leaves the machine ports to come from.
            sleep(Duration::from_millis(1));
            lengths = round;
        }
        assert!(lengths >= request.len(), "not every byte had its turn");
        assert!(!path.exists(), "a request that never ended was carried out");
        // The same request does it when it comes whole.
        let mut client = Client::connect(target.for_attackers());
        client.send(&request);
        client.response().expect(200);
        assert!(path.exists());
    });
    let left = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 1, "something was left beside the file");
}

#[test]
fn a_half_close_at_every_byte_of_a_request() {
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    let path = directory.path().join("file");
    let request = write_request(&path);
    Target::new().endure(|target| {
        // Each length in turn, several times.
        for length in rounds().map(|round| round % request.len()) {
            let mut client = Client::connect(target.for_attackers());
            client.send(&request[..length]);
            client.socket().shutdown(Shutdown::Write).unwrap();
            // It is told what is wrong or nothing at all; that nothing more comes is told in any case.
            let end = std::io::copy(&mut client.socket(), &mut std::io::sink());
            assert!(end.is_ok(), "after {length} bytes: {end:?}");
        }
        assert!(!path.exists(), "a request that never ended was carried out");
        // Who has said everything gets an answer.
        let mut client = Client::connect(target.for_attackers());
        client.send(&request);
        client.socket().shutdown(Shutdown::Write).unwrap();
        client.response().expect(200);
        eventually("the end of the connection", || {
            client.is_closed().then_some(())
        });
    });
}
