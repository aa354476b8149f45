//! A socket that plays an engine by script: only for faults that the real engine cannot be made to show.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Engine;

/// A socket in a directory of its own. Its threads end with the test process.
pub(crate) struct Scripted {
    _directory: tempfile::TempDir,
    path: PathBuf,
    alarms: Arc<AtomicUsize>,
}

impl Scripted {
    /// Serves each connection with `script`, on a thread of its own: the request's head, and the connection.
    pub(crate) fn serve(script: impl Fn(&str, UnixStream) + Send + Sync + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("engine.sock");
        listen(&path, script);
        Self {
            _directory: directory,
            path,
            alarms: Arc::default(),
        }
    }

    /// Answers pings with version 1.41 and everything else with `answer`, then closes.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::serve(move |head, mut stream| {
            let answer = if is_ping(head) {
                ping("1.41")
            } else {
                answer.clone()
            };
            // A client that has seen enough may be gone before all is written.
            let _ = stream.write_all(&answer);
        })
    }

    /// The same with a 200 and this JSON.
    pub(crate) fn answering_json(json: &str) -> Self {
        let length = json.len();
        Self::answering(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{json}"
        ))
    }

    /// A client of it.
    pub(crate) fn engine(&self) -> Engine {
        let alarms = Arc::clone(&self.alarms);
        Engine::new(self.path.clone(), move || {
            alarms.fetch_add(1, Ordering::SeqCst);
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How often the alarm was raised.
    pub(crate) fn alarms(&self) -> usize {
        self.alarms.load(Ordering::SeqCst)
    }
}

/// Makes a script listen at `path`.
pub(crate) fn listen(path: &Path, script: impl Fn(&str, UnixStream) + Send + Sync + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    let script = Arc::new(script);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let script = Arc::clone(&script);
            std::thread::spawn(move || script(&read_head(&mut stream), stream));
        }
    });
}

pub(crate) fn is_ping(head: &str) -> bool {
    head.starts_with("GET /_ping ")
}

/// The answer to a ping of an engine with this API version.
pub(crate) fn ping(version: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nApi-Version: {version}\r\nContent-Length: 2\r\n\r\nOK").into_bytes()
}

fn read_head(stream: &mut UnixStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let bare = head.replace("\r\n", "");
    assert!(!bare.contains(['\r', '\n']), "a bare line end in {head:?}");
    head
}
