//! Many connections that want nothing.

use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use crate::support::Client;
use crate::target::{self, Target};

#[test]
fn ten_thousand_connects_and_closes() {
    Target::new().endure(|target| {
        // A hundred at once, over three seconds: an attack must last long enough to be felt.
        for _ in 0..100 {
            for _ in 0..100 {
                drop(TcpStream::connect(target.for_attackers()).unwrap());
            }
            sleep(Duration::from_millis(30));
        }
    });
}

#[test]
fn half_open_connections_that_never_say_anything() {
    target::allow_descriptors(8192);
    Target::new().endure(|target| {
        let silent = |_| TcpStream::connect(target.for_attackers()).unwrap();
        let crowd: Vec<_> = (0..1000).map(silent).collect();
        sleep(Duration::from_secs(3));
        crowd
    });
}

#[test]
fn five_hundred_idle_connections_are_kept() {
    target::allow_descriptors(8192);
    Target::new().endure(|target| {
        let mut crowd: Vec<_> = (0..500)
            .map(|_| Client::connect(target.for_attackers()))
            .collect();
        for _ in 0..2 {
            for client in &mut crowd {
                client.request("GET", "/ping", &[], b"").expect(200);
            }
            sleep(Duration::from_secs(2));
        }
        crowd
    });
}
