//! Clients that take their time: with the head, with the body, with reading, with every single byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use crate::support::Client;
use crate::support::agent::KEY;
use crate::target::{Target, rounds};

/// Between two bytes of a slow one.
const DRIP: Duration = Duration::from_millis(100);

/// So many who have all sent `start`.
fn crowd(target: &Target, count: usize, start: &str) -> Vec<TcpStream> {
    let member = |_| {
        let mut stream = TcpStream::connect(target.for_attackers()).unwrap();
        // Who is sent away before that is none the less a member.
        let _ = stream.write_all(start.as_bytes());
        stream
    };
    (0..count).map(member).collect()
}

/// All of `crowd` send a byte now and then.
fn drip(crowd: &mut [TcpStream]) {
    for _ in rounds() {
        for stream in crowd.iter_mut() {
            let _ = stream.write_all(b"1");
        }
        sleep(DRIP);
    }
}

#[test]
fn slow_heads() {
    Target::new().endure(|target| {
        let mut crowd = crowd(target, 400, "GET /ping HTTP/1.1\r\nHost: a\r\nX-Slow: ");
        drip(&mut crowd);
        crowd
    });
}

#[test]
fn slow_bodies() {
    let start = format!(
        "POST /containers/run HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Length: 1000\r\n\r\n"
    );
    Target::new().endure(|target| {
        let mut crowd = crowd(target, 400, &start);
        drip(&mut crowd);
        crowd
    });
}

#[test]
fn slow_readers() {
    let request = format!("GET /openapi.json HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\n\r\n");
    Target::new().endure(|target| {
        let mut crowd = crowd(target, 200, &request.repeat(20));
        for stream in &crowd {
            stream.set_nonblocking(true).unwrap();
        }
        for _ in rounds() {
            for stream in &mut crowd {
                // Nothing there yet is no reason to give up.
                let _ = stream.read(&mut [0]);
            }
            sleep(DRIP);
        }
        crowd
    });
}

#[test]
fn requests_a_byte_at_a_time() {
    let request = format!("GET /openapi.json HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\n\r\n");
    Target::new().endure(|target| {
        let mut clients: Vec<_> = (0..24)
            .map(|_| Client::connect(target.for_attackers()))
            .collect();
        for _ in rounds() {
            for byte in request.as_bytes() {
                for client in &mut clients {
                    client.send(&[*byte]);
                }
            }
            for client in &mut clients {
                client.response().expect(200);
            }
        }
    });
}
