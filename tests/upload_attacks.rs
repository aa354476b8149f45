//! Hostile archives from outside: every one is refused with a sentence, the target is as it was, and nothing outside
//! changes. That each single attack fails is shown in `unpack`; here it is that no way to the agent leads around that.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::agent::KEY;
use crate::support::tar_builder::{BLOCK, Entry, Tar, gzip};
use crate::support::tmpfs::Tmpfs;
use crate::support::upload::{self, form};
use crate::support::upload_lab::{BYTES, FORM, JSON, UploadLab, chunk_path};
use crate::support::{Response, eventually};

const MIB: usize = 1024 * 1024;
/// kB that the agent may grow by, whatever comes: two buffers, gzip's window, a form, a worker's stack.
const MOST_GROWTH: u64 = 4096;

/// What is sent, and a word of what is said about it.
type Attack = (&'static str, Vec<u8>, &'static str);

fn attacks(lab: &UploadLab) -> Vec<Attack> {
    let secret = lab.text("outside/secret");
    let outside = lab.text("outside");
    let good = || Tar::new().file("keep", "evil");
    let mut broken_sum = good().file("second", "").end();
    broken_sum[2 * BLOCK + 10] ^= 1;
    let mut broken_gzip = gzip(&good().end());
    let at = broken_gzip.len() - 6;
    broken_gzip[at] ^= 1;
    let truncated = good().end();
    let long_size =
        Entry::new(b'0', "f").raw_size(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    let mut attacks: Vec<Attack> = vec![
        (
            "absolute",
            good().file(&secret[..99.min(secret.len())], "evil").end(),
            "slash",
        ),
        (
            "climbing",
            good().file("../../outside/secret", "evil").end(),
            "outside",
        ),
        (
            "climbing later",
            good().file("a/b/../../../x", "evil").end(),
            "outside",
        ),
        (
            "prefix",
            good()
                .entry(&Entry::new(b'0', "secret").prefix("../../outside"), "")
                .end(),
            "outside",
        ),
        (
            "PAX path",
            good().record("path", "../x").file("f", "evil").end(),
            "outside",
        ),
        (
            "GNU name",
            good().long_name(&outside).file("f", "evil").end(),
            "slash",
        ),
        ("link", good().link("l", &outside).end(), "symbolic link"),
        (
            "link up",
            good().link("l", "../../outside").end(),
            "symbolic link",
        ),
        (
            "PAX link",
            good().record("linkpath", "/etc").link("l", "keep").end(),
            "symbolic link",
        ),
        (
            "GNU link",
            good().long_link("/etc/passwd").link("l", "keep").end(),
            "symbolic link",
        ),
        (
            "through a link",
            good().link("l", "old").file("l/f", "evil").end(),
            "no directory",
        ),
        ("hard link", good().hard_link("h", &secret).end(), "h"),
        (
            "hard link up",
            good().hard_link("h", "../../outside/secret").end(),
            "h",
        ),
        (
            "hard link to old",
            good().hard_link("h", "old/file").end(),
            "hard link",
        ),
        (
            "device",
            good().entry(&Entry::new(b'4', "d"), "").end(),
            "device",
        ),
        (
            "block device",
            good().entry(&Entry::new(b'4', "d"), "").end(),
            "device",
        ),
        (
            "fifo",
            good().entry(&Entry::new(b'6', "p"), "").end(),
            "FIFO",
        ),
        (
            "NUL",
            good().record("path", b"a\0b").file("f", "").end(),
            "NUL",
        ),
        (
            "too deep",
            good()
                .long_name("d/".repeat(300))
                .directory("d", 0o755)
                .end(),
            "levels",
        ),
        ("negative", good().entry(&long_size, "").end(), "number"),
        ("checksum", broken_sum, "checksum"),
        ("CRC", broken_gzip, "decompressed"),
        (
            "trailing",
            [good().end(), vec![1; BLOCK]].concat(),
            "after its end",
        ),
        (
            "no end",
            good().file("f", vec![1; 5000]).bytes()[..3 * BLOCK].to_vec(),
            "too early",
        ),
        ("cut", truncated[..BLOCK + 2].to_vec(), "too early"),
        ("no archive", b"<html>".repeat(500), "neither"),
    ];
    attacks.extend(["climbing", "link"].map(|name| {
        let found = attacks_named(&attacks, name);
        ("in gzip", gzip(&found.1), found.2)
    }));
    attacks
}

fn attacks_named<'a>(attacks: &'a [Attack], name: &str) -> &'a Attack {
    attacks.iter().find(|attack| attack.0 == name).unwrap()
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

/// Ends what the other threads do, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
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

fn exchange(one: &std::path::Path, other: &std::path::Path) {
    use node_agent::sys::change::{Renaming, rename};
    use node_agent::sys::open;
    use std::os::fd::AsFd;
    let holder = |path: &std::path::Path| open::directory(path.parent().unwrap());
    // The directories that both are in may be exchanged themselves, or the name be away with them.
    let (Ok(first), Ok(second)) = (holder(one), holder(other)) else {
        return;
    };
    let name = |path: &std::path::Path| path.file_name().unwrap().to_owned();
    let (from, to) = (name(one), name(other));
    let _ = rename(
        (first.as_fd(), from.as_os_str()),
        (second.as_fd(), to.as_os_str()),
        Renaming::Exchange,
    );
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
