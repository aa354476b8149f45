//! The agent's own resources run out: it says so, and works again when they are back, without a restart.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::agent::{KEY, Setup};
use crate::support::tar_builder::Tar;
use crate::support::{Agent, Client, eventually, process, upload};

/// A pids cgroup (v1 or v2) of its own, removed with its owner.
struct Threads(PathBuf);

impl Threads {
    fn new(name: &str) -> Self {
        let name = format!("node-agent-threads-{}-{name}", std::process::id());
        let roots = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].map(PathBuf::from);
        let root = roots
            .into_iter()
            .find(|root| root.join("cgroup.procs").exists());
        let group = root.expect("cgroups are mounted").join(name);
        std::fs::create_dir(&group).unwrap();
        Self(group)
    }

    /// A script that puts itself there and becomes what its arguments say.
    fn enter(&self) -> String {
        let procs = self.0.join("cgroup.procs");
        format!("echo $$ > {} && exec \"$@\"", procs.display())
    }

    fn count(&self) -> String {
        std::fs::read_to_string(self.0.join("pids.current")).unwrap()
    }

    fn most(&self, most: &str) {
        std::fs::write(self.0.join("pids.max"), most).unwrap();
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Its last process may be just going.
        for _ in 0..100 {
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn no_thread_to_be_had_is_told_and_forgotten() {
    let threads = Threads::new("few");
    let setup = Setup::new().started_by("sh", &["-c", &threads.enter(), "sh"]);
    let agent = setup.start();
    eventually("the engine to be known", || {
        let response = agent.connect().request("GET", "/ping", &[], b"");
        response.text().contains("\"ok\"").then_some(())
    });
    threads.most(threads.count().trim());
    // More at once than there are workers: those who are there do it all.
    let mut crowd: Vec<_> = (0..16).map(|_| agent.connect()).collect();
    for client in &mut crowd {
        client.send(&Client::encode(
            "GET",
            "/containers",
            &[("X-API-Key", KEY)],
            b"",
        ));
    }
    for client in &mut crowd {
        client.response().expect(200);
    }
    // What needs a process of its own cannot be had.
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a.git", host.local_addr().unwrap());
    let clone = serde_json::json!({"url": url, "target_path": "/tmp/none"});
    let refused = agent.post("/git/clone", &clone).expect(503);
    assert!(
        refused.text().contains("`git` could not be started"),
        "{refused:?}"
    );
    assert_eq!(refused.header("retry-after"), Some("5"));
    // Neither can a thread beside.
    let place = tempfile::tempdir().unwrap();
    let target = place.path().join("target");
    let path = format!("/upload/tar/stream?extract_path={}", target.display());
    let refused = upload::post(&agent, &path, "application/x-tar", &tar()).expect(503);
    assert_eq!(refused.header("retry-after"), Some("5"), "{refused:?}");
    assert_eq!(place.path().read_dir().unwrap().count(), 0);
    threads.most("max");
    drop(host);
    // Now it is the host that does not answer.
    agent.post("/git/clone", &clone).expect(502);
    agent.get("/containers").expect(200);
    upload::post(&agent, &path, "application/x-tar", &tar()).expect(200);
    assert_eq!(std::fs::read(target.join("file")).unwrap(), b"content");
}

/// The threads that the agent cannot do without are there, and not one for the work.
#[test]
fn no_worker_at_all_is_told_at_once_and_had_later() {
    let threads = Threads::new("none");
    threads.most("3");
    let setup = Setup::new().started_by("sh", &["-c", &threads.enter(), "sh"]);
    let agent = setup.start();
    assert!(!agent.threads().contains(&"worker".to_owned()));
    agent
        .connect()
        .request("GET", "/ping", &[], b"")
        .expect(200);
    let refused = agent.get("/containers").expect(503);
    assert_eq!(refused.header("retry-after"), Some("1"), "{refused:?}");
    threads.most("max");
    agent.get("/containers").expect(200);
}

/// An archive of one file.
fn tar() -> Vec<u8> {
    Tar::new().file("file", b"content").end()
}

#[test]
fn no_descriptor_to_be_had_is_no_end() {
    const MOST: usize = 64;
    let limit = format!("--nofile={MOST}:{MOST}");
    let agent = Setup::new().started_by("prlimit", &[&limit]).start();
    agent.get("/containers").expect(200);
    let before = agent.descriptors();
    // Connections take all there are, and newcomers take the places of the oldest.
    let crowd: Vec<_> = (0..2 * MOST)
        .map(|_| {
            let mut client = agent.connect();
            client.request("GET", "/ping", &[], b"").expect(200);
            client
        })
        .collect();
    assert!(agent.descriptors() <= MOST);
    let mut other = agent.connect();
    let response = other.request("GET", "/containers", &[("X-API-Key", KEY)], b"");
    assert!(matches!(response.status, 200 | 503), "{response:?}");
    drop((crowd, other));
    eventually("the descriptors to be free", || {
        (agent.descriptors() <= before).then_some(())
    });
    agent.get("/containers").expect(200);
    Client::connect(agent.address())
        .request("GET", "/ping", &[], b"")
        .expect(200);
}

/// Neither a thread nor memory for a buffer can be had, which must not end the agent.
#[test]
fn no_address_space_to_be_had_is_told_and_forgotten() {
    let agent = Agent::start();
    let place = tempfile::tempdir().unwrap();
    let large = place.path().join("large");
    std::fs::write(&large, vec![b'a'; 12 * 1024 * 1024]).unwrap();
    let read = format!("/files/read?path={}", large.display());
    let write =
        json!({ "path": place.path().join("other"), "content": "a".repeat(12 * 1024 * 1024) });
    agent.get("/containers").expect(200);
    let state = agent.state_directory().display().to_string();
    let [id] = process::environments(&state)[..] else {
        panic!("not one agent in {state}");
    };
    let limit = |bytes: &str| {
        let limited = Command::new("prlimit")
            .args(["--pid", &id.to_string(), &format!("--as={bytes}:unlimited")])
            .status();
        assert!(limited.unwrap().success());
    };
    let path = format!(
        "/upload/tar/stream?extract_path={}",
        place.path().join("target").display()
    );
    let part = format!("{read}&length=100000");
    let taken = agent.proc_status("VmSize") * 1024;
    let threads = agent.threads().len();
    // Room for neither a thread nor a few buffers, then for some.
    for (more, fewest) in [(192 * 1024, 0), (8 * 1024 * 1024, 1)] {
        limit(&(taken + more).to_string());
        let mut crowd: Vec<_> = (0..32).map(|_| agent.connect()).collect();
        for client in &mut crowd {
            client.send(&Client::encode("GET", &part, &[("X-API-Key", KEY)], b""));
        }
        let mut done = 0;
        for client in &mut crowd {
            let answer = client.response();
            match answer.status {
                200 => done += 1,
                _ => assert!(answer.header("retry-after").is_some(), "{answer:?}"),
            }
        }
        assert!(done >= fewest, "{done}");
        if fewest == 0 {
            assert_eq!((done, agent.threads().len()), (0, threads));
            let refused = agent.get("/metrics").expect(503);
            assert_eq!(refused.header("retry-after"), Some("5"), "{refused:?}");
            assert!(refused.error().contains("no memory"), "{refused:?}");
            upload::post(&agent, &path, "application/x-tar", &tar()).expect(503);
        }
        agent
            .connect()
            .request("GET", "/ping", &[], b"")
            .expect(200);
    }
    limit("unlimited");
    agent.get(&read).expect(200);
    agent.post("/files/write", &write).expect(200);
    upload::post(&agent, &path, "application/x-tar", &tar()).expect(200);
}
