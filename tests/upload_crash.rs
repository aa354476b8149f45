//! An agent that is killed at any moment: a replaced target is the old tree or the new one, a merged one has old files
//! and new ones and none that is torn, an upload in chunks goes on, and nothing else is left after the next start.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::numbers::Numbers;
use crate::support::tar_builder::{Tar, gzip};
use crate::support::upload::{self, form};
use crate::support::upload_lab::{BYTES, FORM, UploadLab, chunk_path, missing};
use crate::support::{Client, eventually};

/// How often the agent is killed, and in how much time. With this variable as often as it says, in any time.
const ROUNDS: usize = 200;
const MOST_TIME: Duration = Duration::from_secs(120);
const ROUNDS_VARIABLE: &str = "NODE_AGENT_TEST_ROUNDS";
/// Files of a version, in how many directories.
const FILES: u64 = 160;
const DIRECTORIES: u64 = 8;
/// Chunks of an upload.
const CHUNKS: u32 = 5;

/// File `number` of version `version`: the same byte all over, and a length of its own.
fn file(version: u64, number: u64) -> Vec<u8> {
    let length = 500 + (version * 37 + number * 911) % 3000;
    let mut bytes = vec![b'a' + (version % 26) as u8; usize::try_from(length).unwrap()];
    bytes[..8].copy_from_slice(&version.to_be_bytes());
    bytes
}

fn name(number: u64) -> String {
    format!("d{}/e/f{number}", number % DIRECTORIES)
}

fn archive(version: u64) -> Vec<u8> {
    let files = (0..FILES).fold(Tar::new(), |tar, number| {
        tar.file(name(number), file(version, number))
    });
    // A file that no other version has: only one tree is the tree of a version.
    let own = files.file(format!("only-{version}"), "");
    let tar = own.end();
    if version.is_multiple_of(2) {
        gzip(&tar)
    } else {
        tar
    }
}

/// The version that a file is, all of it.
#[track_caller]
fn version_of(path: &Path, number: u64) -> u64 {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let version = u64::from_be_bytes(bytes[..8].try_into().unwrap());
    assert!(bytes == file(version, number), "{} is torn", path.display());
    version
}

/// The versions that all files of a tree are, the lowest and the highest.
#[track_caller]
fn versions(tree: &Path) -> (u64, u64) {
    let found: Vec<_> = (0..FILES)
        .map(|number| version_of(&tree.join(name(number)), number))
        .collect();
    (*found.iter().min().unwrap(), *found.iter().max().unwrap())
}

/// What a target may be.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The last version that was said to be there; 0 is none.
    last: u64,
    /// The last one that was sent.
    sent: u64,
}

/// The only names at the top of a tree besides the directories.
fn own_files(tree: &Path) -> Vec<String> {
    let entries = tree.read_dir().unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('d')).collect()
}

#[track_caller]
fn check_replaced(tree: &Path, known: &mut Known) {
    if !tree.exists() {
        return assert_eq!(known.last, 0, "{} is gone", tree.display());
    }
    let (lowest, highest) = versions(tree);
    assert_eq!(lowest, highest, "{} is of two versions", tree.display());
    assert!(
        (known.last..=known.sent).contains(&lowest),
        "{lowest}: {known:?}"
    );
    assert_eq!(own_files(tree), [format!("only-{lowest}")]);
    known.last = lowest;
}

#[track_caller]
fn check_merged(tree: &Path, known: &Known) {
    assert_eq!(fs::read(tree.join("d0/kept")).unwrap(), b"kept");
    if known.last == 0 && !tree.join(name(FILES - 1)).exists() {
        return;
    }
    let (lowest, highest) = versions(tree);
    assert!(
        lowest >= known.last && highest <= known.sent,
        "{lowest} to {highest}: {known:?}"
    );
}

/// A client that sends pieces, and tells how many bytes went.
struct Sender<'a> {
    lab: &'a UploadLab,
    sent: &'a AtomicU64,
}

