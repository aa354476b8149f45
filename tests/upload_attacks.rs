//! Hostile archives from outside: every one is refused with a sentence, the target is as it was, and nothing outside
//! changes. That each single attack fails is shown in `unpack`; here it is that no way to the agent leads around that.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::agent::KEY;
use crate::support::tar_builder::{BLOCK, Entry, Tar, gzip};
use crate::support::tmpfs::Tmpfs;
use crate::support::upload::{self, form};
use crate::support::upload_lab::{BYTES, FORM, JSON, UploadLab, chunk_path};
use crate::support::{Over, Response, eventually};

const MIB: usize = 1024 * 1024;
/// kB that the agent may grow by, whatever comes: two buffers, gzip's window, a form, a worker's stack.
const MOST_GROWTH: u64 = 4096;

/// What is sent, and a word of what is said about it.
type Attack = (&'static str, Vec<u8>, &'static str);

/// A header that is fine, of a file that is there already.
fn good() -> Tar {
    Tar::new().file("keep", "evil")
}

fn names(outside: &str) -> Vec<Attack> {
    let prefixed = Entry::new(b'0', "secret").prefix("../../outside");
    let deep = "d/".repeat(300);
    [
        ("absolute", good().file(outside, "evil"), "slash"),
        (
            "climbing",
            good().file("../../outside/secret", "evil"),
            "outside",
        ),
        (
            "climbing later",
            good().file("a/b/../../../x", "evil"),
            "outside",
        ),
        ("prefix", good().entry(&prefixed, ""), "outside"),
        (
            "PAX path",
            good().record("path", "../x").file("f", "evil"),
            "outside",
        ),
        (
            "GNU name",
            good().long_name(outside).file("f", "evil"),
            "slash",
        ),
        ("NUL", good().record("path", b"a\0b").file("f", ""), "NUL"),
        (
            "too deep",
            good().long_name(deep).directory("d", 0o755),
            "levels",
        ),
    ]
    .map(|(name, tar, word)| (name, tar.end(), word))
    .to_vec()
}

fn links(outside: &str) -> Vec<Attack> {
    let secret = format!("{outside}/secret");
    [
        ("link", good().link("l", outside), "symbolic link"),
        (
            "link up",
            good().link("l", "../../outside"),
            "symbolic link",
        ),
        (
            "PAX link",
            good().record("linkpath", "/etc").link("l", "keep"),
            "symbolic link",
        ),
        (
            "GNU link",
            good().long_link("/etc/passwd").link("l", "keep"),
            "symbolic link",
        ),
        (
            "through a link",
            good().link("l", "old").file("l/f", "evil"),
            "no directory",
        ),
        ("hard link", good().hard_link("h", secret), "hard link"),
        (
            "hard link up",
            good().hard_link("h", "../../outside/secret"),
            "hard link",
        ),
        (
            "hard link to what was there",
            good().hard_link("h", "old/file"),
            "hard link",
        ),
        ("device", good().entry(&Entry::new(b'3', "d"), ""), "device"),
        (
            "block device",
            good().entry(&Entry::new(b'4', "d"), ""),
            "device",
        ),
        ("FIFO", good().entry(&Entry::new(b'6', "p"), ""), "FIFO"),
    ]
    .map(|(name, tar, word)| (name, tar.end(), word))
    .to_vec()
}

fn damaged() -> Vec<Attack> {
    let mut sum = good().file("second", "").end();
    sum[2 * BLOCK + 10] ^= 1;
    let mut crc = gzip(&good().end());
    let at = crc.len() - 6;
    crc[at] ^= 1;
    let negative = Entry::new(b'0', "f").raw_size([0xff; 12]);
    let trailing = [good().end(), vec![1; BLOCK]].concat();
    let no_end = good().file("f", vec![1; 5000]).bytes();
    vec![
        ("negative", good().entry(&negative, "").end(), "number"),
        ("checksum", sum, "checksum"),
        ("CRC", crc, "decompressed"),
        ("trailing", trailing, "after its end"),
        ("no end", no_end[..3 * BLOCK].to_vec(), "too early"),
        ("cut", good().end()[..BLOCK + 2].to_vec(), "too early"),
        ("no archive", b"<html>".repeat(500), "neither"),
    ]
}

