//! Uploads while somebody who may write to the target exchanges its directories for links to outside.

use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use node_agent::sys::change::{Renaming, rename};
use node_agent::sys::open;

use crate::support::Over;
use crate::support::tar_builder::Tar;
use crate::support::upload_lab::UploadLab;

/// Somebody exchanges directories of the target, and the target, for links to outside and back while archives arrive.
#[test]
fn a_race_changes_nothing_outside() {
    const TIME: Duration = Duration::from_secs(3);
    let lab = &UploadLab::new();
    symlink(lab.path("outside"), lab.path("root/away")).unwrap();
    symlink(lab.path("outside/directory"), lab.path("root/away-too")).unwrap();
    let outside = || {
        let mut seen = lab.seen();
        seen.retain(|path, _| path.starts_with("outside"));
        seen
    };
    let before = outside();
    let is_over = &AtomicBool::new(false);
    let tar = Tar::new()
        .directory("old/", 0o777)
        .file("old/file", "evil")
        .file("old/secret", "evil")
        .file("secret", "evil")
        .end();
    let (mut done, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        for (one, other) in [
            ("root/target/old", "root/away-too"),
            ("root/target", "root/away"),
        ] {
            scope.spawn(move || {
                let (one, other) = (lab.path(one), lab.path(other));
                while !is_over.load(Ordering::Relaxed) {
                    exchange(&one, &other);
                }
            });
        }
        let _over = Over(is_over);
        let start = Instant::now();
        let mut round = 0;
        while start.elapsed() < TIME {
            round += 1;
            let id = format!("race-{round}");
            for answer in [
                lab.stream(&tar, ""),
                lab.stream_into("root/target/old", &tar, ""),
                lab.stream(&tar, "&mode=replace&links=any"),
                lab.chunk(&id, (0, 1), &lab.extracting_to("root/target/old/new"), &tar),
            ] {
                match answer.status {
                    200 => done += 1,
                    // What is half moved in when it is exchanged is told as a failure.
                    403 | 404 | 409 | 500 => refused += 1,
                    _ => panic!("{}: {}", answer.status, answer.text()),
                }
            }
            lab.discard(&id);
        }
    });
    assert!(done > 10 && refused > 10, "{done} and {refused}");
    assert_eq!(outside(), before);
    let names = lab.names("root");
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

fn exchange(one: &Path, other: &Path) {
    let holder = |path: &Path| open::directory(path.parent().unwrap());
    // The directories that both are in may be exchanged themselves, or the name be away with them.
    let (Ok(first), Ok(second)) = (holder(one), holder(other)) else {
        return;
    };
    let name = |path: &Path| path.file_name().unwrap().to_owned();
    let (from, to) = (name(one), name(other));
    let _ = rename(
        (first.as_fd(), from.as_os_str()),
        (second.as_fd(), to.as_os_str()),
        Renaming::Exchange,
    );
}
