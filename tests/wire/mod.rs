//! Clients that are slow, torn or many, on the wire: others are served meanwhile, and nothing is left of them.

mod crowds;
mod slow;
mod slowhttptest;
mod torn;

use crate::support::Client;
use crate::support::agent::KEY;

/// How long an attack lasts at least, in seconds: long enough to be felt.
const ATTACK_SECONDS: u64 = 3;

/// The bytes of a GET with the key.
fn get(path: &str) -> Vec<u8> {
    Client::encode("GET", path, &[("X-API-Key", KEY)], b"")
}

/// The bytes of a request that writes `body` to `path`.
fn write(path: &std::path::Path, body: &[u8]) -> Vec<u8> {
    let target = format!("/files/write?path={}", path.display());
    let headers = [
        ("X-API-Key", KEY),
        ("Content-Type", "application/octet-stream"),
    ];
    Client::encode("POST", &target, &headers, body)
}
