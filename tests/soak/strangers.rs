//! What those without the key, or without manners, do: one round each.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::site::Site;
use crate::support::Client;
use crate::support::agent::KEY;

/// Keys that are wrong, missing, or no text at all.
pub fn wrong_key(site: &Site, round: u64) {
    let wrong = format!("{round:064x}");
    let mut client = site.agent.connect();
    let headers = [("X-API-Key", wrong.as_str())];
    let status = client.request("GET", "/containers", &headers, b"").status;
    assert!(matches!(status, 401 | 429), "{status}");
    let mut client = site.agent.connect();
    let status = client.request("GET", "/metrics", &[], b"").status;
    assert!(matches!(status, 401 | 429), "{status}");
}

/// Requests that end in the middle: of the head, of a body, of an answer; and bytes that are no request.
pub fn disconnect(site: &Site, round: u64) {
    let whole = Client::encode("GET", "/containers", &[("X-API-Key", KEY)], b"");
    let length = usize::try_from(round).unwrap() % whole.len();
    say(site, &whole[..length]);
    say(site, &whole);
    let target = site.path(&format!("torn-{round}"));
    let head = format!(
        "POST /files/write?path={} HTTP/1.1\r\nHost: agent\r\nX-API-Key: {KEY}\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: 100000\r\n\r\nand no more",
        target.display()
    );
    say(site, head.as_bytes());
    say(site, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    say(site, &[b'\n'; 5000]);
    thread::sleep(Duration::from_millis(50));
    assert!(!target.exists(), "half a file at {}", target.display());
}

/// A head that comes a byte at a time.
pub fn slow_head(site: &Site, _: u64) {
    let mut client = site.agent.connect();
    for byte in Client::encode("GET", "/ping", &[], b"") {
        client.send(&[byte]);
        thread::sleep(Duration::from_millis(20));
    }
    client.response().expect(200);
}

fn say(site: &Site, bytes: &[u8]) {
    let mut stream = TcpStream::connect(site.agent.address()).unwrap();
    // The agent may have hung up already.
    let _ = stream.write_all(bytes);
}
