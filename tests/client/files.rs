//! One file there and back.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::mpsc;

use crate::support::eventually;
use crate::support::file_lab::FileLab;
use crate::support::operator::{client, client_at, client_reading};
use crate::support::peer::Peer;
use crate::support::process;

#[test]
fn a_file_goes_there_and_comes_back() {
    let lab = FileLab::new();
    let text = |below: &str| lab.path(below).to_str().unwrap().to_owned();
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(lab.path("outside/here"), &content).unwrap();
    let there = text("root/there");
    let said = client(
        &lab.agent,
        &["put", "--mode", "640", &text("outside/here"), &there],
    )
    .well();
    assert_eq!(said, format!("{there}\n"));
    assert!(fs::read(lab.path("root/there")).unwrap() == content);
    assert_eq!(lab.mode("root/there"), 0o640);
    client(&lab.agent, &["get", &there, &text("outside/back")]).well();
    client(&lab.agent, &["get", &there, &text("outside")]).well();
    for name in ["outside/back", "outside/there"] {
        assert!(fs::read(lab.path(name)).unwrap() == content, "{name}");
    }
    client_reading(&lab.agent, &["put", "-", &there], b"from a pipe").well();
    assert_eq!(
        client(&lab.agent, &["get", &there, "-"]).well(),
        "from a pipe"
    );
    assert_eq!(
        client(&lab.agent, &["--json", "get", &there]).json()["content"],
        "from a pipe"
    );
    client(
        &lab.agent,
        &["put", &text("outside/here"), "/etc/elsewhere"],
    )
    .badly(1);
    client(
        &lab.agent,
        &["get", &text("root/missing"), &text("outside/missing")],
    )
    .badly(1);
    client(&lab.agent, &["put", &text("outside"), &there]).badly(2);
    client(&lab.agent, &["get", &there, "/dev/null"]).badly(2);
    client(&lab.agent, &["get", &there, "/nowhere/at/all"]).badly(4);
    let mut names: Vec<_> = fs::read_dir(lab.path("outside"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["back", "here", "there"]);
}

/// Sends the first half of a file, and then what `then` does.
fn half_a_file(then: impl Fn() + Send + Sync + 'static) -> Peer {
    Peer::start(move |mut stream| {
        stream.read_exact(&mut [0; 50]).unwrap();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 20\r\n\r\n";
        stream
            .write_all(format!("{head}0123456789").as_bytes())
            .unwrap();
        then();
    })
}

#[test]
fn a_file_that_breaks_off_leaves_the_old_one() {
    let broken = half_a_file(|| ());
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("file"), "old").unwrap();
    let mut command = client_at(broken.address());
    command
        .args(["get", "/local/file", "file"])
        .current_dir(place.path());
    crate::support::operator::finish(&mut command, b"").badly(3);
    assert_eq!(fs::read(place.path().join("file")).unwrap(), b"old");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn ctrl_c_leaves_the_old_file_and_nothing_else() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    // Keeps the connection until the test is over.
    let stalled = half_a_file(move || {
        let _ = wait.lock().unwrap().recv();
    });
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("file"), "old").unwrap();
    let mut command = client_at(stalled.address());
    command
        .args(["get", "/local/file", "file"])
        .current_dir(place.path());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let count = || fs::read_dir(place.path()).unwrap().count();
    eventually("the temporary file", || (count() == 2).then_some(()));
    process::signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(
        (count(), fs::read(place.path().join("file")).unwrap()),
        (1, b"old".to_vec())
    );
    drop(go);
}
