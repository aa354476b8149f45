//! What becomes of an engine that misbehaves: each fault is the right [`EngineError`], in time, and the next call finds
//! an engine that is well again.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::scripted::{Scripted, is_ping, listen, ping};
use super::{EngineError, Patience};
use crate::limits;

const SHORT: Duration = Duration::from_millis(30);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

fn hasty() -> Patience<'static> {
    Patience {
        first_byte: SHORT,
        idle: SHORT,
        client: None,
    }
}

/// The error of a GET whose answer is `answer`, or of reading that answer.
fn failure(answer: impl Into<Vec<u8>>) -> EngineError {
    let scripted = Scripted::answering(answer);
    let read = scripted
        .engine()
        .get("/x", hasty())
        .and_then(|mut answer| answer.read_all());
    read.unwrap_err()
}

/// Keeps the connection open until the client closes it.
fn hold(mut stream: UnixStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn an_answer_that_breaks_off_is_an_engine_that_is_gone() {
    for half in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[]",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
    ] {
        let error = failure(half);
        assert!(
            matches!(error, EngineError::Unreachable { .. }),
            "{half:?}: {error:?}"
        );
    }
}

#[test]
fn what_is_no_answer_is_nonsense() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(limits::HEAD_BYTES));
    let big = format!(
        "HTTP/1.1 200 OK\r\n\r\n{}",
        "x".repeat(limits::ENGINE_JSON_BYTES + 1)
    );
    for garbage in [
        "220 mail.example ESMTP\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n[]",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n[]\r\n",
        "\0\0\0\0\0\0\0\0",
        &long,
        &big,
    ] {
        let error = failure(garbage);
        let start = &garbage[..garbage.len().min(60)];
        assert!(
            matches!(error, EngineError::Nonsense { .. }),
            "{start:?}: {error:?}"
        );
    }
}

