//! The four modes of slowhttptest(1), the tool that people try on a server of theirs.

use std::process::Command;

use crate::support::agent::KEY;
use crate::target::Target;

/// What all modes have in common: 400 connections, 200 a second, for five seconds.
const PACE: [&str; 6] = ["-c", "400", "-r", "200", "-l", "5"];

fn attack(path: &str, mode: &[&str]) {
    Target::new().endure(|target| {
        let url = format!("http://{}{path}", target.for_attackers());
        let output = Command::new("slowhttptest")
            .args(PACE)
            .args(mode)
            .args(["-u", &url])
            .output()
            .expect("slowhttptest is installed");
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && told.contains("Exit status"),
            "{told}"
        );
    });
}

#[test]
fn slow_headers() {
    attack("/ping", &["-H", "-i", "1", "-x", "24"]);
}

#[test]
fn slow_bodies() {
    attack(
        "/containers/run",
        &["-B", "-i", "1", "-s", "8192", "-x", "10"],
    );
}

#[test]
fn many_ranges() {
    attack(
        "/openapi.json",
        &["-R", "-t", "GET", "-a", "1", "-b", "3000"],
    );
}

#[test]
fn slow_reads() {
    let cookie = format!("x\r\nX-API-Key: {KEY}");
    let small_window = [
        "-X", "-w", "10", "-y", "20", "-n", "1", "-z", "32", "-k", "3",
    ];
    attack(
        "/openapi.json",
        &[&small_window[..], &["-j", &cookie]].concat(),
    );
}
