//! One agent: its process, its key, its state directory, its log.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::http::{Client, Response};

/// The token every test agent has, and the key that goes with it.
pub const TOKEN: &str = "test-token";
/// `printf node-agent: | openssl dgst -sha256 -hmac test-token`
pub const KEY: &str = "e833c59d856101458443de2155708996ae4fa9dfedd711f2574d8d5b278cb6e5";

/// A running agent.
pub struct Agent {
    child: Child,
    address: SocketAddr,
    log: Arc<Log>,
    state: tempfile::TempDir,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

/// The environment of an agent to be started.
pub struct Setup {
    command: Command,
    state: tempfile::TempDir,
}

/// The program under test, with nothing but what it needs in its environment.
pub fn program() -> Command {
    program_at(env!("CARGO_BIN_EXE_node-agent").into())
}

/// Another build of it, likewise.
pub fn program_at(path: std::ffi::OsString) -> Command {
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null());
    command
}

impl Setup {
    /// Loopback, a free port, a directory of its own.
    pub fn new() -> Self {
        Self::of(program())
    }

    /// The same for another build, as [`program_at`] gives it.
    pub fn of(mut command: Command) -> Self {
        let state = tempfile::tempdir().unwrap();
        command
            .arg("serve")
            .env("NODE_AGENT_BIND", "127.0.0.1:0")
            .env("DO_TOKEN", TOKEN)
            .env("NODE_AGENT_STATE_DIR", state.path())
            .env("NODE_AGENT_MIN_FREE_BYTES", "1")
            .env("DOCKER_CONFIG", state.path());
        Self { command, state }
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away.
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Lets it start after `script` in a mount namespace of its own: what that mounts is seen by this agent alone.
    pub fn in_own_mounts(self, script: &str) -> Self {
        let script = format!("{script}\nexec \"$@\"");
        self.started_by("unshare", &["--mount", "--", "sh", "-ec", &script, "sh"])
    }

    /// The engine's socket.
    pub fn engine(self, socket: &Path) -> Self {
        self.env("NODE_AGENT_DOCKER_SOCKET", socket)
    }

    /// Has it started by `program`, which gets its command line behind its own arguments.
    pub fn started_by(mut self, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .stdin(Stdio::null());
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        self.command = command;
        self
    }

    /// An agent on a machine without these programs and not started by systemd, whatever this one is: both are hidden in
    /// a mount namespace of its own.
    pub fn without_programs(self, names: &[&str]) -> Self {
        let script = "
            [ -d /run/systemd ] && mount -t tmpfs none /run/systemd
            for name in $0; do
                for place in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
                    [ -e $place/$name ] && mount --bind /dev/null $place/$name
                done
            done
            exec \"$@\"";
        self.started_by(
            "unshare",
            &["--mount", "sh", "-c", script, &names.join(" ")],
        )
    }

    /// As [`Self::started_by`], all of it in one list.
    pub fn through(self, wrapper: &[String]) -> Self {
        let arguments: Vec<&str> = wrapper[1..].iter().map(String::as_str).collect();
        self.started_by(&wrapper[0], &arguments)
    }

    /// Starts it and waits until it listens.
    pub fn start(mut self) -> Agent {
        let mut child = self
            .command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let log = Arc::new(Log::default());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                sink.lines.lock().unwrap().push(line);
                sink.grown.notify_all();
            }
        });
        let mut agent = Agent {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            log,
            state: self.state,
        };
        let line = agent.wait_for_log("listens on ");
        let text = line.rsplit("listens on ").next().unwrap();
        agent.address = text.trim_matches(|c| c == '"' || c == '}').parse().unwrap();
        agent
    }

    /// Runs it until it ends by itself, which a refused configuration makes it do; its exit code and stderr.
    pub fn fail(mut self) -> (i32, String) {
        let output = self.command.output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }
}

impl Agent {
    /// An agent with the usual setup, on the real engine.
    pub fn start() -> Self {
        Setup::new().start()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection to it.
    pub fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// A GET with the key.
    pub fn get(&self, path: &str) -> Response {
        self.connect()
            .request("GET", path, &[("X-API-Key", KEY)], b"")
    }

    /// A POST with the key and a JSON body.
    pub fn post(&self, path: &str, body: &serde_json::Value) -> Response {
        let headers = [("X-API-Key", KEY), ("Content-Type", "application/json")];
        self.connect()
            .request("POST", path, &headers, body.to_string().as_bytes())
    }

    /// A POST with the key and no body.
    pub fn post_nothing(&self, path: &str) -> Response {
        self.connect()
            .request("POST", path, &[("X-API-Key", KEY)], b"")
    }

    /// A long request whose body never comes to its end: it keeps its worker until then.
    pub fn stalled(&self) -> Client {
        let mut client = self.connect();
        let head = format!(
            "POST /containers/run HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Length: 2\r\n\r\n{{"
        );
        client.send(head.as_bytes());
        client
    }

    /// The first line of the log that contains `text`, waiting for it.
    pub fn wait_for_log(&self, text: &str) -> String {
        let until = Instant::now() + Duration::from_secs(20);
        let mut lines = self.log.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no log line with {text:?} in {lines:#?}");
            lines = self.log.grown.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lines.lock().unwrap().clone()
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        super::process::signal(self.child.id(), name);
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> ExitStatus {
        super::eventually("the agent to end", || self.child.try_wait().unwrap())
    }

    /// Reads a figure of `/proc/<pid>/status`, in its own unit (kB for memory).
    pub fn proc_status(&self, field: &str) -> u64 {
        super::process::status_field(self.child.id(), field)
    }

    /// Its state directory.
    pub fn state_directory(&self) -> &Path {
        self.state.path()
    }

    /// The names of what is in its state directory.
    pub fn state_files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.state_directory()).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect()
    }

    /// The names of its threads.
    pub fn threads(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        // One that ends meanwhile has none.
        let names =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.map(|name| name.trim_end().to_owned()).collect()
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))
            .unwrap()
            .count()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(mut stdout) = self.child.stdout.take() {
            let _ = stdout.read_to_end(&mut Vec::new());
        }
    }
}