#[test]
fn silence_is_a_timeout_wherever_it_begins() {
    for spoken in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]",
    ] {
        let scripted = Scripted::serve(move |head, mut stream| {
            let answer = if is_ping(head) {
                ping("1.41")
            } else {
                spoken.into()
            };
            stream.write_all(&answer).unwrap();
            hold(stream);
        });
        let engine = scripted.engine();
        let start = Instant::now();
        let read = engine
            .get("/x", hasty())
            .and_then(|mut answer| answer.read_all());
        assert!(
            matches!(read, Err(EngineError::Timeout { .. })),
            "{spoken:?}: {read:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_refusal_that_comes_before_the_body_was_sent_is_read() {
    let refusal: &[u8] =
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 17\r\n\r\n{\"message\":\"no\"}\n";
    for closes in [true, false] {
        let scripted = Scripted::serve(move |head, mut stream| {
            if is_ping(head) {
                return stream.write_all(&ping("1.41")).unwrap();
            }
            stream.write_all(refusal).unwrap();
            if closes {
                stream.shutdown(Shutdown::Both).unwrap();
            } else {
                // Reads nothing on: our side cannot be written to any more.
                std::thread::sleep(Duration::from_secs(5));
            }
        });
        // Far more than the socket holds.
        let body = vec![b'x'; 8 * 1024 * 1024];
        let result = scripted.engine().post("/x", Some(&body), hasty());
        let Err(EngineError::Answer {
            status: 400,
            message,
        }) = result
        else {
            panic!("closes {closes}: {:?}", result.map(|_| ()));
        };
        assert_eq!(message, "no");
    }
}

#[test]
fn nobody_listening_raises_the_alarm_and_is_forgotten() {
    let scripted = Scripted::serve(|head, mut stream| {
        let answer = if is_ping(head) {
            ping("1.30")
        } else if head.starts_with("GET /v1.30/") {
            OK.into()
        } else {
            b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec()
        };
        stream.write_all(&answer).unwrap();
    });
    let engine = scripted.engine();
    engine.get("/x", hasty()).unwrap();
    assert_eq!(scripted.alarms(), 0);

    std::fs::remove_file(scripted.path()).unwrap();
    let gone = engine.get("/x", hasty()).map(|_| ()).unwrap_err();
    assert!(matches!(gone, EngineError::Unreachable { .. }), "{gone:?}");
    assert_eq!(scripted.alarms(), 1);

    // It comes back as a newer one.
    listen(scripted.path(), |head, mut stream| {
        let answer = if is_ping(head) {
            ping("1.51")
        } else if head.starts_with("GET /v1.44/") {
            OK.into()
        } else {
            b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec()
        };
        stream.write_all(&answer).unwrap();
    });
    engine.get("/x", hasty()).unwrap();
}

/// An engine that was exchanged between two calls, without anyone seeing it away.
fn exchanged(refusal: &'static str, from: &'static str, to: &'static str) {
    let pings = AtomicUsize::new(0);
    let scripted = Scripted::serve(move |head, mut stream| {
        let answer = if is_ping(head) {
            let is_first = pings.fetch_add(1, Ordering::SeqCst) == 0;
            ping(if is_first { from } else { to })
        } else if head.starts_with(&format!("GET /v{to}/")) {
            OK.into()
        } else {
            let body = format!("{{\"message\":\"client version {refusal}\"}}");
            let length = body.len();
            format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {length}\r\n\r\n{body}").into()
        };
        stream.write_all(&answer).unwrap();
    });
    scripted.engine().get("/x", hasty()).unwrap();
}

#[test]
fn a_version_that_the_engine_refuses_is_negotiated_anew() {
    let old = "1.41 is too old. Minimum supported API version is 1.44, please upgrade your client";
    exchanged(old, "1.41", "1.44");
    let new = "1.44 is too new. Maximum supported API version is 1.41";
    exchanged(new, "1.51", "1.41");
}

#[test]
fn a_probe_notices_another_version_and_raises_no_alarm() {
    let pings = AtomicUsize::new(0);
    let scripted = Scripted::serve(move |head, mut stream| {
        let answer = if is_ping(head) {
            let is_first = pings.fetch_add(1, Ordering::SeqCst) == 0;
            ping(if is_first { "1.41" } else { "1.43" })
        } else if head.starts_with("GET /v1.43/") {
            OK.into()
        } else {
            b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec()
        };
        stream.write_all(&answer).unwrap();
    });
    let engine = scripted.engine();
    assert!(engine.answers() && engine.answers());
    engine.get("/x", hasty()).unwrap();
    std::fs::remove_file(scripted.path()).unwrap();
    assert!(!engine.answers());
    assert_eq!(scripted.alarms(), 0);
}

#[test]
fn a_client_that_leaves_in_silence_ends_the_call() {
    for spoken in [
        "",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
    ] {
        let (ended, end) = std::sync::mpsc::channel();
        let scripted = Scripted::serve(move |head, mut stream| {
            let answer = if is_ping(head) {
                ping("1.41")
            } else {
                spoken.into()
            };
            stream.write_all(&answer).unwrap();
            if !is_ping(head) {
                hold(stream);
                ended.send(()).unwrap();
            }
        });
        let (client, ours) = UnixStream::pair().unwrap();
        let patience = Patience {
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            client: Some(ours.as_fd()),
        };
        let engine = scripted.engine();
        engine.answers();
        let leaver = std::thread::spawn(move || {
            std::thread::sleep(SHORT);
            drop(client);
        });
        let start = Instant::now();
        let read = engine
            .get("/x", patience)
            .and_then(|mut answer| answer.read_all());
        assert!(matches!(read, Err(EngineError::Abandoned)), "{read:?}");
        end.recv_timeout(Duration::from_secs(1)).unwrap();
        assert!(start.elapsed() < Duration::from_secs(1));
        assert_eq!(scripted.alarms(), 0);
        leaver.join().unwrap();
    }
}

#[test]
fn an_error_inside_a_pull_is_an_error() {
    let stream = "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"denied\"},\"error\":\"denied\"}\r\n";
    let pulling = Scripted::answering(stream).engine().pull("x:y", None, None);
    let result = pulling.and_then(super::progress::Progress::wait);
    assert!(
        matches!(&result, Err(EngineError::InStream { message, .. }) if message == "denied"),
        "{result:?}"
    );
}
