//! Archives in chunks that are unpacked while they come: what is in the target in the end, and what is left when it comes
//! to nothing, is the same as without.

use std::fs;

use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::numbers::Numbers;
use crate::support::seen::{Tree, tree};
use crate::support::tar_builder::{Tar, gzip};
use crate::support::upload_lab::{UploadLab, sha256};

/// Chunks of an upload.
const CHUNKS: u32 = 6;
/// Bytes of a file that fills a chunk and more.
const LARGE: usize = 100_000;

/// Files of which `letter` decides the contents.
fn archive(letter: u8) -> Vec<u8> {
    let mut numbers = Numbers::new();
    let mut content = |name: u8| -> Vec<u8> {
        let random = (0..LARGE).map(|_| u8::try_from(numbers.below(200)).unwrap());
        [letter, name].into_iter().chain(random).collect()
    };
    Tar::new()
        .directory("d", 0o750)
        .file("d/first", content(b'1'))
        .link("d/link", "first")
        .file("d/second", content(b'2'))
        .hard_link("again", "d/first")
        .file("last", content(b'3'))
        .end()
}

/// The chunk `index` of `archive`.
fn piece(archive: &[u8], index: u32) -> &[u8] {
    let each = archive.len().div_ceil(CHUNKS as usize);
    archive.chunks(each).nth(index as usize).unwrap()
}

/// An upload to `root/target`, or elsewhere.
struct Upload<'a> {
    lab: &'a UploadLab,
    id: &'a str,
    more: String,
}

impl<'a> Upload<'a> {
    fn new(lab: &'a UploadLab, id: &'a str) -> Self {
        Self::to(lab, id, "root/target", "")
    }

    fn to(lab: &'a UploadLab, id: &'a str, below: &str, more: &str) -> Self {
        let more = format!("{}{more}", lab.extracting_to(below));
        Self { lab, id, more }
    }

    #[track_caller]
    fn is_accepted(&self, index: u32, archive: &[u8]) {
        let answer = self.send(index, archive, "").expect(200).json();
        assert_eq!(answer["status"], "accepted", "{answer}");
    }

    #[track_caller]
    fn completes(&self, index: u32, archive: &[u8]) -> Value {
        let answer = self.send(index, archive, "").expect(200).json();
        assert_eq!(answer["status"], "extracted", "{answer}");
        assert_eq!(answer["sha256"], sha256(archive));
        answer
    }

    fn send(&self, index: u32, archive: &[u8], more: &str) -> crate::support::http::Response {
        let more = format!("{}{more}", self.more);
        let place = (index, CHUNKS);
        self.lab.chunk(self.id, place, &more, piece(archive, index))
    }

    /// Sends all chunks but the last one, and waits until they are being unpacked.
    fn all_but_the_last(&self, archive: &[u8]) {
        for index in 0..CHUNKS - 1 {
            self.is_accepted(index, archive);
        }
        is_staged(self.lab, "d/second");
    }
}

/// Waits until a file is unpacked that is not in its place yet.
fn is_staged(lab: &UploadLab, below: &str) {
    eventually("the upload to be unpacked ahead", || {
        lab.is_staged(below).then_some(())
    });
}

/// What a stream of `archive` puts into a new directory; that goes again.
fn streamed(lab: &UploadLab, archive: &[u8]) -> Tree {
    lab.stream_into("root/streamed", archive, "").expect(200);
    let tree = tree(&lab.path("root/streamed"));
    fs::remove_dir_all(lab.path("root/streamed")).unwrap();
    without_top(tree)
}

/// The target's own time depends on what was there before.
fn without_top(mut tree: Tree) -> Tree {
    tree.retain(|path, _| !path.as_os_str().is_empty());
    tree
}

fn target(lab: &UploadLab) -> Tree {
    without_top(tree(&lab.path("root/target")))
}

