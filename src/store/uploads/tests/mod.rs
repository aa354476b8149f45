//! Uploads from the first chunk to the answer, in one process.
#![forbid(unsafe_code)]

mod early;
mod faults;

use std::io::{self, Cursor, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;

const LONG: Duration = Duration::from_secs(60);

struct Place {
    state: tempfile::TempDir,
    uploads: Uploads,
}

impl Place {
    fn new() -> Self {
        Self::with(UploadLimits::default())
    }

    fn with(limits: UploadLimits) -> Self {
        let state = tempfile::tempdir().unwrap();
        let uploads = open(state.path(), limits);
        Self { state, uploads }
    }

    /// As after a restart.
    fn restarted(&mut self) -> Swept {
        self.uploads = open(self.state.path(), self.uploads.limits);
        self.uploads.sweep().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.state.path().join(DIRECTORY).join(name)
    }

    fn names(&self) -> Vec<String> {
        names(&self.path(""))
    }

    fn put(&self, index: u32, total: u32, bytes: &[u8]) -> Result<Outcome<'_>, UploadError> {
        self.put_with(&chunk(index, total), bytes)
    }

    fn put_with(&self, chunk: &Chunk, bytes: &[u8]) -> Result<Outcome<'_>, UploadError> {
        self.uploads.put("app", chunk, &mut Cursor::new(bytes))
    }

    fn status(&self) -> Result<Status, UploadError> {
        self.uploads.status("app")
    }
}

fn open(state: &Path, limits: UploadLimits) -> Uploads {
    Uploads::new(state, Reserve { min_free_bytes: 0 }, limits).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let names = directory.read_dir().unwrap();
    let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = names
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn chunk(index: u32, total: u32) -> Chunk {
    Chunk {
        index,
        total,
        ..Chunk::default()
    }
}

fn to(path: &str) -> Terms {
    Terms {
        extract_path: Some(path.to_owned()),
        ..Terms::default()
    }
}

fn accepted(outcome: Result<Outcome<'_>, UploadError>) -> Progress {
    match outcome.unwrap() {
        Outcome::Accepted(progress) => progress,
        other => panic!("{other:?}"),
    }
}

fn complete(outcome: Result<Outcome<'_>, UploadError>) -> Claim<'_> {
    match outcome.unwrap() {
        Outcome::Complete(claim) => claim,
        other => panic!("{other:?}"),
    }
}

fn finished(outcome: Result<Outcome<'_>, UploadError>) -> String {
    match outcome.unwrap() {
        Outcome::Finished(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn content(claim: &mut Claim<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    claim.reader().unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(claim.bytes(), bytes.len() as u64);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_order_with_repetitions_and_restarts_gives_the_whole(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 1..20),
        order in proptest::collection::vec((any::<usize>(), 0u8..10), 0..60),
    ) {
        let mut place = Place::new();
        let total = u32::try_from(chunks.len()).unwrap();
        let mut left: Vec<u32> = (0..total).collect();
        let mut order = order.into_iter();
        let mut claim = loop {
            let (at, luck) = order.next().unwrap_or((0, 5));
            if luck == 0 {
                prop_assert_eq!(place.restarted().temporaries, 0);
            }
            let index = if luck < 3 { at % chunks.len() } else { left[at % left.len()] as usize };
            let number = u32::try_from(index).unwrap();
            left.retain(|other| *other != number);
            let is_last = left.is_empty();
            let outcome = place.put(number, total, &chunks[index]);
            if is_last {
                break complete(outcome);
            }
            let progress = accepted(outcome);
            prop_assert_eq!(&progress.missing, &left);
            prop_assert_eq!(progress.received as usize + left.len(), chunks.len());
        };
        prop_assert_eq!(content(&mut claim), chunks.concat());
        claim.finish("{}").unwrap();
        prop_assert_eq!(finished(place.put(0, total, &chunks[0])), "{}");
    }
}

#[test]
fn the_answer_is_kept_and_the_chunks_go() {
    let mut place = Place::new();
    accepted(place.put(1, 2, b"two"));
    let mut claim = complete(place.put(0, 2, b"one"));
    assert_eq!(content(&mut claim), b"onetwo");
    claim.finish("{\"files\":1}").unwrap();
    assert_eq!(
        names(&place.path("app")),
        ["answer", "fingerprints", "manifest"]
    );
    for _ in 0..2 {
        assert_eq!(finished(place.put(1, 2, b"two")), "{\"files\":1}");
        let other = place.put(1, 2, b"too").unwrap_err();
        assert!(matches!(other, UploadError::OtherBytes { index: 1 }));
        let total = place.put(1, 3, b"two").unwrap_err();
        assert!(matches!(
            total,
            UploadError::TotalDiffers { known: 2, given: 3 }
        ));
        let phase = place.status().unwrap().phase;
        assert_eq!(phase, Phase::Finished("{\"files\":1}".to_owned()));
        assert_eq!(place.uploads.slots(), 0);
        place.restarted();
    }
    place.uploads.discard("app").unwrap();
    assert!(matches!(place.status(), Err(UploadError::Unknown)));
    accepted(place.put(1, 3, b"two"));
}

#[test]
fn terms_may_be_mended_when_the_set_could_not_be_extracted() {
    let mut place = Place::new();
    let with = |index, path: &str| Chunk {
        terms: to(path),
        ..chunk(index, 2)
    };
    accepted(place.put_with(&with(0, "/a"), b"one"));
    let refused = place.put_with(&with(1, "/b"), b"two").unwrap_err();
    assert!(matches!(
        refused,
        UploadError::TermDiffers {
            name: "extract_path",
            ..
        }
    ));
    let claim = complete(place.put(1, 2, b"two"));
    assert_eq!(claim.terms(), &to("/a"));
    claim.fail("it is no archive");
    assert_eq!(place.status().unwrap().phase, Phase::Receiving);
    place.restarted();
    let mut claim = complete(place.put_with(&with(1, "/b"), b"mended"));
    assert_eq!(claim.terms(), &to("/b"));
    assert_eq!(content(&mut claim), b"onemended");
    // While it is extracted nothing changes.
    assert!(place.put_with(&with(1, "/c"), b"two").is_err());
    assert!(matches!(
        place.uploads.discard("app"),
        Err(UploadError::Extracting)
    ));
    assert_eq!(place.status().unwrap().phase, Phase::Extracting);
    assert!(matches!(
        place.put(1, 2, b"two"),
        Ok(Outcome::Extracting(_))
    ));
    claim.finish("{}").unwrap();
    assert!(place.put_with(&with(1, "/c"), b"mended").is_err());
    assert_eq!(finished(place.put_with(&with(1, "/b"), b"mended")), "{}");
}

#[test]
fn one_extracts_and_the_others_get_its_answer() {
    const THREADS: u32 = 8;
    let place = Place::new();
    let (_client, ours) = UnixStream::pair().unwrap();
    let claims = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            let (place, ours, claims) = (&place, &ours, &claims);
            scope.spawn(move || {
                for step in 0..THREADS {
                    let index = (first + step) % THREADS;
                    let answer = match place.put(index, THREADS, &[7; 5000]).unwrap() {
                        Outcome::Accepted(_) => continue,
                        Outcome::Complete(mut claim) => {
                            claims.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                            assert_eq!(content(&mut claim).len(), 5000 * THREADS as usize);
                            claim.finish("{}").unwrap();
                            continue;
                        }
                        Outcome::Extracting(pending) => pending.wait(LONG, ours.as_fd()).unwrap(),
                        Outcome::Finished(answer) => answer,
                    };
                    assert_eq!(answer, "{}");
                }
            });
        }
    });
    assert_eq!(claims.into_inner(), 1);
    assert_eq!(place.names(), ["app"]);
    assert_eq!(place.uploads.slots(), 0);
}

#[test]
fn a_wait_ends_with_the_extraction_the_client_or_the_time() {
    let place = Place::new();
    let (client, ours) = UnixStream::pair().unwrap();
    let claim = complete(place.put(0, 1, b"one"));
    let Outcome::Extracting(pending) = place.put(0, 1, b"one").unwrap() else {
        panic!("nobody extracts");
    };
    let wait = |patience| pending.wait(patience, ours.as_fd()).unwrap_err();
    assert!(matches!(wait(Duration::ZERO), UploadError::WaitedTooLong));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(LONG));
        claim.fail("no room");
        let error = waiting.join().unwrap();
        assert!(matches!(error, UploadError::FailedElsewhere { why } if why == "no room"));
    });
    // Another attempt is not the one that was waited for.
    let claim = complete(place.put(0, 1, b"one"));
    assert!(matches!(wait(LONG), UploadError::FailedElsewhere { .. }));
    let Outcome::Extracting(pending) = place.put(0, 1, b"one").unwrap() else {
        panic!("nobody extracts");
    };
    drop(client);
    let gone = pending.wait(LONG, ours.as_fd()).unwrap_err();
    assert!(matches!(gone, UploadError::Abandoned));
    claim.finish("{}").unwrap();
    assert_eq!(pending.wait(LONG, ours.as_fd()).unwrap(), "{}");
}

