//! The store of resumable uploads when the agent is killed and when the disk is full.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use node_agent::store::space::{Reserve, is_full, shortage};
use node_agent::store::uploads::{
    Chunk, Claim, Outcome, Phase, UploadError, UploadLimits, Uploads,
};

use crate::support::eventually;
use crate::support::tmpfs::Tmpfs;

/// Tells a run of this program that it is to work in this directory until it is killed.
const WORK_IN: &str = "NODE_AGENT_TEST_UPLOADS";
/// How often an agent is killed, and how long all rounds may take.
const ROUNDS: u64 = 120;
const MOST_TIME: Duration = Duration::from_secs(20);
/// Uploads that the agent works at, and their chunks.
const NAMES: [&str; 3] = ["first", "second", "third"];
const CHUNKS: u32 = 6;

fn open(state: &Path) -> Uploads {
    let reserve = Reserve { min_free_bytes: 0 };
    Uploads::new(state, reserve, UploadLimits::default()).unwrap()
}

fn chunk(index: u32, total: u32) -> Chunk {
    Chunk {
        index,
        total,
        ..Chunk::default()
    }
}

/// What chunk `index` of the upload `id` has in it: of different lengths, some longer than the buffer.
fn content(id: &str, index: u32) -> Vec<u8> {
    let count = 3000 + 20_000 * index as usize;
    format!("{id} {index},")
        .into_bytes()
        .into_iter()
        .cycle()
        .take(count)
        .collect()
}

fn whole(id: &str) -> Vec<u8> {
    (0..CHUNKS).flat_map(|index| content(id, index)).collect()
}

fn answer(id: &str) -> String {
    format!("{{\"extracted\":\"{id}\"}}")
}

fn put<'u>(uploads: &'u Uploads, id: &str, index: u32) -> Result<Outcome<'u>, UploadError> {
    uploads.put(
        id,
        &chunk(index, CHUNKS),
        &mut Cursor::new(content(id, index)),
    )
}

fn extract(id: &str, mut claim: Claim<'_>) {
    let mut bytes = Vec::new();
    claim.reader().unwrap().read_to_end(&mut bytes).unwrap();
    assert!(bytes == whole(id), "{id} is not what was sent");
    claim.finish(&answer(id)).unwrap();
}