#[test]
fn in_any_order_and_twice_it_is_the_same_as_in_one_stream() {
    let lab = &UploadLab::new();
    let mut numbers = Numbers::new();
    for round in 0..8_u8 {
        let plain = archive(b'a' + round);
        let sent = if round % 2 == 0 { plain } else { gzip(&plain) };
        let expected = streamed(lab, &sent);
        let mode = ["&mode=replace", ""][usize::from(round / 2 % 2)];
        let id = format!("round-{round}");
        let upload = Upload::to(lab, &id, "root/target", mode);
        let before = target(lab);
        let mut left: Vec<_> = (1..CHUNKS - 1).collect();
        // The first one makes it begin, also when it comes late.
        left.insert(usize::from(round) % 4, 0);
        for at in (1..left.len()).rev() {
            let other = numbers.below(at as u64 + 1);
            left.swap(at, usize::try_from(other).unwrap());
        }
        for index in left {
            upload.is_accepted(index, &sent);
            if numbers.below(3) == 0 {
                upload.is_accepted(index, &sent);
            }
        }
        is_staged(lab, "d/first");
        assert_eq!(target(lab), before);
        let answer = upload.completes(CHUNKS - 1, &sent);
        assert_eq!(
            (&answer["files"], &answer["links"]),
            (&json!(3), &json!(2)),
            "{answer}"
        );
        let found = target(lab);
        let is_same = expected.iter().all(|(path, seen)| found[path] == *seen);
        assert!(is_same, "round {round}");
        if mode == "&mode=replace" {
            assert_eq!(found.len(), expected.len());
        }
        assert!(lab.leftovers().is_empty(), "{:?}", lab.leftovers());
        // The same request gets the same answer, another one does not.
        assert_eq!(upload.completes(0, &sent), answer);
        let other = archive(b'z');
        assert!(
            upload
                .send(0, &other, "")
                .expect(409)
                .error()
                .contains("chunk 0")
        );
    }
}

#[test]
fn dropping_it_leaves_nothing() {
    let lab = &UploadLab::new();
    let (sent, before) = (archive(b'a'), lab.seen());
    for _ in 0..3 {
        Upload::new(lab, "app").all_but_the_last(&sent);
        lab.discard("app").expect(200);
        assert!(lab.leftovers().is_empty(), "{:?}", lab.leftovers());
        lab.status("app").expect(404);
    }
    assert_eq!(lab.seen(), before);
    eventually("the threads to be gone", || {
        let names = lab.agent().threads();
        (!names.iter().any(|name| name == "ahead" || name == "unpack")).then_some(())
    });
    Upload::new(lab, "app").all_but_the_last(&sent);
    Upload::new(lab, "app").completes(CHUNKS - 1, &sent);
}

#[test]
fn what_is_wrong_with_it_is_told_by_the_last_chunk() {
    let lab = &UploadLab::new();
    let before = lab.seen();
    let hostile = Tar::new()
        .file("d/first", vec![1; LARGE])
        .file("../evil", "evil")
        .file("d/second", vec![2; LARGE])
        .end();
    let upload = Upload::new(lab, "hostile");
    upload.is_accepted(0, &hostile);
    is_staged(lab, "d/first");
    for index in 1..CHUNKS - 1 {
        upload.is_accepted(index, &hostile);
    }
    eventually("what is no good to be gone", || {
        (!lab.names("root").iter().any(|name| name.starts_with('.'))).then_some(())
    });
    let answer = upload.send(CHUNKS - 1, &hostile, "").expect(400);
    assert!(answer.error().contains("../evil"), "{}", answer.text());
    assert_eq!(lab.status("hostile").json()["received"], CHUNKS);
    // Cut off.
    let cut = archive(b'a');
    let cut = &cut[..cut.len() - 2000];
    let upload = Upload::new(lab, "cut");
    upload.all_but_the_last(cut);
    let answer = upload.send(CHUNKS - 1, cut, "").expect(400);
    assert!(answer.error().contains("too early"), "{}", answer.text());
    // Another checksum than the last request says.
    let sent = archive(b'a');
    let upload = Upload::new(lab, "sum");
    upload.all_but_the_last(&sent);
    let wrong = format!("&sha256={}", sha256(cut));
    let answer = upload.send(CHUNKS - 1, &sent, &wrong).expect(400);
    assert!(answer.error().contains(&sha256(&sent)), "{}", answer.text());
    assert_eq!(lab.seen(), before);
    assert!(lab.leftovers().is_empty());
    let right = format!("&sha256={}", sha256(&sent));
    upload.send(CHUNKS - 1, &sent, &right).expect(200);
}