#[test]
fn age_removes_what_nobody_uses() {
    let place = Place::new();
    accepted(place.put(0, 2, b"one"));
    let done = place
        .uploads
        .put("done", &chunk(0, 1), &mut Cursor::new(b"x"));
    complete(done).finish("{}").unwrap();
    let used = place
        .uploads
        .put("used", &chunk(0, 1), &mut Cursor::new(b"x"));
    let claim = complete(used);
    let after = |seconds: u64| {
        let now = Timestamp::now().seconds + i64::try_from(seconds).unwrap();
        let expired = place.uploads.expire(Timestamp::from_seconds(now)).unwrap();
        (expired.open, expired.finished, expired.failed)
    };
    let (hour, day) = (
        limits::UPLOAD_RECORD_KEPT.as_secs(),
        limits::UPLOAD_UNTOUCHED.as_secs(),
    );
    assert_eq!(after(hour - 60), (0, 0, 0));
    assert_eq!(after(hour), (0, 1, 0));
    assert_eq!(place.uploads.slots(), 1, "only the one in use is in memory");
    assert_eq!(after(day - 60), (0, 0, 0));
    assert_eq!(after(day), (1, 0, 0));
    assert_eq!(place.names(), ["used"]);
    drop(claim);
    assert_eq!(
        place
            .uploads
            .expire(Timestamp::from_seconds(0))
            .unwrap()
            .open,
        0
    );
    assert_eq!(after(day), (1, 0, 0));
    assert!(place.names().is_empty());
}
