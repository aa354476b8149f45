//! Real git servers on loopback: `git http-backend` behind a small HTTP server, and `git daemon`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::eventually;
use super::peer::Peer;

/// Who may read what is below `/private/`.
pub const USER: &str = "user";
/// The password, with what has to be encoded in an address.
pub const PASSWORD: &str = "s3cret/p@ss:w%rd";
/// The same, encoded.
pub const ENCODED_PASSWORD: &str = "s3cret%2Fp%40ss%3Aw%25rd";
/// The name without a password that may read what is below `/token/`.
pub const TOKEN: &str = "t0ken-in-place-of-a-name";

/// A server for the repositories of a directory. What a path begins with says how it is served: `/open/`, `/private/`
/// (Basic, [`USER`]), `/token/`, `/slow/` (the same, and the pack not before [`GitHost::release`]), `/moved/` (a redirect to the
/// same below `/private/` at [`GitHost::elsewhere`]), `/forbidden/` (403) and `/broken/` (503).
pub struct GitHost {
    peer: Peer,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    root: PathBuf,
    elsewhere: Mutex<Option<SocketAddr>>,
    is_released: AtomicBool,
    seen: Mutex<Vec<Seen>>,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    /// The value of `Authorization`.
    pub authorization: Option<String>,
}

struct Asked {
    seen: Seen,
    query: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl GitHost {
    /// Serves the repositories in `root`.
    pub fn start(root: &Path) -> Self {
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            ..Shared::default()
        });
        let serving = Arc::clone(&shared);
        let peer = Peer::start(move |stream| serving.serve(&stream));
        Self { peer, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.peer.address()
    }

    /// The address of a repository.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address())
    }

    /// The same with credentials in it.
    pub fn url_with(&self, credentials: &str, path: &str) -> String {
        format!("http://{credentials}@{}/{path}", self.address())
    }

    /// Where `/moved/` leads.
    pub fn elsewhere(&self, address: SocketAddr) {
        *self.shared.elsewhere.lock().unwrap() = Some(address);
    }

    /// Lets `/slow/` go on.
    pub fn release(&self) {
        self.shared.is_released.store(true, Ordering::SeqCst);
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Whether somebody has asked for a pack of `/slow/`.
    pub fn is_slow_asked(&self) -> bool {
        let login = basic(USER, PASSWORD);
        let asked = |seen: &Seen| {
            let is_post = seen.method == "POST" && seen.path.starts_with("/slow/");
            is_post && seen.authorization.as_ref() == Some(&login)
        };
        self.seen().iter().any(asked)
    }

    /// Waits for that.
    pub fn wait_for_slow(&self) {
        eventually("a request for a pack", || {
            self.is_slow_asked().then_some(())
        });
    }
}

impl Drop for GitHost {
    fn drop(&mut self) {
        self.release();
    }
}

impl Shared {
    fn serve(&self, mut stream: &TcpStream) {
        // A look whether anybody is here sends nothing.
        let Some(asked) = read_request(stream) else {
            return;
        };
        self.seen.lock().unwrap().push(asked.seen.clone());
        let answer = self.answer(&asked);
        // Who asked may be gone by now.
        let _ = stream.write_all(&answer);
    }

    fn answer(&self, asked: &Asked) -> Vec<u8> {
        let path = asked.seen.path.trim_start_matches('/');
        let (rule, below) = path.split_once('/').unwrap_or((path, ""));
        let login = asked.seen.authorization.as_deref();
        match rule {
            "private" | "slow" if login != Some(&basic(USER, PASSWORD)) => unauthorized(),
            "token" if login != Some(&basic(TOKEN, "")) => unauthorized(),
            "forbidden" => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "broken" => b"HTTP/1.1 503 Broken\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "moved" => {
                let address = self.elsewhere.lock().unwrap().unwrap();
                let (query, length) = (&asked.query, "Content-Length: 0");
                format!("HTTP/1.1 302 Moved\r\nLocation: http://{address}/private/{below}?{query}\r\n{length}\r\n\r\n")
                    .into_bytes()
            }
            "slow" if asked.seen.method == "POST" => {
                while !self.is_released.load(Ordering::SeqCst) {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                self.backend(below, asked)
            }
            _ => self.backend(below, asked),
        }
    }

    /// What `git http-backend` answers; git-http-backend(1) has the variables.
    fn backend(&self, below: &str, asked: &Asked) -> Vec<u8> {
        let field = |name: &str| {
            let found = asked.fields.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value)
        };
        let mut child = Command::new("git")
            .arg("http-backend")
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("PATH_INFO", format!("/{below}"))
            .env("QUERY_STRING", &asked.query)
            .env("REQUEST_METHOD", &asked.seen.method)
            .env("CONTENT_TYPE", field("content-type"))
            .env("CONTENT_LENGTH", asked.body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", field("content-encoding"))
            .env("GIT_PROTOCOL", field("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It may have enough before the end.
        let _ = child.stdin.take().unwrap().write_all(&asked.body);
        let said = child.wait_with_output().unwrap().stdout;
        let status = said.strip_prefix(b"Status: ").and_then(|rest| {
            let end = rest.iter().position(|byte| *byte == b'\r')?;
            Some([b"HTTP/1.1 ", &rest[..end], b"\r\n"].concat())
        });
        let status = status.unwrap_or_else(|| b"HTTP/1.1 200 OK\r\n".to_vec());
        [&status[..], b"Connection: close\r\n", &said].concat()
    }
}

fn unauthorized() -> Vec<u8> {
    let head = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"\r\n";
    format!("{head}Content-Length: 0\r\n\r\n").into_bytes()
}

/// The value of `Authorization` for a name and password.
pub fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    let text = format!("{user}:{password}");
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    format!("Basic {encoded}")
}

fn read_request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut fields = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        fields.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    // git sends small requests with their length.
    let length = field("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Asked {
        seen: Seen {
            method,
            path: path.to_owned(),
            authorization: field("authorization"),
        },
        query: query.to_owned(),
        fields,
        body,
    })
}

/// A running `git daemon`.
pub struct GitDaemon {
    child: Child,
    address: SocketAddr,
}

impl GitDaemon {
    /// Serves the repositories in `root`.
    pub fn start(root: &Path) -> Self {
        // Free a moment ago; the daemon cannot tell which port it took by itself.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let place = Command::new("git").arg("--exec-path").output().unwrap();
        let place = String::from_utf8(place.stdout).unwrap();
        // The daemon itself: `git daemon` would leave it behind when it is killed.
        let child = Command::new(Path::new(place.trim()).join("git-daemon"))
            .args(["--listen=127.0.0.1", "--export-all", "--reuseaddr"])
            .arg(format!("--port={}", address.port()))
            .arg(format!("--base-path={}", root.display()))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { child, address };
        eventually("the daemon to listen", || TcpStream::connect(address).ok());
        daemon
    }

    /// The address of a repository.
    pub fn url(&self, path: &str) -> String {
        format!("git://{}/{path}", self.address)
    }
}

impl Drop for GitDaemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
