//! Many at once, each of them harmless.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::{ATTACK_SECONDS, get};
use crate::support::target::Target;
use crate::support::{Client, process};

#[test]
fn ten_thousand_connects_and_closes() {
    Target::new().endure(|target| {
        let address = target.for_attackers();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(move || {
                    for _ in 0..2500 {
                        drop(TcpStream::connect(address).unwrap());
                    }
                });
            }
        });
        // So many that the pings had time to suffer.
        thread::sleep(Duration::from_secs(1));
    });
}

#[test]
fn five_hundred_kept_connections_cost_nothing_and_still_answer() {
    process::allow_descriptors(8192);
    Target::new().endure(|target| {
        let mut clients: Vec<_> = (0..500)
            .map(|_| Client::connect(target.for_attackers()))
            .collect();
        for client in &mut clients {
            client.send(&get("/ping"));
            client.response().expect(200);
        }
        thread::sleep(Duration::from_secs(ATTACK_SECONDS));
        assert!(target.agent.proc_status("Threads") <= target.threads);
        for client in &mut clients {
            client.send(&get("/ping"));
            client.response().expect(200);
        }
        clients
    });
}
