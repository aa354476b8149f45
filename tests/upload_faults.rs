//! Disks that are full, of the target and of the agent: 507, told before or on the way, and the target as it was.

use std::path::Path;

use crate::support::seen::{Tree, tree};
use crate::support::tar_builder::{Tar, gzip};
use crate::support::tmpfs::Tmpfs;
use crate::support::upload::{self, form, post, post_chunked};
use crate::support::upload_lab::{BYTES, FORM, JSON, UploadLab, chunk_path};
use crate::support::{Response, eventually};

const MIB: usize = 1024 * 1024;

#[track_caller]
fn is_full(answer: Response, disk: &str) {
    let answer = answer.expect(507);
    assert_eq!(answer.error(), "the disk has no room for it");
    let details = answer.json()["details"].as_str().unwrap().to_owned();
    assert!(details.ends_with(disk), "{details}");
}

#[test]
fn a_target_without_room_is_507_and_stays_as_it_was() {
    let lab = UploadLab::new();
    let disk = Tmpfs::over(&lab.path("root"), 8 * MIB as u64);
    lab.stream(&Tar::new().file("keep", vec![1; 2 * MIB]).end(), "")
        .expect(200);
    let seen = || {
        let mut tree: Tree = tree(&lab.path("root"));
        tree.get_mut(Path::new("")).unwrap().modified = (0, 0);
        tree
    };
    let before = seen();
    let target = lab.text("root/target");
    let large = Tar::new().file("keep", vec![2; 7 * MIB]).end();
    // Each fits, and all together do not.
    let many = (0..14).fold(Tar::new(), |tar, number| {
        tar.file(format!("f{number}"), vec![3; MIB / 2])
    });
    for archive in [large, gzip(&many.end())] {
        for (what, content_type, body) in [
            ("tar/stream", BYTES, archive.clone()),
            ("tar", FORM, form(&[("tar_file", "a", &archive)])),
            ("tar", JSON, upload::json("data", &archive)),
        ] {
            for mode in ["merge", "replace"] {
                let path = lab.query(what, "root/target", &format!("&mode={mode}"));
                is_full(post(lab.agent(), &path, content_type, &body), &target);
                is_full(
                    post_chunked(lab.agent(), &path, content_type, &body),
                    &target,
                );
            }
            assert_eq!(seen(), before);
        }
        is_full(
            lab.chunk("app", (0, 1), &lab.extracting_to("root/target"), &archive),
            &target,
        );
        assert_eq!(lab.status("app").json()["status"], "receiving");
        assert_eq!(seen(), before);
        lab.discard("app").expect(200);
    }
    // Directories that were to be made are not there either.
    let deep = lab.stream_into(
        "root/a/b/c",
        &Tar::new().file("f", vec![0; 7 * MIB]).end(),
        "",
    );
    is_full(deep, &lab.text("root/a/b/c"));
    assert_eq!(seen(), before);
    // Full to the last byte.
    disk.fill();
    let small = Tar::new().file("small", "x").end();
    is_full(lab.stream(&small, ""), &target);
    disk.empty();
    lab.stream(&small, "").expect(200);
    assert!(lab.leftovers().is_empty());
}

#[test]
fn an_agent_without_room_for_its_notes_and_chunks_is_507() {
    let mut lab = UploadLab::new();
    let disk = Tmpfs::over(&lab.path("state"), 4 * MIB as u64);
    let before = lab.seen();
    let state = lab.text("state");
    let chunks = format!("{state}/uploads");
    let target = lab.extracting_to("root/target");
    let tar = Tar::new().file("keep", vec![1; 6 * MIB]).end();
    // It has opened its directory of uploads before the disk came over it.
    lab.start_again();
    // Announced, and found on the way.
    is_full(lab.chunk("app", (0, 1), &target, &tar), &chunks);
    let path = chunk_path("app", (0, 1), &target);
    is_full(post_chunked(lab.agent(), &path, BYTES, &tar), &chunks);
    lab.status("app").expect(404);
    lab.chunk("app", (0, 3), &target, &tar[..2 * MIB])
        .expect(200);
    is_full(
        lab.chunk("app", (1, 3), "", &tar[2 * MIB..5 * MIB]),
        &chunks,
    );
    assert_eq!(
        lab.status("app").json()["missing"],
        serde_json::json!([1, 2])
    );
    // A stream needs no room there for the archive, but for a note.
    lab.stream_into("root/streamed", &tar, "").expect(200);
    disk.fill();
    is_full(lab.stream(&tar, ""), &state);
    is_full(lab.stream(&tar, "&mode=replace"), &state);
    disk.empty();
    // It is the one that was begun before the disk was full.
    assert!(lab.is_staged("keep"));
    eventually("the disk to have room", || {
        (lab.stream(&tar, "").status == 200).then_some(())
    });
    lab.discard("app").expect(200);
    assert_eq!(lab.names("root"), ["streamed", "target"]);
    assert!(lab.leftovers().is_empty());
    let mut after = lab.seen();
    after.retain(|path, _| path.starts_with("outside"));
    assert!(after.iter().all(|(path, seen)| before[path] == *seen));
}