impl Sender<'_> {
    /// Sends a request; the answer's status and body, or nothing when the agent is gone.
    fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        let mut client = Client::try_connect(self.lab.agent().address()).ok()?;
        let lines = format!(
            "Content-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n",
            body.len()
        );
        client.try_send(&upload::head(path, &lines)).ok()?;
        for piece in body.chunks(9000) {
            client.try_send(piece).ok()?;
            self.sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        answer(&mut client)
    }

    /// Sends one version after the other until the agent is gone.
    fn versions(
        &self,
        mut known: Known,
        send: impl Fn(&Self, u64) -> Option<(u16, Vec<u8>)>,
    ) -> Known {
        loop {
            known.sent += 1;
            match send(self, known.sent) {
                Some((status, body)) => {
                    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
                    known.last = known.sent;
                }
                None => return known,
            }
        }
    }

    fn replace(&self, version: u64) -> Option<(u16, Vec<u8>)> {
        let path = self
            .lab
            .query("tar/stream", "root/replaced", "&mode=replace");
        self.post(&path, BYTES, &archive(version))
    }

    fn merge(&self, version: u64) -> Option<(u16, Vec<u8>)> {
        let path = self.lab.query("tar", "root/merged", "");
        self.post(&path, FORM, &form(&[("tar_file", "a", &archive(version))]))
    }

    /// Sends those chunks of `version` that are missing.
    fn chunks(&self, version: u64, missing: &[u64]) -> Option<(u16, Vec<u8>)> {
        let bytes = archive(version);
        let each = bytes.len().div_ceil(CHUNKS as usize);
        let more = format!("{}&mode=replace", self.lab.extracting_to("root/chunked"));
        let mut last = None;
        for index in missing {
            let piece = bytes
                .chunks(each)
                .nth(usize::try_from(*index).unwrap())
                .unwrap();
            let index = u32::try_from(*index).unwrap();
            let path = chunk_path(&format!("v{version}"), (index, CHUNKS), &more);
            last = Some(self.post(&path, BYTES, piece)?);
        }
        last
    }
}

/// The answer, if all of it comes: it ends with the connection.
fn answer(client: &mut Client) -> Option<(u16, Vec<u8>)> {
    let bytes = client.rest();
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let status = std::str::from_utf8(bytes.get(9..12)?).ok()?.parse().ok()?;
    let body = bytes[end + 4..].to_vec();
    body.ends_with(b"}").then_some((status, body))
}

/// Goes on with an upload as a client does after a restart: asks what is missing, and sends that. Whether there was
/// anything of it.
fn resume(lab: &UploadLab, known: &mut Known) -> bool {
    let sent = AtomicU64::new(0);
    let sender = Sender { lab, sent: &sent };
    let status = lab.status(&format!("v{}", known.sent));
    let (is_known, mut left) = match status.status {
        404 => (false, (0..u64::from(CHUNKS)).collect()),
        _ => (true, missing(&status.expect(200).json())),
    };
    if left.is_empty() {
        // All are there: it was extracted, or is when one of them comes again.
        left.push(0);
    }
    let (status, body) = sender.chunks(known.sent, &left).expect("the agent is gone");
    let text = String::from_utf8_lossy(&body);
    assert!(
        status == 200 && text.contains("\"status\":\"extracted\""),
        "{text}"
    );
    known.last = known.sent;
    is_known
}

#[track_caller]
fn check(lab: &UploadLab, replaced: &mut Known, merged: &mut Known, chunked: &mut Known) {
    assert_eq!(lab.leftovers(), Vec::<PathBuf>::new());
    check_replaced(&lab.path("root/replaced"), replaced);
    check_merged(&lab.path("root/merged"), merged);
    check_replaced(&lab.path("root/chunked"), chunked);
    let uploads = lab.names("state/uploads");
    assert!(
        uploads.iter().all(|name| name.starts_with('v')),
        "{uploads:?}"
    );
    let names = lab.names("root");
    let known = ["chunked", "merged", "replaced", "target"];
    assert!(
        names.iter().all(|name| known.contains(&name.as_str())),
        "{names:?}"
    );
}

