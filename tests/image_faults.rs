//! Loads that break off: a full disk, an engine that goes away, a client that does. Nothing is left anywhere.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::support::agent::{Agent, Setup};
use crate::support::docker::Docker;
use crate::support::dockerd::Dockerd;
use crate::support::eventually;
use crate::support::tmpfs::Tmpfs;
use crate::support::upload::{chunked, form, head, post, post_chunked, saved};

const MIB: usize = 1024 * 1024;
const FORM: &str = "multipart/form-data; boundary=XX";
const STREAM: &str = "/docker/load/stream";

/// An archive whose layer is so large and cannot be compressed to less.
fn archive_of(bytes: usize) -> Vec<u8> {
    let docker = Docker::with_random(bytes);
    saved(&[&docker.image()])
}

/// Waits until the engine has nothing half-loaded.
fn nothing_left(engine: &Dockerd) {
    let temporary = engine.data().join("tmp");
    eventually("the engine to clear its temporary directory", || {
        let left = |path: &Path| path.read_dir().map_or(0, Iterator::count);
        (left(&temporary) == 0).then_some(())
    });
}

fn descriptors_are(agent: &Agent, before: usize) {
    eventually("the agent's descriptors to be as before", || {
        (agent.descriptors() <= before).then_some(())
    });
}

#[test]
fn a_state_directory_without_room_is_507_before_and_on_the_way() {
    let disk = Tmpfs::new(8 * MIB as u64);
    let agent = Setup::new()
        .env("NODE_AGENT_STATE_DIR", disk.path())
        .start();
    let before = agent.descriptors();
    // Announced: nothing of the body is asked for.
    let mut client = agent.connect();
    let length = 20 * MIB;
    client.send(&head(
        "/images/load",
        &format!("Content-Type: {FORM}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n"),
    ));
    let answer = client.response().expect(507);
    assert_eq!(answer.error(), "the disk has no room for it");
    let details = answer.json()["details"].as_str().unwrap().to_owned();
    assert!(details.starts_with(&length.to_string()), "{details}");
    // Found out on the way.
    let mut client = agent.connect();
    client.send(&head(
        "/images/load",
        &format!("Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n"),
    ));
    let body = form(&[("image_tar", "a", &vec![b'x'; 20 * MIB])]);
    // The agent answers before it has read all of it.
    let _ = client.try_send(&chunked(&body, MIB));
    assert_eq!(
        client.response().expect(507).error(),
        "the disk has no room for it"
    );
    assert_eq!(disk.path().read_dir().unwrap().count(), 0);
    descriptors_are(&agent, before);
    let free = free_bytes(disk.path());
    eventually("the disk to be empty again", || {
        (free_bytes(disk.path()) >= free).then_some(())
    });
}

#[test]
fn a_pull_that_would_use_up_the_reserve_is_507() {
    let disk = Tmpfs::new(16 * MIB as u64);
    let engine = Dockerd::start_on(Some(disk), &json!({}));
    // More than the 5 % that are the most that is kept.
    let reserve = (16 * MIB).to_string();
    let setup = Setup::new().engine(&engine.socket());
    let agent = setup.env("NODE_AGENT_MIN_FREE_BYTES", reserve).start();
    let pull = || agent.post("/images/pull", &json!({ "image": "127.0.0.1:1/app:1" }));
    let filler = engine.data().join("filler");
    let room = usize::try_from(free_bytes(&engine.data())).unwrap();
    std::fs::write(&filler, vec![0; room - MIB / 4]).unwrap();
    assert_eq!(pull().expect(507).error(), "the disk has no room for it");
    std::fs::remove_file(&filler).unwrap();
    pull().expect(502);
}

#[test]
fn a_build_without_instructions_leaves_nothing() {
    let engine = Dockerd::start(&json!({}));
    let agent = Setup::new().engine(&engine.socket()).start();
    let context = tempfile::tempdir().unwrap();
    for text in ["", "\n  \n", "\u{feff}# only\n  # comments\n"] {
        std::fs::write(context.path().join("Dockerfile"), text).unwrap();
        let refused = agent.post("/docker/build", &json!({ "context_path": context.path() }));
        let error = refused.expect(400).error();
        assert!(
            error.ends_with("/Dockerfile has no instruction in it"),
            "{error}"
        );
    }
    nothing_left(&engine);
}

#[test]
fn a_small_image_fits_into_a_small_state_directory() {
    let disk = Tmpfs::new(6 * MIB as u64);
    let agent = Setup::new()
        .env("NODE_AGENT_STATE_DIR", disk.path())
        .start();
    let docker = Docker::new();
    let body = form(&[("image_tar", "a", &saved(&[&docker.image()]))]);
    let loaded = post(&agent, "/images/load", FORM, &body).expect(200).json();
    assert_eq!(loaded["images"], json!([docker.image()]));
}

