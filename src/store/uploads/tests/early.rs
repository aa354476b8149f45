//! Extracting before the set is complete.
#![forbid(unsafe_code)]

use super::*;

fn with(index: u32, total: u32) -> Chunk {
    Chunk {
        terms: to("/a"),
        ..chunk(index, total)
    }
}

fn read(ahead: Ahead, patience: Duration) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ahead.reader(patience).read_to_end(&mut bytes)?;
    ahead.finish(format!("{} bytes", bytes.len()));
    Ok(bytes)
}

#[test]
fn it_begins_when_it_is_known_what_and_where_to() {
    let place = Place::new();
    let ahead = || place.uploads.ahead("app");
    assert!(ahead().is_none());
    accepted(place.put(1, 3, b"two"));
    assert!(ahead().is_none(), "the first one is missing");
    accepted(place.put(0, 3, b"one"));
    assert!(ahead().is_none(), "nobody knows where to");
    accepted(place.put_with(&with(0, 3), b"one"));
    let begun = ahead().unwrap();
    assert_eq!(begun.terms(), &to("/a"));
    assert!(ahead().is_none(), "one is enough");
    let claim = complete(place.put_with(&with(2, 3), b"three"));
    claim.fail("no reason");
    assert!(place.uploads.ahead("../app").is_none());
}

#[test]
fn the_claim_gets_what_was_read_ahead() {
    let mut place = Place::new();
    accepted(place.put_with(&with(0, 3), b"one"));
    let ahead = place.uploads.ahead("app").unwrap();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(ahead, LONG));
        accepted(place.put(2, 3, b"three"));
        accepted(place.put(0, 3, b"one"));
        let mut claim = complete(place.put(1, 3, b"two"));
        let answer = claim.ahead().unwrap();
        assert_eq!(answer, "11 bytes");
        assert!(claim.ahead().is_none(), "it is told once");
        assert_eq!(reading.join().unwrap().unwrap(), b"onetwothree");
        claim.finish(&answer).unwrap();
    });
    place.restarted();
    assert_eq!(finished(place.put(1, 3, b"two")), "11 bytes");
    let other = place.put(1, 3, b"too").unwrap_err();
    assert!(matches!(other, UploadError::OtherBytes { index: 1 }));
}

#[test]
fn it_waits_so_long_and_may_begin_again() {
    let place = Place::new();
    accepted(place.put_with(&with(0, 3), b"one"));
    for _ in 0..limits::UPLOAD_AHEAD_ATTEMPTS {
        let ahead = place.uploads.ahead("app").unwrap();
        let error = read(ahead, Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
    assert!(place.uploads.ahead("app").is_none(), "it was often enough");
    accepted(place.put(1, 3, b"two"));
    let mut claim = complete(place.put(2, 3, b"three"));
    assert!(claim.ahead().is_none());
    assert_eq!(content(&mut claim), b"onetwothree");
}

#[test]
fn what_has_come_to_nothing_is_left_to_the_claim() {
    let place = Place::new();
    accepted(place.put_with(&with(0, 2), b"one"));
    drop(place.uploads.ahead("app").unwrap());
    assert!(place.uploads.ahead("app").is_none());
    let mut claim = complete(place.put(1, 2, b"two"));
    assert!(claim.ahead().is_none());
    assert_eq!(content(&mut claim), b"onetwo");
}

#[test]
fn another_chunk_and_other_terms_end_it() {
    let place = Place::new();
    accepted(place.put_with(&with(0, 3), b"one"));
    let begin = || place.uploads.ahead("app").unwrap();
    let ahead = begin();
    let mut reader = ahead.reader(LONG);
    reader.read_exact(&mut [0; 3]).unwrap();
    accepted(place.put(0, 3, b"won"));
    assert!(reader.read(&mut [0]).is_err());
    drop(ahead);
    let ahead = begin();
    let mode = Chunk {
        terms: Terms {
            mode: Some("replace".to_owned()),
            ..Terms::default()
        },
        ..chunk(1, 3)
    };
    accepted(place.put_with(&mode, b"two"));
    assert!(read(ahead, LONG).is_err());
    let ahead = begin();
    assert_eq!(ahead.terms().mode.as_deref(), Some("replace"));
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(ahead, LONG));
        place.uploads.discard("app").unwrap();
        assert!(reading.join().unwrap().is_err());
    });
    // The name is free for another one.
    accepted(place.put_with(&with(0, 3), b"one"));
    begin();
}

#[test]
fn few_do_it_at_once_and_none_when_the_agent_ends() {
    let place = Place::new();
    let begin = |id: &str| {
        accepted(place.uploads.put(id, &with(0, 2), &mut Cursor::new(b"x")));
        place.uploads.ahead(id)
    };
    let (one, two) = (begin("one").unwrap(), begin("two").unwrap());
    assert!(begin("three").is_none());
    drop(one);
    let three = begin("three").unwrap();
    std::thread::scope(|scope| {
        let readers = [two, three].map(|ahead| scope.spawn(|| read(ahead, LONG)));
        place.uploads.stop_ahead(LONG);
        for reader in readers {
            assert!(reader.join().unwrap().is_err());
        }
    });
    assert!(begin("four").is_none());
}
