//! Something else than the engine stands where its socket should be: each call has the documented answer in time, and the
//! first one after the engine is back succeeds. The agent is never restarted.

use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::agent::{KEY, Setup};
use crate::support::docker::Docker;
use crate::support::upload::saved;
use crate::support::{Agent, Client, Response, eventually};

/// Where this machine's engine listens.
const ENGINE: &str = "/var/run/docker.sock";
/// What is only read takes no longer than 30 s, with time for a busy machine.
const IN_TIME: Duration = Duration::from_secs(50);

/// Method, path, media type and body.
type Wish = (&'static str, String, &'static str, Vec<u8>);

/// An agent, a place for its engine's socket, and what is asked for.
struct Lab {
    agent: Agent,
    place: tempfile::TempDir,
    docker: Docker,
    container: String,
    archive: Vec<u8>,
    /// What is open and running while all is well.
    rest: (usize, usize),
}

impl Lab {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let docker = Docker::labelled();
        let container = docker
            .create_by_cli(&["--network=none"], &["busybox", "sleep", "1000"])
            .unwrap();
        let archive = saved(&[&docker.image()]);
        let agent = Setup::new().engine(&place.path().join("socket")).start();
        let mut lab = Self {
            agent,
            place,
            docker,
            container,
            archive,
            rest: (0, 0),
        };
        lab.put_right();
        lab.agent.get("/containers").expect(200);
        lab.rest = (lab.agent.descriptors(), lab.agent.threads().len());
        lab
    }

    fn socket(&self) -> PathBuf {
        self.place.path().join("socket")
    }

    /// Nothing is there any more.
    fn clear(&self) {
        let socket = self.socket();
        if socket.is_dir() {
            std::fs::remove_dir(socket).unwrap();
        } else {
            std::fs::remove_file(socket).unwrap();
        }
    }

    fn put_right(&self) {
        symlink(ENGINE, self.socket()).unwrap();
    }

    /// What is only read.
    fn reads(&self) -> Vec<Wish> {
        let container = &self.container;
        let paths = [
            "/containers".to_owned(),
            format!("/containers/{container}/status"),
            format!("/containers/{container}/logs?follow=true"),
            format!("/containers/{container}/health"),
        ];
        let get = |path| ("GET", path, "text/plain", Vec::new());
        paths.into_iter().map(get).collect()
    }

    /// What the engine may take minutes for: a change, an upgrade, its stream, one to it.
    fn works(&self) -> Vec<Wish> {
        let container = &self.container;
        let post = |path: &str, body: serde_json::Value| {
            let body = body.to_string().into_bytes();
            ("POST", path.to_owned(), "application/json", body)
        };
        vec![
            ("GET", "/images/list".to_owned(), "text/plain", Vec::new()),
            post(&format!("/containers/{container}/start"), json!({})),
            post(
                &format!("/containers/{container}/exec"),
                json!({ "command": ["busybox", "true"] }),
            ),
            post(
                "/images/pull",
                json!({ "image": format!("127.0.0.1:9/{}", self.docker.image()) }),
            ),
            (
                "POST",
                "/docker/load/stream".to_owned(),
                "application/x-tar",
                self.archive.clone(),
            ),
        ]
    }

    /// All of it at once.
    fn ask(&self, wishes: Vec<Wish>) -> Vec<(String, Response)> {
        let mut asked = Vec::new();
        for (method, path, kind, body) in wishes {
            let mut client = self.agent.connect();
            client.socket().set_read_timeout(Some(IN_TIME)).unwrap();
            let headers = [("X-API-Key", KEY), ("Content-Type", kind)];
            // The archive may be refused before it is read.
            let _ = client.try_send(&Client::encode(method, &path, &headers, &body));
            asked.push((path, client));
        }
        let answered = asked.into_iter().map(|(path, mut client)| {
            let answer = client.response();
            (path, answer)
        });
        answered.collect()
    }

    /// With something wrong in the engine's place, everything is `status` with `words`; then all is well again.
    fn expect(&self, what: &str, answer: (u16, &str)) {
        self.expect_of([self.reads(), self.works()].concat(), what, answer);
    }

    /// The same of these.
    fn expect_of(&self, wishes: Vec<Wish>, what: &str, (status, words): (u16, &str)) {
        let start = Instant::now();
        for (path, answer) in self.ask(wishes) {
            let text = answer.text();
            assert_eq!(answer.status, status, "{what}: {path}: {text}");
            let error = answer.error();
            assert!(error.contains(words), "{what}: {path}: {error}");
        }
        assert!(start.elapsed() < IN_TIME, "{what}");
        self.expect_degraded(what);
        // What needs no engine is there, and what is known of the machine.
        let metrics = self.agent.get("/metrics").expect(200).json();
        assert!(metrics["system"]["memory"].is_object(), "{what}: {metrics}");
        self.agent
            .get("/files/exists?path=/tmp/none-such")
            .expect(200);
        self.clear();
        self.put_right();
        self.expect_well(what);
    }

    fn expect_degraded(&self, what: &str) {
        eventually(&format!("{what}: ping to be degraded"), || {
            let answer = self.agent.connect().request("GET", "/ping", &[], b"");
            (answer.expect(200).json()["status"] == "degraded").then_some(())
        });
    }

    fn expect_well(&self, what: &str) {
        // The very first call.
        for (path, answer) in self.ask_following() {
            assert_eq!(answer, 200, "{what}: {path}");
        }
        eventually(&format!("{what}: ping to be ok"), || {
            (self.agent.get("/ping").expect(200).json()["status"] == "ok").then_some(())
        });
        eventually(&format!("{what}: descriptors to be free"), || {
            (self.agent.descriptors() <= self.rest.0).then_some(())
        });
        assert_eq!(self.agent.state_files(), Vec::<String>::new(), "{what}");
    }

    fn ask_following(&self) -> Vec<(String, u16)> {
        let paths = [
            "/containers".to_owned(),
            format!("/containers/{}/status", self.container),
            format!("/containers/{}/logs", self.container),
            "/images/list".to_owned(),
        ];
        let ask = |path: String| {
            let status = self.agent.get(&path).status;
            (path, status)
        };
        paths.into_iter().map(ask).collect()
    }
}

