//! An agent that is killed, and a disk that is full: every file is the old one or the new one, and nothing else is left.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::support::file_lab::FileLab;
use crate::support::numbers::Numbers;
use crate::support::tmpfs::Tmpfs;
use crate::support::{Client, upload};

/// Bytes of version `version` of a file: the same byte all over, and a length of its own.
fn version(version: u64) -> Vec<u8> {
    let length = 50_000 + usize::try_from(version % 200).unwrap() * 1000;
    let mut bytes = vec![b'a' + (version % 26) as u8; length];
    bytes[..8].copy_from_slice(&version.to_be_bytes());
    bytes
}

/// The version that `bytes` are, all of them.
#[track_caller]
fn which(bytes: &[u8]) -> u64 {
    let number = u64::from_be_bytes(bytes[..8].try_into().unwrap());
    assert!(
        bytes == version(number),
        "a torn file of {} bytes",
        bytes.len()
    );
    number
}

/// Writes versions of `name` one after the other until the agent is gone; the last one that was said to be written.
fn write_until_killed(lab: &FileLab, name: &str, first: u64, sent: &AtomicU64) -> u64 {
    let Ok(mut client) = Client::try_connect(lab.agent.address()) else {
        return first;
    };
    let mut last = first;
    loop {
        let bytes = version(last + 1);
        let path = lab.query("write", name, "");
        let lines = format!(
            "Content-Type: text/plain\r\nContent-Length: {}\r\n",
            bytes.len()
        );
        let mut alive = client.try_send(&upload::head(&path, &lines)).is_ok();
        for piece in bytes.chunks(7000) {
            alive = alive && client.try_send(piece).is_ok();
            sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        if !alive || !is_written(&mut client) {
            return last;
        }
        last += 1;
    }
}

/// Whether an answer came, which must be a success.
fn is_written(client: &mut Client) -> bool {
    let mut first = [0; 12];
    match std::io::Read::read_exact(&mut client.socket(), &mut first) {
        Ok(()) => {
            assert_eq!(&first, b"HTTP/1.1 200");
            let mut text = Vec::new();
            while !text.ends_with(b"\"created\":true}") && !text.ends_with(b"\"created\":false}") {
                let mut byte = [0];
                if std::io::Read::read_exact(&mut client.socket(), &mut byte).is_err() {
                    return true;
                }
                text.push(byte[0]);
            }
            true
        }
        Err(_) => false,
    }
}

fn leftovers(place: &Path) -> usize {
    let entries = place.read_dir().unwrap();
    let is_left = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(".node-agent-");
    entries
        .filter(|entry| is_left(&entry.as_ref().unwrap().file_name()))
        .count()
}

/// How often it is killed.
const ROUNDS: usize = 200;

/// Kills the agent after every number of bytes, in the middle of a body or between two.
#[test]
fn a_killed_agent_leaves_old_or_new_files_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let state = place.path().join("state");
    let (mut numbers, mut left) = (Numbers::new(), 0);
    let names = ["root/one", "root/deep/two"];
    let mut last = [0; 2];
    for round in 0..ROUNDS {
        let mut lab = FileLab::at(place.path(), |setup| {
            setup.env("NODE_AGENT_STATE_DIR", &state)
        });
        assert_eq!(leftovers(&lab.path("root")), 0, "round {round}");
        for (name, last) in names.iter().zip(&mut last) {
            let Ok(bytes) = fs::read(lab.path(name)) else {
                assert_eq!(*last, 0, "{name} is gone");
                continue;
            };
            let found = which(&bytes);
            assert!(
                found == *last || found == *last + 1,
                "{found} after {last} in round {round}"
            );
            *last = found;
        }
        let (sent, enough) = (AtomicU64::new(0), numbers.below(1_500_000));
        let lab_now = &lab;
        let sent = &sent;
        last = std::thread::scope(|scope| {
            let writers: Vec<_> = names
                .iter()
                .zip(last)
                .map(|(name, last)| {
                    scope.spawn(move || write_until_killed(lab_now, name, last, sent))
                })
                .collect();
            while sent.load(Ordering::Relaxed) < enough {
                std::thread::yield_now();
            }
            lab_now.agent.signal("KILL");
            let ends: Vec<_> = writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect();
            [ends[0], ends[1]]
        });
        lab.agent.wait();
        left += leftovers(&lab.path("root"));
    }
    // Otherwise nothing was swept, and the test would be about nothing.
    assert!(left > 0 && last[0] > 40, "{left} {last:?}");
    let lab = FileLab::at(place.path(), |setup| {
        setup.env("NODE_AGENT_STATE_DIR", &state)
    });
    assert_eq!(lab.names("root"), ["deep", "one"]);
    assert_eq!(lab.names("root/deep"), ["two"]);
    assert!(lab.names("state/temporaries").is_empty());
}

