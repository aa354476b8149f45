//! The static program: what it needs, which is nothing, and what it does with 32 MB of memory.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::built::{program, run};
use crate::support::agent::{KEY, TOKEN};
use crate::support::{Client, docker, eventually};

/// Bytes of memory that the agent gets, and of the file that it is sent: four times as many.
const MEMORY: &str = "32m";
const FILE: u32 = 128 << 20;

/// An entry of a table of an ELF file (elf(5)).
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;

#[test]
fn it_needs_no_interpreter_and_no_library() {
    let (interpreted, needed) = needs(&fs::read(program()).unwrap());
    assert!(!interpreted && needed == 0);
    // Of one that needs both it is seen.
    let (interpreted, needed) = needs(&fs::read("/bin/sh").unwrap());
    assert!(interpreted && needed > 0);
}

/// Whether an ELF file has an interpreter, and how many libraries it asks for.
fn needs(elf: &[u8]) -> (bool, usize) {
    let number = |at: u64, length: usize| {
        let at = usize::try_from(at).unwrap();
        let mut bytes = [0; 8];
        bytes[..length].copy_from_slice(&elf[at..at + length]);
        u64::from_le_bytes(bytes)
    };
    assert_eq!(&elf[..5], b"\x7fELF\x02");
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    let (mut interpreted, mut needed) = (false, 0);
    for entry in (0..count).map(|index| table + index * size) {
        let kind = u32::try_from(number(entry, 4)).unwrap();
        interpreted |= kind == PT_INTERP;
        if kind == PT_DYNAMIC {
            let (start, length) = (number(entry + 8, 8), number(entry + 32, 8));
            needed += (start..start + length)
                .step_by(16)
                .map(|tag| number(tag, 8))
                .take_while(|&tag| tag != DT_NULL)
                .filter(|&tag| tag == DT_NEEDED)
                .count();
        }
    }
    (interpreted, needed)
}

/// A port that is free at the moment.
fn free() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap()
}

fn status(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> u16 {
    let headers = [
        ("X-API-Key", KEY),
        ("Content-Type", "application/octet-stream"),
    ];
    Client::connect(address)
        .request(method, path, &headers, body)
        .status
}

/// What somebody without a key sees, once it serves.
fn ping(address: SocketAddr) -> String {
    let mut client = eventually("the agent to serve", || Client::try_connect(address).ok());
    client.request("GET", "/ping", &[], b"").text()
}

/// A directory with nothing but the program in it.
fn empty_root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    run(Command::new("cp")
        .arg(program())
        .arg(root.path().join("node-agent")));
    root
}

/// Ends it with us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_in(root: &Path, address: SocketAddr) -> Running {
    let child = Command::new("chroot")
        .arg(root)
        .args(["/node-agent", "serve"])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("DO_TOKEN", TOKEN)
        .env("NODE_AGENT_BIND", address.to_string())
        .env("NODE_AGENT_STATE_DIR", "/state")
        .env("NODE_AGENT_ALLOWED_PATHS", "/data")
        .env("NODE_AGENT_MIN_FREE_BYTES", "1")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    Running(child)
}

#[test]
fn it_serves_in_a_root_with_nothing_else_not_even_proc() {
    let (root, address) = (empty_root(), free());
    let _running = start_in(root.path(), address);
    let said = ping(address);
    assert!(said.contains(r#""status":"degraded""#), "{said}");
    fs::create_dir(root.path().join("data")).unwrap();
    let write = "/files/write?path=/data/file";
    assert_eq!(status(address, "POST", write, b"content"), 200);
    assert_eq!(fs::read(root.path().join("data/file")).unwrap(), b"content");
    assert_eq!(status(address, "GET", "/files/list?path=/data", b""), 200);
    assert_eq!(status(address, "GET", "/openapi.json", b""), 200);
}

/// A container of the program alone, with little memory.
struct Small(String);

impl Drop for Small {
    fn drop(&mut self) {
        let _ = docker::run(&["rm", "--force", "--volumes", &self.0]);
        let _ = docker::run(&["image", "rm", "--force", &self.0]);
    }
}

impl Small {
    fn start(address: SocketAddr) -> Self {
        let root = empty_root();
        fs::create_dir(root.path().join("data")).unwrap();
        let small = Self(format!("node-agent-small-{}", std::process::id()));
        let archive = root.path().join("root.tar");
        run(Command::new("tar").current_dir(root.path()).args([
            "-cf",
            "root.tar",
            "node-agent",
            "data",
        ]));
        docker::run(&["import", archive.to_str().unwrap(), &small.0]).unwrap();
        let settings = [
            format!("--env=DO_TOKEN={TOKEN}"),
            format!("--env=NODE_AGENT_BIND={address}"),
            "--env=NODE_AGENT_ALLOWED_PATHS=/data".to_owned(),
            "--env=NODE_AGENT_MIN_FREE_BYTES=1".to_owned(),
            format!("--memory={MEMORY}"),
            format!("--memory-swap={MEMORY}"),
            format!("--name={}", small.0),
        ];
        let mut start = vec!["run", "--detach", "--network=host", "--volume=/data"];
        start.extend(settings.iter().map(String::as_str));
        start.extend([&small.0, "/node-agent", "serve"]);
        docker::run(&start).unwrap();
        small
    }

    fn about(&self, format: &str) -> String {
        docker::run(&["inspect", "--format", format, &self.0]).unwrap()
    }
}

#[test]
fn thirty_two_megabytes_of_memory_are_enough() {
    let address = free();
    let small = Small::start(address);
    ping(address);
    let content: Vec<u8> = (0..FILE / 4).flat_map(u32::to_le_bytes).collect();
    let write = "/files/write?path=/data/file";
    assert_eq!(status(address, "POST", write, &content), 200);
    // An archive of it, unpacked there.
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("member"), &content).unwrap();
    let archive = Command::new("tar")
        .args(["-cz", "-C"])
        .arg(here.path())
        .arg("member")
        .output()
        .unwrap()
        .stdout;
    let headers = [("X-API-Key", KEY), ("Content-Type", "application/gzip")];
    let path = "/upload/tar/stream?extract_path=/data/app";
    let mut client = Client::connect(address);
    client.request("POST", path, &headers, &archive).expect(200);
    for file in ["/data/file", "/data/app/member"] {
        let headers = [("X-API-Key", KEY), ("Accept", "application/octet-stream")];
        let path = format!("/files/read?path={file}");
        let answer = Client::connect(address).request("GET", &path, &headers, b"");
        assert!(answer.body == content, "{file}");
    }
    assert_eq!(status(address, "GET", "/files/list?path=/data", b""), 200);
    assert_eq!(small.about("{{.HostConfig.Memory}}"), "33554432");
    assert_eq!(
        small.about("{{.State.Running}} {{.State.OOMKilled}} {{.RestartCount}}"),
        "true false 0"
    );
}