fn attacks(lab: &UploadLab) -> Vec<Attack> {
    let outside = lab.text("outside");
    let plain = [names(&outside), links(&outside)].concat();
    let packed = plain.iter();
    let packed = packed.map(|(name, tar, word)| (*name, gzip(tar), *word));
    [packed.collect(), plain, damaged()].concat()
}

/// Sends it in every form.
fn send_all(lab: &UploadLab, archive: &[u8]) -> [Response; 5] {
    let half = archive.len() / 2;
    lab.chunk(
        "evil",
        (1, 2),
        &lab.extracting_to("root/target"),
        &archive[half..],
    )
    .expect(200);
    let answers = [
        lab.stream(archive, ""),
        lab.stream(archive, "&mode=replace"),
        lab.body(FORM, &form(&[("tar_file", "a", archive)])),
        lab.body(JSON, &upload::json("data", archive)),
        lab.chunk("evil", (0, 2), "", &archive[..half]),
    ];
    lab.discard("evil").expect(200);
    answers
}

#[test]
fn hostile_archives_change_nothing_in_whatever_form_they_come() {
    let lab = UploadLab::new();
    symlink(lab.path("outside"), lab.path("root/target/planted")).unwrap();
    let before = lab.seen();
    let descriptors = lab.agent().descriptors();
    for (name, archive, word) in attacks(&lab) {
        for answer in send_all(&lab, &archive) {
            let error = answer.expect(400).error();
            assert!(error.contains(word), "{name}: {error}");
        }
        assert_eq!(lab.seen(), before, "{name}");
        assert!(lab.leftovers().is_empty(), "{name}");
    }
    // What was planted before is not gone through either.
    let through = Tar::new().file("planted/secret", "evil").end();
    for answer in send_all(&lab, &through) {
        // A replaced target has no such link any more.
        assert!([409, 200].contains(&answer.status), "{}", answer.text());
    }
    assert_eq!(lab.content("outside/secret"), "outside/secret");
    assert_eq!(lab.names("outside"), ["directory", "secret"]);
    descriptors_are(&lab, descriptors);
}

fn descriptors_are(lab: &UploadLab, before: usize) {
    eventually("the agent's descriptors to be as before", || {
        (lab.agent().descriptors() <= before).then_some(())
    });
}

/// The first archive brings a link to outside, which is allowed; the second one would write through it.
#[test]
fn two_archives_do_not_get_out_together() {
    let lab = UploadLab::new();
    let link = Tar::new().link("way", lab.text("outside")).end();
    lab.stream(&link, "&links=any").expect(200);
    let before = lab.seen();
    let file = Tar::new().file("way/secret", "evil").end();
    lab.stream(&file, "").expect(409);
    lab.stream(&file, "&links=any").expect(409);
    // The agent's own way there is no way either.
    lab.stream_into("root/target/way", &file, "").expect(403);
    lab.stream_into("root/target/way/new", &file, "")
        .expect(403);
    lab.stream_into("root/target/way", &file, "&mode=replace")
        .expect(403);
    assert_eq!(lab.seen(), before);
}

/// Looks at the agent's memory while `work` runs; by how many kB it has grown at most.
fn growth(lab: &UploadLab, work: impl FnOnce()) -> u64 {
    let is_over = AtomicBool::new(false);
    let before = lab.agent().proc_status("RssAnon");
    let most = std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut most = 0;
            while !is_over.load(Ordering::Relaxed) {
                most = most.max(lab.agent().proc_status("RssAnon"));
            }
            most
        });
        let over = Over(&is_over);
        work();
        drop(over);
        watching.join().unwrap()
    });
    most.saturating_sub(before)
}

