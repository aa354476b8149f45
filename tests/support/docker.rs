//! The docker CLI and its engine, with an image, containers, volumes and networks of our own that are gone when the
//! owner is dropped, also when a test fails.

use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// The label that all containers of these tests have, with the owner's name as its value.
const LABEL: &str = "node-agent.test";

/// The engine and what was made in it.
pub struct Docker {
    /// Unique to this owner: the image, and the beginning of the volumes' and networks' names.
    pub name: String,
}

impl Docker {
    /// An image of busybox alone.
    pub fn new() -> Self {
        Self::import(0, false)
    }

    /// The same and so many bytes that no compression makes less.
    pub fn with_random(bytes: usize) -> Self {
        Self::import(bytes, false)
    }

    /// An image of busybox alone that has our label, and hands it on to what is built on it.
    pub fn labelled() -> Self {
        Self::import(0, true)
    }

    fn import(bytes: usize, is_labelled: bool) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let name = format!(
            "node-agent-test-{}-{}",
            std::process::id(),
            since.as_nanos()
        );
        let docker = Self { name };
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::copy("/bin/busybox", bin.join("busybox")).expect("package busybox-static");
        symlink("busybox", bin.join("sh")).unwrap();
        if bytes > 0 {
            let mut random = std::fs::File::open("/dev/urandom")
                .unwrap()
                .take(bytes as u64);
            let mut file = std::fs::File::create(root.path().join("random")).unwrap();
            std::io::copy(&mut random, &mut file).unwrap();
        }
        let mut tar = Command::new("tar")
            .arg("-C")
            .args([root.path().as_os_str(), "-c".as_ref(), ".".as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let label = format!("LABEL {}", docker.label());
        let changes = ["--change", "CMD [\"sh\"]", "--change", &label];
        let import = Command::new("docker")
            .arg("import")
            .args(&changes[..if is_labelled { 4 } else { 2 }])
            .args(["-", &docker.image()])
            .stdin(tar.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(tar.wait().unwrap().success());
        said(&import).expect("docker import");
        docker
    }

    /// The image.
    pub fn image(&self) -> String {
        format!("{}:1", self.name)
    }

    /// The label, `name=value`.
    pub fn label(&self) -> String {
        format!("{LABEL}={}", self.name)
    }

    /// The id of a container that the CLI makes.
    pub fn create_by_cli(&self, flags: &[&str], command: &[&str]) -> Result<String, String> {
        let (label, image) = (self.label(), self.image());
        let mut args = vec!["create", "--label", &label];
        args.extend(flags);
        args.push(&image);
        args.extend(command);
        run(&args)
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let label = format!("label={}", self.label());
        let name = format!("name={}", self.name);
        sweep(&["ps", "-aq", "--filter", &label], &["rm", "-fv"]);
        sweep(
            &["volume", "ls", "-q", "--filter", &name],
            &["volume", "rm"],
        );
        sweep(
            &["network", "ls", "-q", "--filter", &name],
            &["network", "rm"],
        );
        // What was built on ours. The newest come first, so that nothing is left that another one needs.
        sweep(&["images", "-aq", "--filter", &label], &["rmi", "-f"]);
        let _ = run(&["rmi", &self.image()]);
    }
}

/// What `docker ARGS` says, or its complaint.
pub fn run(args: &[&str]) -> Result<String, String> {
    said(&Command::new("docker").args(args).output().unwrap())
}

/// The id of a container that the engine makes of `body`.
pub fn create_by_engine(body: &Value) -> Result<String, String> {
    let body = body.to_string();
    let mut engine = UnixStream::connect("/var/run/docker.sock").unwrap();
    // HTTP/1.0: the answer ends with the connection.
    let head = format!(
        "POST /v1.41/containers/create HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    engine.write_all(head.as_bytes()).unwrap();
    engine.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    engine.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    if !head.contains(" 201 ") {
        return Err(text.trim().to_owned());
    }
    let answer: Value = serde_json::from_str(text).unwrap();
    Ok(answer["Id"].as_str().unwrap().to_owned())
}

/// The engine's answer to a GET, as JSON.
pub fn engine_get(path: &str) -> Value {
    let mut engine = UnixStream::connect("/var/run/docker.sock").unwrap();
    let head = format!("GET /v1.41{path} HTTP/1.0\r\n\r\n");
    engine.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    engine.read_to_string(&mut answer).unwrap();
    let (_, text) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(text).unwrap()
}

/// What the engine knows of both containers.
pub fn inspect(left: &str, right: &str) -> (Value, Value) {
    let text = run(&["inspect", left, right]).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    (all[0].take(), all[1].take())
}

/// Removes what `list` lists, a line each.
fn sweep(list: &[&str], remove: &[&str]) {
    let listed = run(list).unwrap_or_default();
    let mut args = remove.to_vec();
    args.extend(listed.lines());
    if args.len() > remove.len() {
        let _ = run(&args);
    }
}

fn said(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}
