//! Uploads, byte by byte: forms, base64 in JSON, chunks.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::agent::{Agent, KEY};
use super::http::{Client, Response};

/// What `docker save` writes for `images`.
pub fn saved(images: &[&str]) -> Vec<u8> {
    let output = Command::new("docker")
        .arg("save")
        .args(images)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// `bytes` through gzip.
pub fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    std::fs::write(&path, bytes).unwrap();
    Command::new("gzip")
        .arg("-nc")
        .arg(&path)
        .output()
        .unwrap()
        .stdout
}

/// A form with the boundary `XX`: name, file name and content of each part.
pub fn form(parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = match *file {
            "" => String::new(),
            file => format!("; filename=\"{file}\""),
        };
        let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    body
}

/// `{"<field>": "<base64 of bytes>"}` between other members.
pub fn json(field: &str, bytes: &[u8]) -> Vec<u8> {
    let encoded = STANDARD.encode(bytes);
    format!("{{\"before\": [1, {{\"{field}\": 2}}], \"{field}\": \"{encoded}\", \"after\": null}}")
        .into_bytes()
}

/// `bytes` in chunks of `size`.
pub fn chunked(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut coded = Vec::new();
    for chunk in bytes.chunks(size) {
        coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        coded.extend_from_slice(chunk);
        coded.extend_from_slice(b"\r\n");
    }
    coded.extend_from_slice(b"0\r\n\r\n");
    coded
}

/// A POST of `body` with its length.
pub fn post(agent: &Agent, path: &str, content_type: &str, body: &[u8]) -> Response {
    let headers = [("X-API-Key", KEY), ("Content-Type", content_type)];
    let mut client = agent.connect();
    // A refusal may come, and the connection end, before all of it was sent.
    let _ = client.try_send(&Client::encode("POST", path, &headers, body));
    client.response_to("POST")
}

/// The head of a POST with these further lines, each with its line end; the body is to follow.
pub fn head(path: &str, lines: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: agent\r\nX-API-Key: {KEY}\r\n{lines}\r\n").into_bytes()
}

/// A POST of `body` in chunks.
pub fn post_chunked(agent: &Agent, path: &str, content_type: &str, body: &[u8]) -> Response {
    let mut client = agent.connect();
    let lines = format!("Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n");
    client.send(&head(path, &lines));
    let _ = client.try_send(&chunked(body, 10_000));
    client.response_to("POST")
}