#[test]
fn readers_see_whole_versions_while_others_write() {
    let lab = FileLab::new();
    lab.write_raw("root/file", "", &version(0)).expect(200);
    let lab = &lab;
    std::thread::scope(|scope| {
        for writer in 0..2 {
            scope.spawn(move || {
                for round in 0..40 {
                    lab.write_raw("root/file", "", &version(2 * round + writer))
                        .expect(200);
                }
            });
        }
        for round in 0..40 {
            which(&lab.read_raw("root/file", "").expect(200).body);
            let read = lab.get("read", "root/file", "").expect(200).json();
            assert_eq!(read["size"].as_u64().unwrap() % 1000, 0, "{round}");
            let entries = lab.get("list", "root", "").expect(200).json();
            assert_eq!(entries["entries"].as_array().unwrap().len(), 1);
        }
    });
    assert_eq!(lab.names("root"), ["file"]);
}

#[test]
fn a_full_disk_is_told_and_changes_nothing() {
    let disk = Tmpfs::new(2 * 1024 * 1024);
    let lab = FileLab::at(disk.path(), |setup| setup);
    let old = vec![b'o'; 700_000];
    lab.write_raw("root/file", "", &old).expect(200);
    let new = vec![b'n'; 1_500_000];
    let path = lab.query("write", "root/file", "");
    let fresh = lab.query("write", "root/new/file", "");
    for answer in [
        lab.write_raw("root/file", "", &new),
        upload::post_chunked(&lab.agent, &path, "text/plain", &new),
        upload::post_chunked(&lab.agent, &fresh, "text/plain", &new),
        lab.write("root/file", &"n".repeat(1_500_000)),
        lab.post(
            "write",
            "root/file",
            json!({ "content": "bm5u".repeat(500_000), "encoding": "base64" }),
        ),
    ] {
        let error = answer.expect(507).error();
        assert!(error.contains(&lab.text("root")), "{error}");
        assert!(lab.content("root/file") == old && lab.names("root") == ["file"]);
    }
    lab.write_raw("root/file", "", b"small").expect(200);
    lab.write_raw("root/file", "", &new).expect(200);
}

#[test]
fn a_reserve_is_kept_free() {
    let disk = Tmpfs::new(40 * 1024 * 1024);
    let lab = FileLab::at(disk.path(), |setup| {
        setup.env("NODE_AGENT_MIN_FREE_BYTES", "1000000000")
    });
    // 5 % of it stay free.
    lab.write_raw("root/file", "", &vec![0; 39 * 1024 * 1024])
        .expect(507);
    let path = lab.query("write", "root/file", "");
    upload::post_chunked(&lab.agent, &path, "text/plain", &vec![0; 39 * 1024 * 1024]).expect(507);
    assert!(lab.names("root").is_empty());
    lab.write_raw("root/file", "", &vec![0; 37 * 1024 * 1024])
        .expect(200);
    lab.post("mkdir", "root/directory", json!({})).expect(200);
    lab.post("delete", "root/file", json!({})).expect(200);
}

/// A disk that tells no size may be written; one that is read-only is told to be.
#[test]
fn disks_without_a_size_and_disks_that_are_read_only() {
    let disk = Tmpfs::new(0);
    let lab = FileLab::at(disk.path(), |setup| setup);
    lab.write("root/file", "old").expect(200);
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-o", how]).arg(disk.path()).status();
        assert!(mounted.unwrap().success());
    };
    remount("remount,ro");
    let answer = lab.write("root/file", "new").expect(500);
    assert!(answer.text().contains("Read-only"), "{}", answer.text());
    lab.post("delete", "root/file", json!({})).expect(500);
    lab.post("mkdir", "root/directory", json!({})).expect(500);
    assert_eq!(
        lab.get("read", "root/file", "").expect(200).json()["content"],
        "old"
    );
    remount("remount,rw");
    lab.write("root/file", "new").expect(200);
}

/// Where the state directory cannot be written, files still can.
#[test]
fn a_full_state_directory_does_not_stop_small_writes() {
    let disk = Tmpfs::new(4096);
    fs::write(disk.path().join("full"), vec![0; 4096]).unwrap();
    let owner = tempfile::tempdir().unwrap();
    let lab = FileLab::at(owner.path(), |setup| {
        setup.env("NODE_AGENT_STATE_DIR", disk.path())
    });
    lab.write("root/file", "content").expect(200);
    lab.write_raw("root/file", "", &vec![0; 500_000])
        .expect(200);
    lab.write("root/file", &"x".repeat(200_000)).expect(507);
    assert_eq!(lab.content("root/file").len(), 500_000);
    assert_eq!(lab.names("root"), ["file"]);
}