/// A server in the engine's place that does `serve` with each connection; it ends with its socket's file.
fn serve(socket: &Path, serve: impl Fn(UnixStream) + Send + Copy + 'static) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
}

/// Takes what is sent until a head is over, so that an answer is not lost to a reset.
fn read_head(stream: &mut UnixStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        seen.push(byte[0]);
    }
}

/// Gives `answer`, and reads the rest of what is sent.
fn answer(mut stream: UnixStream, answer: &[u8]) {
    read_head(&mut stream);
    let _ = stream.write_all(answer);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn what_is_no_socket_is_an_engine_that_is_not_there() {
    let lab = Lab::new();
    let not_there = (503, "cannot be reached");
    lab.clear();
    std::fs::write(lab.socket(), "a file").unwrap();
    lab.expect("a regular file", not_there);
    lab.clear();
    std::fs::create_dir(lab.socket()).unwrap();
    lab.expect("a directory", not_there);
    lab.clear();
    symlink("/dev/null", lab.socket()).unwrap();
    lab.expect("a device", not_there);
    lab.clear();
    symlink("socket", lab.socket()).unwrap();
    lab.expect("a link to itself", not_there);
    lab.clear();
    drop(UnixListener::bind(lab.socket()).unwrap());
    lab.expect("a socket that nobody listens at", not_there);
    lab.clear();
    // `expect` clears.
    symlink("nowhere", lab.socket()).unwrap();
    lab.expect("nothing", not_there);
}

#[test]
fn a_server_that_is_no_engine_is_502_or_503() {
    let lab = Lab::new();
    lab.clear();
    serve(&lab.socket(), drop);
    lab.expect("closes at once", (503, "cannot be reached"));
    lab.clear();
    serve(&lab.socket(), |stream| {
        answer(stream, b"SSH-2.0-OpenSSH_9.2\r\n\r\n");
    });
    lab.expect("another protocol", (502, "answer"));
    lab.clear();
    serve(&lab.socket(), |stream| answer(stream, &vec![0xff; 65536]));
    lab.expect("bytes without an end of line", (502, "answer"));
    lab.clear();
    serve(&lab.socket(), |stream| {
        let web = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>";
        answer(stream, web);
    });
    lab.expect("a web server", (502, "answer"));
}

/// It takes connections, reads, and says nothing.
#[test]
fn a_server_that_never_answers_is_504_in_time() {
    let lab = Lab::new();
    lab.clear();
    serve(&lab.socket(), |mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    lab.expect_of(lab.reads(), "never answers", (504, "did not answer"));
}

/// Its queue of connections is full, and it takes none.
#[test]
fn a_server_that_takes_no_connection_is_504_in_time() {
    let lab = Lab::new();
    lab.clear();
    let script = "use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) and bind(S, pack_sockaddr_un($ARGV[0])) and \
                  listen(S, 0) or die $!; print \"listens\\n\"; close STDOUT; sleep 600";
    let mut server = Command::new("perl")
        .args(["-e", script])
        .arg(lab.socket())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stdout = server.stdout.take().unwrap();
    stdout.read_to_string(&mut said).unwrap();
    // Its queue has one place.
    let first = UnixStream::connect(lab.socket()).unwrap();
    let server = Ended(server);
    lab.expect("takes no connection", (504, "did not answer"));
    drop((first, server));
}

/// A process that ends with its owner.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
