//! slowhttptest, a tool that others break servers with, in its four modes. It asks the server itself, too, whether it is
//! still there.

use std::process::Command;

use crate::support::process;
use crate::support::target::Target;

/// Connections, and how many of them are made in a second.
const CROWD: [&str; 4] = ["-c", "400", "-r", "400"];
/// Between what a client sends, and how long it goes on, in seconds.
const TIMES: [&str; 4] = ["-i", "1", "-l", "4"];

fn endures(mode: &[&str], path: &str) {
    process::allow_descriptors(8192);
    Target::new().endure(|target| {
        let url = format!("http://{}{path}", target.for_attackers());
        let output = Command::new("slowhttptest")
            .args(mode)
            .args(CROWD)
            .args(TIMES)
            .args(["-u", &url])
            .env("TERM", "dumb")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let service = said
            .lines()
            .rfind(|line| line.contains("service available"));
        let service = service.unwrap_or_else(|| panic!("no word of the service: {output:?}"));
        assert!(service.contains("YES"), "{said}");
    });
}

#[test]
fn slow_heads() {
    endures(&["-H"], "/ping");
}

#[test]
fn slow_bodies() {
    endures(&["-B", "-s", "100000"], "/containers/run");
}

#[test]
fn ranges() {
    endures(&["-R", "-t", "HEAD"], "/ping");
}

#[test]
fn slow_readers() {
    endures(
        &[
            "-X", "-k", "10", "-w", "10", "-y", "20", "-n", "1", "-z", "8",
        ],
        "/ping",
    );
}