/// Sends chunks of `id`, every second one from `first` on.
fn send(uploads: &Uploads, id: &str, first: u32) {
    for index in (first..CHUNKS).step_by(2) {
        match put(uploads, id, index) {
            Ok(Outcome::Complete(claim)) => extract(id, claim),
            Ok(Outcome::Finished(text)) => assert_eq!(text, answer(id)),
            Ok(Outcome::Accepted(_) | Outcome::Extracting(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Sends one upload by two threads at once.
fn upload(uploads: &Uploads, id: &str) {
    std::thread::scope(|scope| {
        for first in [0, 1] {
            scope.spawn(move || send(uploads, id, first));
        }
    });
}

/// The agent that is killed: the test below runs this very program with [`WORK_IN`].
#[test]
fn an_upload_by_two_at_once_is_extracted_once() {
    let Ok(state) = std::env::var(WORK_IN) else {
        let state = tempfile::tempdir().unwrap();
        let uploads = open(state.path());
        upload(&uploads, "first");
        let phase = uploads.status("first").unwrap().phase;
        assert_eq!(phase, Phase::Finished(answer("first")));
        return;
    };
    let uploads = open(Path::new(&state));
    uploads.sweep().unwrap();
    writeln!(io::stdout(), "\nready").unwrap();
    loop {
        for id in NAMES {
            upload(&uploads, id);
            uploads.discard(id).unwrap();
        }
    }
}

/// A program that is killed when it is dropped.
struct Agent(Child);

impl Agent {
    /// Starts it and waits until it works.
    fn start(state: &Path) -> Self {
        let own = std::env::current_exe().unwrap();
        let name = "uploads::an_upload_by_two_at_once_is_extracted_once";
        let child = Command::new(own)
            .args(["--exact", name, "--nocapture"])
            .env(WORK_IN, state)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut agent = Self(child);
        let mut said = BufReader::new(agent.0.stdout.take().unwrap()).lines();
        assert!(
            said.any(|line| line.unwrap() == "ready"),
            "it did not start"
        );
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Whether every chunk that has its name is whole; how many there are.
fn whole_chunks(directory: &Path, id: &str) -> usize {
    let names = names(directory);
    let numbers = names.iter().filter_map(|name| name.strip_prefix("chunk-"));
    numbers
        .map(|number| {
            let bytes = std::fs::read(directory.join(format!("chunk-{number}"))).unwrap();
            let expected = content(id, number.parse().unwrap());
            assert!(bytes == expected, "chunk {number} of {id} is torn");
        })
        .count()
}

/// What the client does after a restart: asks what is missing and sends that.
fn resume(uploads: &Uploads, id: &str, missing: &[u32]) {
    // All are there: the agent was killed before it could say so.
    let missing = if missing.is_empty() { &[0] } else { missing };
    for index in missing {
        if let Outcome::Complete(claim) = put(uploads, id, *index).unwrap() {
            extract(id, claim);
        }
    }
    let phase = uploads.status(id).unwrap().phase;
    assert_eq!(phase, Phase::Finished(answer(id)));
}

#[test]
fn an_agent_that_is_killed_at_any_moment_leaves_whole_chunks_and_the_upload_goes_on() {
    let state = tempfile::tempdir().unwrap();
    let directory = state.path().join("uploads");
    let start = Instant::now();
    let (mut partly, mut resumed) = (0, 0);
    for round in 0..ROUNDS {
        // A busy machine: fewer rounds are enough, as long as they tell something.
        if start.elapsed() > MOST_TIME {
            break;
        }
        let agent = Agent::start(state.path());
        // Anywhere in the first uploads.
        std::thread::sleep(Duration::from_micros(round * 7919 % 40_000));
        drop(agent);
        let uploads = open(state.path());
        let swept = uploads.sweep().unwrap();
        assert!(swept.oddities.is_empty(), "{:?}", swept.oddities);
        partly += usize::from(swept.temporaries > 0);
        let left = names(&directory);
        assert!(
            left.iter().all(|name| NAMES.contains(&name.as_str())),
            "{left:?}"
        );
        for id in left.iter().map(String::as_str) {
            let chunks = whole_chunks(&directory.join(id), id);
            let status = uploads.status(id).unwrap();
            match status.phase {
                Phase::Finished(text) => assert_eq!((text, chunks), (answer(id), 0)),
                Phase::Extracting => panic!("nobody extracts {id}"),
                Phase::Receiving => {
                    assert_eq!(status.progress.received as usize, chunks);
                    if round % 3 != 0 {
                        resume(&uploads, id, &status.progress.missing);
                        resumed += 1;
                    }
                }
            }
        }
    }
    // Otherwise the agent was killed at moments that tell nothing.
    assert!(partly > 10 && resumed > 10, "{partly} {resumed}");
}

/// A body that fills the disk before it ends.
struct Filling<'a> {
    bytes: &'a [u8],
    disk: &'a Path,
}

impl Read for Filling<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.len() < 100_000 {
            fill(self.disk);
        }
        self.bytes.read(buffer)
    }
}

/// Waits until what was removed has made room: a program that another test starts has a copy of every open file until it
/// runs.
fn room(disk: &Path) {
    let reserve = Reserve { min_free_bytes: 0 };
    eventually("room on the disk", || {
        (reserve.available(disk).unwrap() > 10 * 1024 * 1024).then_some(())
    });
}

fn fill(disk: &Path) {
    let mut file = std::fs::File::create(disk.join("filling")).unwrap();
    let error = io::copy(&mut io::repeat(1), &mut file).unwrap_err();
    assert!(is_full(&error), "{error}");
}

fn disk_error(result: Result<Outcome<'_>, UploadError>) -> io::Error {
    match result {
        Err(UploadError::Disk { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_disk_costs_the_chunk_that_has_no_room_and_nothing_else() {
    const LARGE: usize = 12 * 1024 * 1024;
    let disk = Tmpfs::new(24 * 1024 * 1024);
    let uploads = open(disk.path());
    let directory = disk.path().join("uploads");
    let large = vec![7; LARGE];
    uploads
        .put("app", &chunk(0, 2), &mut Cursor::new(&large))
        .unwrap();
    // Known before the first byte.
    let announced = Chunk {
        length: Some(LARGE as u64 * 2),
        ..chunk(1, 2)
    };
    let error = disk_error(uploads.put("app", &announced, &mut io::empty()));
    assert!(shortage(&error).is_some(), "{error}");
    // Found on the way, before the disk is full.
    let error = disk_error(uploads.put("app", &chunk(1, 2), &mut Cursor::new(&large)));
    assert!(shortage(&error).is_some(), "{error}");
    // Filled by somebody else on the way.
    room(disk.path());
    let mut filling = Filling {
        bytes: &large[..200_000],
        disk: disk.path(),
    };
    let error = disk_error(uploads.put("app", &chunk(1, 2), &mut filling));
    assert!(is_full(&error) && shortage(&error).is_none(), "{error}");
    assert_eq!(names(&directory), ["app"]);
    assert_eq!(uploads.status("app").unwrap().progress.missing, [1]);
    std::fs::remove_file(disk.path().join("filling")).unwrap();
    room(disk.path());
    let outcome = uploads.put("app", &chunk(1, 2), &mut Cursor::new(&large[..10]));
    let Ok(Outcome::Complete(claim)) = outcome else {
        panic!("{outcome:?}");
    };
    // No room for the answer: the chunks stay, and the set is extracted again.
    fill(disk.path());
    claim.finish("{}").unwrap_err();
    std::fs::remove_file(disk.path().join("filling")).unwrap();
    room(disk.path());
    let status = uploads.status("app").unwrap();
    assert_eq!(
        (status.phase, status.progress.received),
        (Phase::Receiving, 2)
    );
    let outcome = uploads.put("app", &chunk(1, 2), &mut Cursor::new(&large[..10]));
    let Ok(Outcome::Complete(claim)) = outcome else {
        panic!("{outcome:?}");
    };
    claim.finish("{}").unwrap();
    assert_eq!(
        names(&directory.join("app")).len(),
        2,
        "manifest and answer"
    );
}

#[test]
fn every_descriptor_is_given_back() {
    let state = tempfile::tempdir().unwrap();
    let opened = || {
        let links = names(Path::new("/proc/self/fd"));
        let target = |number: &String| std::fs::read_link(format!("/proc/self/fd/{number}"));
        links
            .iter()
            .filter_map(|number| target(number).ok())
            .filter(|target| target.starts_with(state.path()))
            .count()
    };
    let uploads = open(state.path());
    assert_eq!(opened(), 1, "the directory of uploads");
    for id in NAMES {
        upload(&uploads, id);
        let short = Chunk {
            sha256: Some("0".repeat(64)),
            ..chunk(0, 2)
        };
        uploads
            .put("other", &short, &mut Cursor::new(b"x"))
            .unwrap_err();
        let outcome = uploads.put("whole", &chunk(0, 1), &mut Cursor::new(b"x"));
        let Ok(Outcome::Complete(mut claim)) = outcome else {
            panic!("{outcome:?}");
        };
        claim.reader().unwrap().read_exact(&mut [0]).unwrap();
        claim.fail("it is no archive");
        uploads.usage().unwrap();
        uploads.discard("whole").unwrap();
        uploads.status("whole").unwrap_err();
    }
    assert_eq!(opened(), 1);
    drop(uploads);
    assert_eq!(opened(), 0);
}
