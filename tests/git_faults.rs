//! Clones that are broken off: by the client, by the agent's death, by a full disk, by somebody else on the machine.

use std::path::Path;

use serde_json::{Value, json};

use node_agent::sys::process::filesystem_space;

use crate::support::agent::KEY;
use crate::support::git_host::{PASSWORD, USER};
use crate::support::git_lab::{GitLab, git};
use crate::support::process::command_lines;
use crate::support::tmpfs::Tmpfs;
use crate::support::{Client, eventually};

fn login() -> Value {
    json!({"username": USER, "password": PASSWORD})
}

/// A client that has asked for a clone that waits for its pack.
fn begun(lab: &GitLab) -> Client {
    let body = lab.body(&lab.host.url("slow/a.git"), "x/y/a", login());
    let mut client = lab.files.agent.connect();
    let headers = [("X-API-Key", KEY)];
    let request = Client::encode("POST", "/git/clone", &headers, body.to_string().as_bytes());
    client.send(&request);
    lab.host.wait_for_slow();
    assert_eq!(lab.noted(), 1);
    client
}

/// The processes that work on this lab's repositories.
fn gits(lab: &GitLab) -> Vec<(u32, String)> {
    command_lines(&lab.host.url("slow/"))
}

#[test]
fn a_client_that_goes_away_ends_it() {
    let lab = GitLab::new();
    let client = begun(&lab);
    assert!(!gits(&lab).is_empty());
    drop(client);
    eventually("everything to be gone", || {
        (gits(&lab).is_empty() && lab.noted() == 0).then_some(())
    });
    lab.expect_only(&[]);
}

#[test]
fn a_killed_agent_leaves_nothing_after_the_next_start() {
    let mut lab = GitLab::new();
    let client = begun(&lab);
    assert_eq!(lab.files.names("root").len(), 1);
    lab.start_again();
    drop(client);
    lab.expect_only(&[]);
    // What git had running ends with what it waits for.
    lab.host.release();
    eventually("git to be gone", || gits(&lab).is_empty().then_some(()));
    lab.expect_only(&[]);
    lab.clone(&lab.host.url("open/a.git"), "a").expect(200);
}

/// Somebody else may rename in the directory that is staged in, and puts a link where git works.
#[test]
fn a_directory_that_is_exchanged_does_not_lead_out() {
    let lab = GitLab::new();
    let mut client = begun(&lab);
    let root = lab.path("root");
    let staging = lab.files.names("root").remove(0);
    std::fs::rename(root.join(&staging), lab.path("aside")).unwrap();
    std::os::unix::fs::symlink(lab.path("outside"), root.join(&staging)).unwrap();
    std::fs::create_dir_all(lab.path("outside/tree/y/a")).unwrap();
    lab.host.release();
    assert_eq!(client.response().status, 200);
    assert_eq!(lab.text("root/x/y/a/file"), "2");
    assert_eq!(
        std::fs::read_dir(lab.path("outside/tree/y/a"))
            .unwrap()
            .count(),
        0
    );
}

/// A repository of random bytes, which cannot be packed.
fn large(lab: &GitLab, bytes: usize) {
    let work = lab.work("large");
    let mut random = std::fs::File::open("/dev/urandom").unwrap();
    let mut file = std::fs::File::create(work.join("file")).unwrap();
    let mut some = std::io::Read::take(&mut random, bytes as u64);
    std::io::copy(&mut some, &mut file).unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", "large"]);
    lab.publish("large");
}

#[test]
fn a_disk_that_runs_full_is_told_and_freed() {
    let lab = GitLab::new();
    large(&lab, 6 * 1024 * 1024);
    let disk = Tmpfs::over(&lab.path("root"), 8 * 1024 * 1024);
    lab.clone(&lab.host.url("open/large.git"), "no").expect(507);
    lab.expect_only(&[]);
    // What a process that is being killed has open takes its room until it is gone.
    let has_room = || {
        let space = filesystem_space(disk.path()).unwrap();
        (space.available_bytes > 7 * 1024 * 1024).then_some(())
    };
    eventually("the room to be free again", has_room);
    disk.fill();
    lab.clone(&lab.host.url("open/a.git"), "no").expect(507);
    disk.empty();
    eventually("the room to be free again", has_room);
    lab.clone(&lab.host.url("open/a.git"), "a").expect(200);
    lab.expect_only(&["a"]);
}

/// The reserve is used up by somebody else while git waits.
#[test]
fn the_reserve_stays_free_while_it_runs() {
    let lab = GitLab::with(|setup| setup.env("NODE_AGENT_MIN_FREE_BYTES", "1000000000"));
    let disk = Tmpfs::over(&lab.path("root"), 8 * 1024 * 1024);
    let mut client = begun(&lab);
    assert!(!gits(&lab).is_empty());
    take(disk.path(), 8_100_000);
    let answer = client.response().expect(507);
    assert!(
        answer.json()["details"]
            .as_str()
            .unwrap()
            .contains("may be used")
    );
    eventually("git to be gone", || gits(&lab).is_empty().then_some(()));
    disk.empty();
    lab.expect_only(&[]);
}

fn take(disk: &Path, bytes: usize) {
    std::fs::write(disk.join("filler"), vec![0; bytes]).unwrap();
}
