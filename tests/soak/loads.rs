//! What those with the key do: one round each, with its answers looked at.

use std::fs;

use serde_json::json;

use crate::site::Site;
use crate::support::Client;
use crate::support::agent::KEY;
use crate::support::tar_builder::{Tar, gzip};
use crate::support::upload_lab::{BYTES, chunk_path, post_with};

/// Everything that only looks.
pub fn lists(site: &Site, _: u64) {
    for path in [
        "/ping",
        "/containers",
        "/images/list",
        "/cron/jobs",
        "/metrics",
        "/metrics?format=prometheus",
        "/openapi.json",
    ] {
        site.agent.get(path).expect(200);
    }
    let path = format!("/containers/{}/inspect", site.waiter());
    site.agent.get(&path).expect(200);
    site.agent.get("/containers/nobody/status").expect(404);
}

/// Fifty requests on one connection.
pub fn kept_connection(site: &Site, _: u64) {
    let mut client = site.agent.connect();
    for _ in 0..50 {
        client.request("GET", "/ping", &[], b"").expect(200);
    }
}

/// A file is written, read, and deleted.
pub fn files(site: &Site, round: u64) {
    let path = site.path(&format!("file-{round}"));
    let text = path.display();
    let bytes = content(round, 256 * 1024);
    post_with(
        &site.agent,
        &format!("/files/write?path={text}"),
        &[],
        &bytes,
    )
    .expect(200);
    let headers = [("X-API-Key", KEY), ("Accept", BYTES)];
    let request = format!("/files/read?path={text}");
    let read = site.agent.connect().request("GET", &request, &headers, b"");
    assert!(
        read.expect(200).body == bytes,
        "{text} is not what was written"
    );
    let body = json!({ "path": path });
    site.agent.post("/files/delete", &body).expect(200);
}

/// A hundred files in one archive.
pub fn streamed_upload(site: &Site, round: u64) {
    let target = site.path(&format!("stream-{round}"));
    let path = format!("/upload/tar/stream?extract_path={}", target.display());
    post_with(&site.agent, &path, &[], &archive(round)).expect(200);
    assert_eq!(fs::read_dir(&target).unwrap().count(), 100);
    fs::remove_dir_all(&target).unwrap();
}

/// An archive in four chunks, the last first; every third one is given up.
pub fn chunked_upload(site: &Site, round: u64) {
    let target = site.path(&format!("chunks-{round}"));
    let (archive, id) = (archive(round), format!("soak-{round}"));
    let size = archive.len().div_ceil(4);
    let more = format!("&extract_path={}", target.display());
    let chunks: Vec<_> = (0_u32..).zip(archive.chunks(size)).collect();
    let is_given_up = round.is_multiple_of(3);
    for (index, chunk) in chunks.into_iter().rev().skip(usize::from(is_given_up)) {
        let answer = post_with(&site.agent, &chunk_path(&id, (index, 4), &more), &[], chunk);
        answer.expect(200);
    }
    if !is_given_up {
        assert_eq!(fs::read_dir(&target).unwrap().count(), 100);
        fs::remove_dir_all(&target).unwrap();
    }
    // The answer of a finished one is kept for whoever missed it, until it is discarded.
    let path = format!("/upload/tar/chunked?chunk_id={id}");
    let headers = [("X-API-Key", KEY)];
    let discarded = site.agent.connect().request("DELETE", &path, &headers, b"");
    assert!(discarded.status < 300, "{}", discarded.text());
}

/// Logs as they come, until the client has enough and goes.
pub fn follow(site: &Site, _: u64) {
    let mut client = site.agent.connect();
    let path = format!("/containers/{}/logs?follow=1&tail=1", site.talker());
    client.send(&Client::encode("GET", &path, &[("X-API-Key", KEY)], b""));
    client.head().expect(200);
    for _ in 0..20 {
        assert!(!client.chunk().is_empty(), "the follow has ended by itself");
    }
}

/// Commands: one that answers, one that fails, and now and then one that takes too long.
pub fn exec(site: &Site, round: u64) {
    let path = format!("/containers/{}/exec", site.waiter());
    let run = |body| site.agent.post(&path, &body);
    let said = run(json!({ "command": ["busybox", "echo", "hello"] })).expect(200);
    assert!(said.text().contains("hello"), "{}", said.text());
    run(json!({ "command": ["busybox", "false"] })).expect(200);
    if round.is_multiple_of(20) {
        run(json!({ "command": ["busybox", "sleep", "3"], "timeout": 1 })).expect(504);
    }
}

/// A container comes, is asked for, and goes.
pub fn container(site: &Site, round: u64) {
    let name = site.name(&format!("passing-{round}"));
    let body = site.container(&name, &["busybox", "sleep", "1000"]);
    site.agent.post("/containers/run", &body).expect(201);
    site.agent
        .get(&format!("/containers/{name}/status"))
        .expect(200);
    let path = format!("/containers/{name}/remove?force=true");
    site.agent.post_nothing(&path).expect(200);
}

/// One of four images is built from a tar.
pub fn build(site: &Site, round: u64) {
    let dockerfile = format!(
        "FROM {}\nCOPY number /number\nRUN busybox cat /number\n",
        site.docker.image()
    );
    let context = Tar::new()
        .file("Dockerfile", dockerfile)
        .file("number", (round % 4).to_string())
        .end();
    let path = format!("/docker/build?tag={}:{}", site.name("built"), round % 4);
    let mut client = site.agent.connect();
    let headers = [("X-API-Key", KEY), ("Content-Type", "application/x-tar")];
    client
        .request("POST", &path, &headers, &context)
        .expect(200);
}

fn archive(round: u64) -> Vec<u8> {
    let tar = (0..100).fold(Tar::new(), |tar, file| {
        tar.file(format!("file-{file}"), content(round + file, 4096))
    });
    gzip(&tar.end())
}

fn content(seed: u64, length: usize) -> Vec<u8> {
    let bytes =
        (0..length as u64).map(|index| (index.wrapping_mul(seed | 1) >> 3).to_le_bytes()[0]);
    bytes.collect()
}
