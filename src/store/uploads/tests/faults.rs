//! What goes wrong, and what must not happen then.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn what_makes_no_sense_is_refused_and_leaves_nothing() {
    let place = Place::with(UploadLimits {
        chunks: 5,
        ..UploadLimits::default()
    });
    for (index, total) in [(0, 0), (0, 6), (5, 5), (u32::MAX, 5)] {
        assert!(place.put(index, total, b"x").is_err(), "{index} of {total}");
    }
    let sum = |text: &str| Chunk {
        sha256: Some(text.to_owned()),
        ..chunk(0, 1)
    };
    assert!(matches!(
        place.put_with(&sum("12"), b"x"),
        Err(UploadError::BadChecksum)
    ));
    let wrong = place.put_with(&sum(&"0".repeat(64)), b"x").unwrap_err();
    assert!(matches!(wrong, UploadError::Checksum { .. }));
    assert!(matches!(
        place.put(0, 1, b""),
        Err(UploadError::Empty { index: 0 })
    ));
    let escape = place.uploads.put("../app", &chunk(0, 1), &mut io::empty());
    assert!(matches!(escape, Err(UploadError::BadId)));
    assert!(place.names().is_empty());
    assert_eq!(place.uploads.slots(), 0);
    let right = sum("2D711642B726B04401627CA9FBAC32F5C8530FB1903CC4DB02258717921A4881");
    drop(complete(place.put_with(&right, b"x")));
}

#[test]
fn a_body_that_breaks_off_leaves_nothing() {
    let place = Place::new();
    let broken = || io::repeat(7).take(100_000).chain(Broken);
    let put = |index| place.uploads.put("app", &chunk(index, 2), &mut broken());
    assert!(matches!(put(0), Err(UploadError::Body(_))));
    assert!(place.names().is_empty());
    accepted(place.put(0, 2, b"whole"));
    assert!(matches!(put(0), Err(UploadError::Body(_))));
    assert_eq!(place.names(), ["app"]);
    assert_eq!(std::fs::read(place.path("app/chunk-0")).unwrap(), b"whole");
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

/// A body that hands out some bytes, then says so and waits to be told how it ends.
struct Slow<'a> {
    bytes: &'a [u8],
    is_reached: mpsc::Sender<()>,
    end: mpsc::Receiver<io::Result<usize>>,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            self.is_reached.send(()).unwrap();
            return self.end.recv().unwrap();
        }
        self.bytes.read(buffer)
    }
}

#[test]
fn dropping_an_upload_ends_what_is_being_received() {
    let place = Place::new();
    accepted(place.put(0, 3, b"one"));
    let (is_reached, reached) = mpsc::channel();
    let (tell, end) = mpsc::channel();
    std::thread::scope(|scope| {
        let mut body = Slow {
            bytes: b"two",
            is_reached,
            end,
        };
        let uploads = &place.uploads;
        let sending = scope.spawn(move || uploads.put("app", &chunk(1, 3), &mut body).map(drop));
        reached.recv().unwrap();
        uploads.discard("app").unwrap();
        // The next one begins anew, whatever the old one does.
        accepted(place.put(2, 4, b"new"));
        tell.send(Ok(0)).unwrap();
        assert!(matches!(sending.join().unwrap(), Err(UploadError::Dropped)));
    });
    let status = place.status().unwrap();
    assert_eq!(
        (status.progress.total, status.progress.missing),
        (4, vec![0, 1, 3])
    );
    assert_eq!(place.names(), ["app"]);
}

#[test]
fn the_limits_of_bytes_and_uploads_hold() {
    let place = Place::with(UploadLimits {
        bytes: Some(10),
        open: 2,
        ..UploadLimits::default()
    });
    let large = |result: Result<Outcome<'_>, UploadError>| {
        matches!(result, Err(UploadError::TooLarge { limit: 10 }))
    };
    assert!(large(place.put(0, 3, &[1; 11])));
    accepted(place.put(0, 3, &[1; 6]));
    assert!(large(place.put(1, 3, &[1; 5])));
    let announced = Chunk {
        length: Some(5),
        ..chunk(1, 3)
    };
    assert!(large(place.put_with(&announced, &[1; 1])));
    // What replaces a chunk has its room.
    accepted(place.put(0, 3, &[1; 10]));
    let put = |id| place.uploads.put(id, &chunk(0, 2), &mut Cursor::new(b"x"));
    accepted(put("second"));
    assert!(matches!(
        put("third"),
        Err(UploadError::TooMany { limit: 2 })
    ));
    assert_eq!(place.names(), ["app", "second"]);
    // One that is finished is not open.
    let done = place
        .uploads
        .put("second", &chunk(1, 2), &mut Cursor::new(b"y"));
    complete(done).finish("{}").unwrap();
    accepted(put("third"));
    let usage = place.uploads.usage().unwrap();
    assert_eq!((usage.open, usage.finished, usage.bytes), (2, 1, 11));
    let counts = place.uploads.counts().unwrap();
    assert_eq!((counts.open, counts.finished), (2, 1));
}