#[test]
fn a_restart_begins_it_anew() {
    let mut lab = UploadLab::new();
    let sent = gzip(&archive(b'a'));
    Upload::new(&lab, "app").all_but_the_last(&sent);
    lab.start_again();
    assert!(lab.leftovers().is_empty(), "{:?}", lab.leftovers());
    lab.status("app").expect(200);
    Upload::new(&lab, "app").is_accepted(1, &sent);
    is_staged(&lab, "d/second");
    // In order: nothing is left, and nobody waits for long.
    assert!(lab.end().success());
    assert!(lab.leftovers().is_empty(), "{:?}", lab.leftovers());
    lab.start();
    Upload::new(&lab, "app").completes(CHUNKS - 1, &sent);
    assert!(lab.leftovers().is_empty());
}

#[test]
fn a_chunk_that_was_read_already_is_replaced() {
    let lab = &UploadLab::new();
    let (wrong, right) = (archive(b'a'), archive(b'b'));
    let expected = streamed(lab, &right);
    let upload = Upload::to(lab, "app", "root/target", "&mode=replace");
    upload.all_but_the_last(&wrong);
    for index in (0..CHUNKS - 1).rev() {
        upload.is_accepted(index, &right);
    }
    upload.completes(CHUNKS - 1, &right);
    assert_eq!(target(lab), expected);
    // More often than it is begun.
    let upload = Upload::to(lab, "often", "root/target", "&mode=replace");
    upload.is_accepted(0, &wrong);
    for _ in 0..4 {
        for sent in [&wrong, &right] {
            for index in 0..CHUNKS - 1 {
                upload.is_accepted(index, sent);
            }
        }
    }
    upload.completes(CHUNKS - 1, &right);
    assert_eq!(target(lab), expected);
    assert!(lab.leftovers().is_empty());
}

#[test]
fn terms_that_come_with_the_last_chunk_count() {
    let lab = &UploadLab::new();
    let sent = archive(b'a');
    let expected = streamed(lab, &sent);
    let upload = Upload::new(lab, "app");
    upload.all_but_the_last(&sent);
    upload.send(CHUNKS - 1, &sent, "&mode=replace").expect(200);
    assert_eq!(target(lab), expected, "what was there before is gone");
    assert!(lab.leftovers().is_empty());
}

#[test]
fn several_at_once_into_one_directory_are_all_there() {
    let lab = &UploadLab::new();
    let ids = ["one", "two", "three", "four"];
    let archive = |id: &str| {
        let file = |name: &str, letter| (format!("{id}/{name}"), vec![letter; LARGE]);
        let (first, last) = (file("first", b'1'), file("last", b'3'));
        let both = file("second", b'2');
        let tar = Tar::new().file(first.0, first.1).file(both.0, both.1);
        tar.file("shared", id).file(last.0, last.1).end()
    };
    // It is not there when they begin.
    let uploads = ids.map(|id| Upload::to(lab, id, "root/new", ""));
    for index in 0..CHUNKS - 1 {
        for (upload, id) in uploads.iter().zip(ids) {
            upload.is_accepted(index, &archive(id));
        }
    }
    is_staged(lab, "one/first");
    is_staged(lab, "two/first");
    // The target is there when the second one is to be moved in.
    for (upload, id) in uploads.iter().zip(ids) {
        upload.completes(CHUNKS - 1, &archive(id));
    }
    assert_eq!(
        lab.names("root/new"),
        ["four", "one", "shared", "three", "two"]
    );
    for id in ids {
        assert_eq!(
            lab.names(&format!("root/new/{id}")),
            ["first", "last", "second"]
        );
    }
    assert!(lab.leftovers().is_empty());
}

/// Somebody gives the target another name while the chunks come, and makes a new one: that one is meant.
#[test]
fn a_target_that_was_exchanged_meanwhile_is_looked_for_again() {
    let lab = &UploadLab::new();
    let sent = archive(b'a');
    for (round, mode) in ["", "&mode=replace"].into_iter().enumerate() {
        let id = format!("round-{round}");
        let upload = Upload::to(lab, &id, "root/target", mode);
        upload.all_but_the_last(&sent);
        let aside = format!("root/aside-{round}");
        fs::rename(lab.path("root/target"), lab.path(&aside)).unwrap();
        let before = tree(&lab.path(&aside));
        fs::create_dir(lab.path("root/target")).unwrap();
        upload.completes(CHUNKS - 1, &sent);
        assert_eq!(lab.names("root/target"), ["again", "d", "last"]);
        assert_eq!(tree(&lab.path(&aside)), before);
        assert!(lab.leftovers().is_empty());
    }
}
