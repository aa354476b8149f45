//! The clock is set an hour forward and back while the agent works: what waits, waits as long as before, and what is kept
//! for hours is still there. Its clock is libfaketime's; the machine's own is left alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use node_agent::clock::Timestamp;
use serde_json::json;

use crate::support::agent::{KEY, Setup};
use crate::support::docker::{self, Docker};
use crate::support::tar_builder::Tar;
use crate::support::upload_lab::{BYTES, chunk_path, missing};
use crate::support::{Agent, Client, eventually, upload};

const HOUR: i64 = 3600;
/// One step, and how far the seconds of a busy machine go meanwhile.
const ABOUT: i64 = 60;

/// The offset of an agent's clock.
struct Clock(tempfile::TempDir);

impl Clock {
    fn file(&self) -> PathBuf {
        self.0.path().join("offset")
    }

    /// Sets it so many seconds beside the machine's, and waits until the agent sees it.
    fn step(&self, agent: &Agent, seconds: i64) {
        // In one step: a file that is half written would be another time.
        let new = self.0.path().join("new");
        std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
        std::fs::rename(new, self.file()).unwrap();
        eventually("the agent's clock to be set", || {
            let day = 24 * HOUR;
            let ahead = (second_of_agent(agent) - second_of_machine() - seconds).rem_euclid(day);
            (ahead.min(day - ahead) < ABOUT).then_some(())
        });
    }
}

/// The second of the day, as `time` tells it: `2026-11-25T09:32:16.633Z`.
fn second_of_day(time: &str) -> i64 {
    let mut parts = time[11..19]
        .split(':')
        .map(|part| part.parse::<i64>().unwrap());
    let mut next = || parts.next().unwrap();
    next() * HOUR + next() * 60 + next()
}

fn second_of_agent(agent: &Agent) -> i64 {
    let metrics = agent.get("/metrics").expect(200).json();
    second_of_day(metrics["timestamp"].as_str().unwrap())
}

fn second_of_machine() -> i64 {
    Timestamp::now().seconds % (24 * HOUR)
}

/// Where the package has it.
fn library() -> PathBuf {
    let places = Path::new("/usr/lib").read_dir().unwrap();
    let mut found = places.map(|place| {
        let library = "faketime/libfaketimeMT.so.1";
        place.unwrap().path().join(library)
    });
    found.find(|path| path.exists()).expect("package faketime")
}

/// A clock of our own, which shows the right time.
fn clock() -> Clock {
    let clock = Clock(tempfile::tempdir().unwrap());
    std::fs::write(clock.file(), "+0\n").unwrap();
    clock
}

/// The setup of an agent that goes by it. Monotonic clocks and the times of files stay the machine's, as they do when a
/// clock is stepped.
fn setup(clock: &Clock) -> Setup {
    Setup::new()
        .env("LD_PRELOAD", library())
        .env("FAKETIME_TIMESTAMP_FILE", clock.file())
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1")
}

#[test]
fn what_waits_is_neither_cut_off_nor_held() {
    let clock = clock();
    let agent = &setup(&clock).start();
    let docker = Docker::new();
    let script = "while :; do echo line; busybox sleep 1; done";
    let id = docker
        .create_by_cli(&["--network=none"], &["sh", "-c", script])
        .unwrap();
    docker::run(&["start", &id]).unwrap();
    let key = [("X-API-Key", KEY)];
    let mut kept = agent.connect();
    kept.request("GET", "/ping", &[], b"").expect(200);
    let mut follower = agent.connect();
    let follow = format!("/containers/{id}/logs?follow=true");
    follower.send(&Client::encode("GET", &follow, &key, b""));
    assert_eq!(follower.head().status, 200);
    for seconds in [HOUR, -HOUR, 0] {
        // A head and a body that are not all there, and a command that takes its time.
        let mut head = agent.connect();
        head.send(b"GET /ping HTTP/1.1\r\nHost: a\r\n");
        let mut body = agent.connect();
        let path = "POST /files/exists HTTP/1.1\r\n";
        body.send(
            format!("{path}Host: a\r\nX-API-Key: {KEY}\r\nContent-Length: 2\r\n\r\n{{").as_bytes(),
        );
        let mut slow = agent.connect();
        let command = json!({ "command": ["busybox", "sleep", "2"], "timeout": 20 }).to_string();
        let exec = format!("/containers/{id}/exec");
        slow.send(&Client::encode("POST", &exec, &key, command.as_bytes()));
        clock.step(agent, seconds);
        head.send(b"\r\n");
        head.response().expect(200);
        body.send(b"}");
        assert_ne!(body.response().status, 408);
        assert_eq!(slow.response().expect(200).json()["exit_code"], 0);
        kept.request("GET", "/ping", &[], b"").expect(200);
        assert!(!follower.chunk().is_empty());
        agent.get("/containers").expect(200);
    }
    // A deadline is as long as it was: two seconds of it, with the clock set back within.
    let mut late = agent.connect();
    late.socket()
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let command = json!({ "command": ["busybox", "sleep", "1000"], "timeout": 2 }).to_string();
    let exec = format!("/containers/{id}/exec");
    late.send(&Client::encode("POST", &exec, &key, command.as_bytes()));
    clock.step(agent, -HOUR);
    late.response().expect(504);
}

#[test]
fn what_is_kept_for_a_day_is_there_after_an_hour() {
    let clock = clock();
    let place = tempfile::tempdir().unwrap();
    let start = || {
        let state = place.path().join("state");
        setup(&clock).env("NODE_AGENT_STATE_DIR", state).start()
    };
    let target = place.path().join("target");
    let to = format!("&extract_path={}", target.display());
    let archive = Tar::new().file("file", "content").end();
    let (first, second) = archive.split_at(700);
    let mut agent = start();
    for (id, seconds) in [("forward", HOUR), ("back", -HOUR)] {
        let chunk = |agent: &Agent, number, bytes: &[u8]| {
            let path = chunk_path(id, (number, 2), &to);
            upload::post(agent, &path, BYTES, bytes).expect(200).json()
        };
        clock.step(&agent, 0);
        chunk(&agent, 0, first);
        clock.step(&agent, seconds);
        // The next one tidies up at its start, by the new time.
        agent.signal("KILL");
        agent.wait();
        agent = start();
        clock.step(&agent, seconds);
        let status = agent.get(&format!("/upload/tar/chunked?chunk_id={id}"));
        assert_eq!(missing(&status.expect(200).json()), [1]);
        let done = chunk(&agent, 1, second);
        assert_eq!(done["status"], "extracted", "{done}");
        assert_eq!(std::fs::read(target.join("file")).unwrap(), b"content");
        assert_eq!(chunk(&agent, 1, second), done);
    }
}