#[test]
fn a_start_copes_with_whatever_it_finds() {
    let mut place = Place::new();
    accepted(place.put(0, 2, b"good"));
    let make = |path: &str, text: &str| {
        let path = place.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    make("none/chunk-0", "x");
    make("torn/manifest", "{\"total\":3,\"te");
    make("huge/manifest", "{\"total\":4000000000,\"terms\":{}}");
    make(
        "newer/manifest",
        "{\"total\":3,\"terms\":{\"unheard-of\":\"1\"}}",
    );
    make(".node-agent-0/chunk-0", "x");
    make(".node-agent-1", "x");
    make("@stranger", "x");
    make("file", "x");
    make("done/manifest", "{\"total\":3,\"terms\":{}}");
    make("done/answer", "{}");
    make("done/chunk-2", "left");
    make("app/notes", "x");
    make("app/chunk-01", "x");
    make("app/chunk-7", "x");
    std::fs::create_dir(place.path("app/chunk-1")).unwrap();
    let swept = place.restarted();
    assert_eq!(swept.temporaries, 2);
    let mut told: Vec<_> = swept
        .oddities
        .iter()
        .map(|odd| (&*odd.name, odd.is_removed))
        .collect();
    told.sort_unstable();
    let expected = [
        ("@stranger", false),
        ("app", false),
        ("file", false),
        ("huge", true),
        ("newer", true),
        ("none", true),
        ("torn", true),
    ];
    assert_eq!(told, expected);
    assert_eq!(place.names(), ["@stranger", "app", "done", "file"]);
    assert_eq!(names(&place.path("done")), ["answer", "manifest"]);
    assert_eq!(place.status().unwrap().progress.missing, [1]);
    place.uploads.discard("app").unwrap();
    // A manifest that is lost while the agent runs.
    accepted(place.put(0, 2, b"good"));
    std::fs::remove_file(place.path("app/manifest")).unwrap();
    place.uploads = open(place.state.path(), UploadLimits::default());
    assert!(matches!(
        place.put(1, 2, b"x"),
        Err(UploadError::Disk { .. })
    ));
    place.uploads.discard("app").unwrap();
    accepted(place.put(0, 2, b"good"));
}

#[test]
fn files_that_vanish_are_asked_for_again() {
    let place = Place::new();
    accepted(place.put(0, 3, b"one"));
    accepted(place.put(1, 3, b"two"));
    std::fs::remove_file(place.path("app/chunk-0")).unwrap();
    assert_eq!(accepted(place.put(2, 3, b"six")).missing, [0]);
    let mut claim = complete(place.put(0, 3, b"one"));
    std::fs::remove_file(place.path("app/chunk-1")).unwrap();
    let read = claim.reader().unwrap().read_to_end(&mut Vec::new());
    assert!(read.unwrap_err().to_string().contains("chunk 1"));
    claim.fail("a chunk is gone");
    assert_eq!(accepted(place.put(0, 3, b"one")).missing, [1]);
    let too_long = "x".repeat(limits::UPLOAD_ANSWER_BYTES + 1);
    complete(place.put(1, 3, b"two"))
        .finish(&too_long)
        .unwrap_err();
    drop(complete(place.put(1, 3, b"two")));
    std::fs::remove_dir_all(place.path("app")).unwrap();
    assert_eq!(accepted(place.put(0, 3, b"one")).missing, [1, 2]);
}

#[test]
fn a_chunk_that_somebody_made_longer_is_replaced() {
    let place = Place::new();
    accepted(place.put(0, 3, b"one"));
    std::fs::write(place.path("app/chunk-0"), "longer than it came").unwrap();
    assert_eq!(accepted(place.put(0, 3, b"one")).missing, [1, 2]);
}

#[test]
fn nobody_else_may_look_in_and_no_link_leads_out() {
    let place = Place::new();
    accepted(place.put(0, 2, b"one"));
    let mode = |name: &str| place.path(name).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(
        (mode(""), mode("app"), mode("app/chunk-0")),
        (0o700, 0o700, 0o600)
    );
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), place.path("link")).unwrap();
    let put = place
        .uploads
        .put("link", &chunk(0, 1), &mut Cursor::new(b"x"));
    assert!(matches!(put, Err(UploadError::Disk { .. })));
    assert!(names(outside.path()).is_empty());
    let state = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), state.path().join(DIRECTORY)).unwrap();
    let reserve = Reserve { min_free_bytes: 0 };
    assert!(Uploads::new(state.path(), reserve, UploadLimits::default()).is_err());
}

#[test]
fn of_many_answers_the_oldest_goes() {
    let place = Place::with(UploadLimits {
        records: 3,
        ..UploadLimits::default()
    });
    let put = |id, total| {
        place
            .uploads
            .put(id, &chunk(0, total), &mut Cursor::new(b"x"))
    };
    for (id, age) in [("young", 1), ("old", 3), ("middle", 2)] {
        complete(put(id, 1)).finish("{}").unwrap();
        let answer = std::fs::File::open(place.path(id).join("answer")).unwrap();
        let time = std::time::SystemTime::now() - Duration::from_secs(age * 60);
        answer.set_modified(time).unwrap();
    }
    assert_eq!(place.names(), ["middle", "old", "young"]);
    accepted(put("new", 2));
    assert_eq!(place.names(), ["middle", "new", "young"]);
}