/// Uploads of three kinds at once, and the agent killed when so many bytes were sent and so much time has passed.
fn kill_at(lab: &UploadLab, numbers: &mut Numbers, known: [Known; 3]) -> [Known; 3] {
    let sent = &AtomicU64::new(0);
    let (bytes, pause) = (numbers.below(600_000), numbers.below(6000));
    std::thread::scope(|scope| {
        let sender = || Sender { lab, sent };
        let [replaced, merged, chunked] = known;
        let replacing = scope.spawn(move || sender().versions(replaced, Sender::replace));
        let merging = scope.spawn(move || sender().versions(merged, Sender::merge));
        let all: Vec<_> = (0..u64::from(CHUNKS)).collect();
        let chunking = scope.spawn(move || {
            sender().versions(chunked, |sender, version| sender.chunks(version, &all))
        });
        while sent.load(Ordering::Relaxed) < bytes {
            std::thread::yield_now();
        }
        // Otherwise it would always be killed while something is sent, and never while it is moved in.
        std::thread::sleep(Duration::from_micros(pause));
        lab.agent().signal("KILL");
        [replacing, merging, chunking].map(|thread| thread.join().unwrap())
    })
}

#[test]
fn a_killed_agent_leaves_old_or_new_trees_and_nothing_else() {
    let by_hand = std::env::var(ROUNDS_VARIABLE).ok();
    let rounds = by_hand
        .as_ref()
        .map_or(ROUNDS, |text| text.parse().unwrap());
    let mut lab = UploadLab::new();
    fs::create_dir_all(lab.path("root/merged/d0")).unwrap();
    fs::write(lab.path("root/merged/d0/kept"), "kept").unwrap();
    let (mut numbers, start) = (Numbers::new(), Instant::now());
    let [mut replaced, mut merged, mut chunked] = [Known::default(); 3];
    let (mut done, mut left, mut halves, mut resumed) = (0, 0, 0, 0);
    while done < rounds && (by_hand.is_some() || start.elapsed() < MOST_TIME) {
        done += 1;
        [replaced, merged, chunked] = kill_at(&lab, &mut numbers, [replaced, merged, chunked]);
        left += usize::from(!lab.leftovers().is_empty());
        lab.start_again();
        // The uploads are swept when they are first needed.
        lab.status("none").expect(404);
        check(&lab, &mut replaced, &mut merged, &mut chunked);
        if merged.last > 0 {
            let (lowest, highest) = versions(&lab.path("root/merged"));
            halves += usize::from(lowest < highest);
        }
        if chunked.sent > 0 {
            resumed += usize::from(resume(&lab, &mut chunked));
            assert_eq!(versions(&lab.path("root/chunked")).0, chunked.sent);
        }
    }
    let told = format!(
        "{done} rounds: {left} with leftovers, {halves} half merged, {resumed} resumed; {replaced:?} {merged:?} {chunked:?}"
    );
    // Shown with --nocapture.
    writeln!(io::stdout(), "{told}").unwrap();
    // Otherwise the agent was killed at moments that tell nothing.
    assert!(left > done / 4 && resumed > done / 4, "{told}");
    assert!(
        replaced.last > 10 && merged.last > 10 && chunked.last > 10,
        "{told}"
    );
    let before = lab.agent().descriptors();
    let sent = AtomicU64::new(0);
    let sender = Sender {
        lab: &lab,
        sent: &sent,
    };
    for (status, body) in [sender.replace(100_000), sender.merge(100_000)]
        .into_iter()
        .flatten()
    {
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    }
    assert_eq!(versions(&lab.path("root/merged")), (100_000, 100_000));
    eventually("the agent's descriptors to be as before", || {
        (lab.agent().descriptors() <= before).then_some(())
    });
    assert!(lab.leftovers().is_empty());
}