/// Free bytes of a disk, as df counts.
fn free_bytes(path: &Path) -> u64 {
    let output = std::process::Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().last().unwrap().trim().parse().unwrap()
}

#[test]
fn an_engine_without_room_is_507_before_and_on_the_way() {
    let archive = archive_of(20 * MIB);
    let engine = Dockerd::start_on(Some(Tmpfs::new(16 * MIB as u64)), &json!({}));
    let agent = Setup::new().engine(&engine.socket()).start();
    let announced = post(&agent, STREAM, "application/x-tar", &archive).expect(507);
    assert_eq!(announced.error(), "the disk has no room for it");
    // Nobody knows how much comes: the engine finds out.
    let late = post_chunked(&agent, STREAM, "application/x-tar", &archive).expect(507);
    assert_eq!(late.error(), "the Docker engine's disk is full");
    let details = late.json()["details"].as_str().unwrap().to_owned();
    assert!(details.contains("no space left"), "{details}");
    nothing_left(&engine);
    assert_eq!(engine.docker(&["images", "-aq"]).unwrap(), "");
}

#[test]
fn an_engine_that_goes_away_half_way_is_503() {
    let mut engine = Dockerd::start(&json!({}));
    let agent = Setup::new().engine(&engine.socket()).start();
    let archive = archive_of(4 * MIB);
    let mut client = agent.connect();
    client.send(&head(
        STREAM,
        &format!("Content-Length: {}\r\n", archive.len()),
    ));
    client.send(&archive[..2 * MIB]);
    eventually("the engine to have begun", || {
        let mut temporary = engine.data().join("tmp").read_dir().ok()?;
        temporary.next().map(|_| ())
    });
    engine.kill();
    let _ = client.try_send(&archive[2 * MIB..]);
    let error = client.response().expect(503).error();
    assert!(error.contains("cannot be reached"), "{error}");
    post(&agent, STREAM, "application/x-tar", &archive).expect(503);
    engine.start_again(&json!({}));
    post(&agent, STREAM, "application/x-tar", &archive).expect(200);
}

#[test]
fn a_client_that_leaves_half_way_leaves_nothing() {
    let engine = Dockerd::start(&json!({}));
    let agent = Setup::new().engine(&engine.socket()).start();
    let archive = archive_of(4 * MIB);
    let before = agent.descriptors();
    let body = form(&[("image_tar", "a", &archive)]);
    let requests: [(&str, String, &[u8]); 3] = [
        (
            STREAM,
            format!("Content-Length: {}\r\n", archive.len()),
            &archive,
        ),
        (
            STREAM,
            "Transfer-Encoding: chunked\r\n".to_owned(),
            &chunked(&archive, MIB),
        ),
        (
            "/images/load",
            format!("Content-Type: {FORM}\r\nContent-Length: {}\r\n", body.len()),
            &body,
        ),
    ];
    for (path, lines, body) in requests {
        let mut client = agent.connect();
        client.send(&head(path, &lines));
        client.send(&body[..3 * MIB]);
        drop(client);
    }
    eventually("all three to be given up", || {
        let ended = |line: &&String| line.contains("status=499") || line.contains("status=400");
        (agent.log().iter().filter(ended).count() == 3).then_some(())
    });
    descriptors_are(&agent, before);
    nothing_left(&engine);
    assert_eq!(engine.docker(&["images", "-aq"]).unwrap(), "");
    assert_eq!(agent.state_files(), Vec::<String>::new());
}

#[test]
fn an_upload_beyond_the_limit_is_413_before_and_on_the_way() {
    let agent = Setup::new()
        .env("NODE_AGENT_MAX_UPLOAD_BYTES", "1000")
        .start();
    let body = vec![b'x'; 5000];
    let tar = "application/x-tar";
    for answer in [
        post(&agent, STREAM, tar, &body),
        post_chunked(&agent, STREAM, tar, &body),
        post(
            &agent,
            "/docker/load",
            FORM,
            &form(&[("image_tar", "a", &body)]),
        ),
        post_chunked(
            &agent,
            "/docker/load",
            FORM,
            &form(&[("image_tar", "a", &body)]),
        ),
    ] {
        assert_eq!(
            answer.expect(413).error(),
            "the body is larger than 1000 bytes"
        );
    }
}

#[test]
fn a_slow_load_lets_the_others_go_on() {
    let agent = Agent::start();
    let mut client = agent.connect();
    client.send(&head(STREAM, "Content-Length: 100000\r\n"));
    client.send(&[0; 512]);
    let mut other = agent.connect();
    other
        .socket()
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    other.send(&crate::support::Client::encode("GET", "/ping", &[], b""));
    other.response().expect(200);
    agent.get("/images/list").expect(200);
}
