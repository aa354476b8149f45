//! An engine that only takes build contexts, and the docker CLI that sends them.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// A socket that answers the CLI and keeps what it was sent.
pub struct Engine {
    directory: tempfile::TempDir,
    bodies: Receiver<Vec<u8>>,
}

impl Engine {
    /// One that listens. Its thread ends with the test program: it waits in accept and holds nothing.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("socket")).unwrap();
        let (sender, bodies) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let sender = sender.clone();
                std::thread::spawn(move || serve(&stream.unwrap(), &sender));
            }
        });
        Self { directory, bodies }
    }

    /// What `docker build` sends for `context`, or what it says when it refuses.
    pub fn context(&self, context: &Path, dockerfile: &Path) -> Result<Vec<u8>, String> {
        let output = Command::new("docker")
            .args(["build", "-q", "-f"])
            .args([dockerfile, context])
            .env("DOCKER_BUILDKIT", "0")
            .env("DOCKER_CONFIG", self.directory.path())
            .env("DOCKER_HOST", self.address())
            .output()
            .unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(self.bodies.recv_timeout(Duration::from_secs(20)).unwrap())
    }

    fn address(&self) -> String {
        let socket: PathBuf = self.directory.path().join("socket");
        format!("unix://{}", socket.display())
    }
}

fn serve(stream: &UnixStream, bodies: &Sender<Vec<u8>>) {
    let mut from = BufReader::new(stream);
    while let Some(line) = line(&mut from) {
        let mut is_chunked = false;
        while let Some(header) = self::line(&mut from).filter(|header| !header.is_empty()) {
            is_chunked |= header.eq_ignore_ascii_case("transfer-encoding: chunked");
        }
        if is_chunked {
            // A CLI that breaks off has sent nothing.
            let Some(body) = chunked(&mut from) else {
                return;
            };
            bodies.send(body).unwrap();
        }
        let body = if line.starts_with("HEAD") {
            ""
        } else {
            "{\"stream\":\"ok\\n\"}\n"
        };
        let head = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Type: application/json\r\n";
        let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        if (&mut &*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn line(from: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let count = from.read_line(&mut line).ok()?;
    (count > 0).then(|| line.trim_end().to_owned())
}

fn chunked(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&line(from)?, 16).unwrap();
        let start = body.len();
        body.resize(start + size, 0);
        from.read_exact(&mut body[start..]).ok()?;
        line(from)?;
        if size == 0 {
            return Some(body);
        }
    }
}
