//! Clients that take their time: to say something, and to listen.

use std::thread;
use std::time::{Duration, Instant};

use super::{ATTACK_SECONDS, get, write};
use crate::support::target::Target;
use crate::support::{Client, crowd};

/// Between two bytes of one client.
const PAUSE: Duration = Duration::from_millis(5);

#[test]
fn a_hundred_heads_that_come_byte_by_byte_are_all_answered() {
    Target::new().endure(|target| {
        let address = target.for_attackers();
        let mut clients: Vec<_> = (0..100).map(|_| Client::connect(address)).collect();
        for byte in get("/ping") {
            for client in &mut clients {
                client.send(&[byte]);
            }
            thread::sleep(PAUSE);
        }
        for client in &mut clients {
            client.response().expect(200);
        }
        clients
    });
}

#[test]
fn a_hundred_bodies_that_drip_hold_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    Target::new().endure(|target| {
        let address = target.for_attackers();
        let mut clients = Vec::new();
        for number in 0..100 {
            let mut client = Client::connect(address);
            let path = directory.path().join(number.to_string());
            let request = write(&path, &[b'x'; 10_000]);
            client.send(&request[..request.len() - 10_000]);
            clients.push(client);
        }
        let until = Instant::now() + Duration::from_secs(ATTACK_SECONDS);
        while Instant::now() < until {
            for client in &mut clients {
                // Most of them have been refused: there is no worker for them.
                let _ = client.try_send(b"x");
            }
            thread::sleep(PAUSE);
        }
        clients
    });
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_hundred_readers_that_do_not_read_hold_nobody_up() {
    Target::new().endure(|target| {
        let mut crowd = crowd::gather(target.for_attackers(), 100);
        let request = get("/openapi.json");
        let time = Duration::from_secs(ATTACK_SECONDS);
        crowd::push(&mut crowd, b"", &request, request.len() * 4, time);
        thread::sleep(time);
        crowd
    });
}