#[test]
fn bombs_are_refused_in_bounded_memory() {
    let lab = UploadLab::new();
    let _disk = Tmpfs::over(&lab.path("root"), 48 * MIB as u64);
    // The first upload brings what every one needs.
    lab.stream(&Tar::new().file("f", "small").end(), "")
        .expect(200);
    let before = lab.seen();
    let file = gzip(&Tar::new().file("f", vec![0; MIB]).bytes());
    // A thousand times what it is, again and again the same name.
    let ratio = file.repeat(200);
    let announced = gzip(
        &Tar::new()
            .entry(&Entry::new(b'0', "f").size(1 << 40), vec![0; MIB])
            .bytes(),
    );
    let name = [
        gzip(
            &Tar::new()
                .entry(&Entry::new(b'L', "n").size(1 << 30), "")
                .bytes(),
        ),
        gzip(&vec![0; MIB]).repeat(100),
    ];
    let zeros = gzip(&vec![0; MIB]).repeat(100);
    let records = gzip(&Tar::new().special(b'x', vec![b'1'; MIB]).bytes());
    let directories = (0..3000).fold(Tar::new(), |tar, number| {
        tar.long_name(format!("{number}-{}", "n".repeat(240)))
            .directory("d", 0o755)
    });
    let deep = Tar::new()
        .long_name("d/".repeat(256))
        .directory("d", 0o755)
        .end();
    let bombs: [(&[u8], u16); 7] = [
        (&ratio, 507),
        (&announced, 507),
        (&name.concat(), 400),
        (&zeros, 400),
        (&records, 400),
        (&gzip(&directories.raw(b"and then damaged").bytes()), 400),
        (
            &gzip(&[&deep[..deep.len() - 1024], b"damaged"].concat()),
            400,
        ),
    ];
    let grown = growth(&lab, || {
        for (number, (bomb, status)) in bombs.into_iter().enumerate() {
            assert!(
                bomb.len() < 2 * MIB,
                "bomb {number} has {} bytes",
                bomb.len()
            );
            let in_form = form(&[("tar_file", "a", bomb)]);
            for answer in [lab.stream(bomb, ""), lab.body(FORM, &in_form)] {
                assert_eq!(answer.status, status, "bomb {number}: {}", answer.text());
            }
        }
    });
    assert!(grown < MOST_GROWTH, "it grew by {grown} kB");
    assert_eq!(lab.seen(), before);
}

#[test]
fn a_client_that_goes_away_in_the_middle_leaves_nothing() {
    let lab = UploadLab::new();
    let before = lab.seen();
    let descriptors = lab.agent().descriptors();
    let tar = Tar::new()
        .file("keep", "new")
        .file("large", vec![7; MIB])
        .end();
    let in_form = form(&[("tar_file", "a", &tar)]);
    let in_json = upload::json("data", &tar);
    let (tar_path, stream_path) = (
        lab.query("tar", "root/target", ""),
        lab.query("tar/stream", "root/target", "&mode=replace"),
    );
    let chunk = chunk_path("app", (0, 1), &lab.extracting_to("root/target"));
    for (path, content_type, body) in [
        (&tar_path, FORM, &in_form),
        (&tar_path, JSON, &in_json),
        (&stream_path, BYTES, &tar),
        (&chunk, BYTES, &tar),
    ] {
        for part in [100, body.len() / 2, body.len() - 1] {
            let mut client = lab.agent().connect();
            let length = body.len();
            let lines = format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n");
            client.send(&upload::head(path, &lines));
            client.send(&body[..part]);
            drop(client);
            // And one in chunks, whose end is missing.
            let mut client = lab.agent().connect();
            let lines = format!("Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n");
            client.send(&upload::head(path, &lines));
            let coded = upload::chunked(&body[..part], 10_000);
            client.send(&coded[..coded.len() - 5]);
            drop(client);
        }
    }
    descriptors_are(&lab, descriptors);
    assert!(lab.leftovers().is_empty());
    assert_eq!(lab.seen(), before);
    lab.status("app").expect(404);
}

#[test]
fn a_body_that_lies_about_its_length_is_no_archive() {
    let lab = UploadLab::new();
    let before = lab.seen();
    let tar = Tar::new().file("keep", "evil").end();
    let path = lab.query("tar/stream", "root/target", "");
    // The chunk is longer than it says, and so the next one's size makes no sense.
    let mut coded = format!("{:x}\r\n", tar.len() - 7).into_bytes();
    coded.extend_from_slice(&tar);
    coded.extend_from_slice(b"\r\n0\r\n\r\n");
    for lines in [
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let mut client = lab.agent().connect();
        let _ = client.try_send(&upload::head(&path, lines));
        let _ = client.try_send(&coded);
        client.response_to("POST").expect(400);
        assert!(client.is_closed());
    }
    let two = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"
    );
    let mut client = lab.agent().connect();
    client.send(two.as_bytes());
    client.response_to("POST").expect(400);
    assert_eq!(lab.seen(), before);
}
