//! A socket in front of the real engine that changes some of its answers: for engines that know things which are not so
//! here, as one on another machine does.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The socket. Its threads end with the test process.
pub struct Liar {
    _directory: tempfile::TempDir,
    socket: PathBuf,
}

impl Liar {
    /// Hands every request on. An inspect's answer becomes what `change` makes of it, if it makes something.
    pub fn start(change: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let change = Arc::new(change);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let change = Arc::clone(&change);
                std::thread::spawn(move || serve(client.unwrap(), &*change));
            }
        });
        Self {
            _directory: directory,
            socket,
        }
    }

    /// Where it is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

fn serve(mut client: UnixStream, change: &dyn Fn(&str) -> Option<String>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    // HTTP/1.0: the answer is not in chunks, and ends with the connection.
    let head = String::from_utf8(head)
        .unwrap()
        .replace(" HTTP/1.1\r\n", " HTTP/1.0\r\n");
    let mut engine = UnixStream::connect("/var/run/docker.sock").unwrap();
    engine.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = engine.read_to_end(&mut answer);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let is_inspect = path.ends_with("/json") && path.matches('/').count() == 4;
    let changed = String::from_utf8(answer.clone())
        .ok()
        .filter(|_| is_inspect)
        .and_then(|text| {
            let body = change(text.split_once("\r\n\r\n")?.1)?;
            Some(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
        });
    // A client that has seen enough may be gone.
    let _ = client.write_all(changed.as_deref().map_or(&answer, str::as_bytes));
}
