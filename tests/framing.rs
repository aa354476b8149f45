//! Request smuggling: whatever two readers could take differently is refused, the connection is closed, and nothing
//! behind it is answered.

use crate::support::Agent;
use crate::support::agent::KEY;

/// A second request that must never be answered.
const SMUGGLED: &str = "GET /ping HTTP/1.1\r\nHost: smuggled\r\n\r\n";

/// Requests that are refused by their head alone, with the status.
const BAD_HEADS: &[(&str, u16)] = &[
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        501,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        501,
    ),
    (
        "POST /ping HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
        501,
    ),
    ("GET /ping HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    ("GET /ping HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n", 400),
    (
        "GET /ping HTTP/1.1\r\nHost: a\r\nX-A: b\r\n folded\r\n\r\n",
        400,
    ),
    ("GET /ping HTTP/1.1\r\nHost: a\r\nX(A): b\r\n\r\n", 400),
    ("GET /ping HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
    ("GET /ping HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n", 400),
    ("GET /ping HTTP/1.1\nHost: a\n\n", 400),
    ("GET /ping HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n", 400),
    ("GET /ping HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n", 400),
    ("GET /pi\0ng HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /ping HTTP/1.1\r\n\r\n", 400),
    ("GET /ping HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    ("GET /ping HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ("GET  /ping HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /ping\r\n\r\n", 400),
    ("GE(T /ping HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET ping HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /ping#x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /ping HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (
        "GET /ping HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n",
        417,
    ),
];

#[test]
fn bad_heads_are_refused_and_nothing_after_them_is_answered() {
    let agent = Agent::start();
    for (head, status) in BAD_HEADS {
        let mut client = agent.connect();
        client.send(format!("{head}{SMUGGLED}").as_bytes());
        let response = client.response();
        assert_eq!(response.status, *status, "{head:?}: {}", response.text());
        assert!(!response.error().is_empty());
        assert_eq!(response.header("connection"), Some("close"), "{head:?}");
        assert_eq!(client.rest(), b"", "{head:?}");
    }
}

#[test]
fn a_framing_error_is_told_before_a_missing_key() {
    let agent = Agent::start();
    let mut client = agent.connect();
    client.send(b"POST /containers/run HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
    assert!(
        client
            .response()
            .expect(400)
            .error()
            .contains("Content-Length")
    );
}

#[test]
fn bad_chunks_are_refused() {
    let agent = Agent::start();
    for body in [
        "g\r\n",
        "-1\r\n",
        "0x5\r\nhello\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n",
        "11111111111111111\r\n",
        "2;\nx\r\n",
    ] {
        let mut client = agent.connect();
        let head = format!(
            "POST /containers/run HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        client.send(format!("{head}{body}{SMUGGLED}").as_bytes());
        let response = client.response();
        assert_eq!(response.status, 400, "{body:?}: {}", response.text());
        assert_eq!(client.rest(), b"", "{body:?}");
    }
}

#[test]
fn too_much_head_is_refused_in_time() {
    let agent = Agent::start();
    let status = |head: String| {
        let mut client = agent.connect();
        let _ = client.try_send(head.as_bytes());
        client.response().status
    };
    assert_eq!(
        status(format!(
            "GET /ping HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
            "x".repeat(20_000)
        )),
        431
    );
    assert_eq!(
        status(format!(
            "GET /ping HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "A: b\r\n".repeat(100)
        )),
        431
    );
    assert_eq!(
        status(format!(
            "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
            "x".repeat(9_000)
        )),
        414
    );
}

#[test]
fn a_request_may_come_byte_by_byte_and_many_may_come_at_once() {
    let agent = Agent::start();
    let mut client = agent.connect();
    for byte in b"\r\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n" {
        client.send(&[*byte]);
    }
    client.response().expect(200);
    let request =
        format!("GET /openapi.json HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\n\r\n{SMUGGLED}");
    client.send(request.repeat(50).as_bytes());
    for _ in 0..50 {
        assert!(client.response().expect(200).text().contains("openapi"));
        assert_eq!(client.response().expect(200).json()["version"], "2.6.1");
    }
}

#[test]
fn an_absolute_target_and_expect_continue_are_understood() {
    let agent = Agent::start();
    let mut client = agent.connect();
    client.send(b"GET http://agent:9999/ping HTTP/1.1\r\nHost: agent\r\n\r\n");
    client.response().expect(200);
    let head = format!(
        "POST /containers/run HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    client.send(head.as_bytes());
    assert_eq!(client.head().status, 100);
    client.send(b"{}");
    client.response().expect(400);
}

#[test]
fn a_refused_body_is_not_asked_for() {
    let agent = Agent::start();
    let mut client = agent.connect();
    client.send(b"POST /containers/run HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    client.response().expect(401);
    assert!(client.is_closed());
}
