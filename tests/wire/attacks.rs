//! The four attacks that bring a tiny_http server down, against ours: each is refused or capped, `/ping` still answers
//! others meanwhile, memory stays small, and nothing is left behind.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::crowd;
use crate::support::agent::{KEY, Setup};
use crate::support::{Agent, Client};
use crate::target::{self, Target, rounds};

fn huge_body(headers: &str) -> Vec<u8> {
    format!(
        "POST /containers/run HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: 100000000000\r\n\r\n"
    )
    .into_bytes()
}

#[test]
fn a_huge_length_is_refused_unread() {
    let key = format!("X-API-Key: {KEY}\r\n");
    Target::new().endure(|target| {
        for round in rounds() {
            for (headers, status) in [("", 401), (key.as_str(), 413)] {
                let mut client = Client::connect(target.for_attackers());
                client.send(&huge_body(headers));
                // Every other one goes away at once.
                if round % 2 == 0 {
                    client.response().expect(status);
                }
            }
        }
    });
}

#[test]
fn a_body_that_breaks_off_frees_its_worker() {
    Target::new().endure(|target| {
        let head = format!(
            "POST /containers/run HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Length: 1000000\r\n\r\n"
        );
        for _ in rounds() {
            let mut client = Client::connect(target.for_attackers());
            client.send(head.as_bytes());
            client.send(&[b' '; 10_000]);
            // A pace that leaves the machine ports to come from.
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

#[test]
fn an_endless_header_is_cut_off() {
    const MOST: usize = 64 * 1024 * 1024;
    Target::new().endure(|target| {
        // Who is cut off comes again.
        for _ in rounds() {
            let mut crowd = crowd::gather(target.for_attackers(), 64);
            let start = b"GET /ping HTTP/1.1\r\nHost: a\r\nX-Endless: ";
            crowd::push(&mut crowd, start, b"x", MOST, Duration::from_secs(10));
            for member in &crowd {
                let taken = member.taken;
                assert!(
                    member.is_broken && taken < MOST / 4,
                    "{taken} bytes were taken"
                );
            }
        }
    });
}

#[test]
fn endless_pipelining_is_held_back() {
    let request = "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n";
    pipeline_without_reading(64, request);
}

#[test]
fn endless_pipelining_of_work_is_held_back() {
    let request = format!("GET /openapi.json HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\n\r\n");
    // Fewer: this is about what an unread answer holds, not about how much a key holder may compute.
    pipeline_without_reading(16, &request);
}

fn pipeline_without_reading(connections: usize, request: &str) {
    const MOST: usize = 64 * 1024 * 1024;
    Target::new().endure(|target| {
        let mut crowd = crowd::gather(target.for_attackers(), connections);
        let time = Duration::from_secs(5);
        crowd::push(&mut crowd, b"", request.as_bytes(), MOST, time);
        assert!(crowd.iter().all(|member| member.taken < MOST));
        crowd
    });
}

#[test]
fn three_thousand_half_sent_heads_leave_room_for_others() {
    target::allow_descriptors(8192);
    Target::new().endure(|target| {
        let half_open = |_| {
            let mut stream = TcpStream::connect(target.for_attackers()).unwrap();
            // The agent may have sent it away already, to make room for the next.
            let _ = stream.write_all(b"GET /ping HTTP/1.1\r\nHost: a\r\nX-Half: ");
            stream
        };
        let streams: Vec<_> = (0..3000).map(half_open).collect();
        // Others must be served while the crowd stands there, too.
        std::thread::sleep(Duration::from_secs(1));
        assert!(target.agent.proc_status("Threads") <= target.threads);
        let descriptors = target.agent.descriptors();
        assert!(descriptors < 600, "{descriptors} descriptors");
        streams
    });
}

#[test]
fn a_slow_head_gets_408_in_ten_seconds() {
    let agent = Agent::start();
    let start = Instant::now();
    let mut silent = agent.connect();
    silent.send(b"GET /ping HTTP/1.1\r\n");
    // One that sends a byte now and then gets no more time.
    let mut dripping = agent.connect();
    dripping.send(b"GET /ping HTTP/1.1\r\nX: ");
    while start.elapsed() < Duration::from_secs(9) {
        dripping.send(b"x");
        std::thread::sleep(Duration::from_millis(500));
    }
    for client in [&mut silent, &mut dripping] {
        let response = client.response().expect(408);
        assert_eq!(response.header("connection"), Some("close"));
        let time = start.elapsed();
        assert!((9..13).contains(&time.as_secs()), "408 after {time:?}");
        assert!(client.is_closed());
    }
}

#[test]
fn the_oldest_idle_connection_makes_room_for_newcomers() {
    let agent = Setup::new().env("NODE_AGENT_MAX_CONNECTIONS", "16").start();
    let newcomer = || {
        let mut client = agent.connect();
        client.request("GET", "/ping", &[], b"").expect(200);
        client
    };
    let mut kept: Vec<_> = (0..16).map(|_| newcomer()).collect();
    // The first has just been active again, so the second is the oldest.
    kept[0].request("GET", "/ping", &[], b"").expect(200);
    let _seventeenth = newcomer();
    assert!(kept[1].is_closed());
    for (index, client) in kept.iter_mut().enumerate().filter(|(i, _)| *i != 1) {
        client.socket().set_nonblocking(true).unwrap();
        let nothing = client.socket().read(&mut [0]).unwrap_err();
        assert_eq!(
            nothing.kind(),
            std::io::ErrorKind::WouldBlock,
            "connection {index}"
        );
    }
    for _ in 0..100 {
        newcomer();
    }
}
