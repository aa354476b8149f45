//! A state directory that becomes read-only or full while the agent runs, or was so at its start: `/ping` says it, what
//! needs no state goes on, what needs some changes nothing, and all of it works when the disk does again.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::agent::{Agent, Setup};
use crate::support::docker::Docker;
use crate::support::tar_builder::Tar;
use crate::support::tmpfs::Tmpfs;
use crate::support::upload::{form, post, saved};
use crate::support::upload_lab::{BYTES, chunk_path};
use crate::support::{Response, eventually};

const MIB: u64 = 1024 * 1024;
const FORM: &str = "multipart/form-data; boundary=XX";

/// A disk for the state, and what is asked for.
struct Lab {
    disk: Tmpfs,
    /// What it loads is the owner's, and goes with it.
    _docker: Docker,
    place: tempfile::TempDir,
    image: Vec<u8>,
}

impl Lab {
    fn new() -> Self {
        let docker = Docker::new();
        let image = form(&[("image_tar", "a.tar", &saved(&[&docker.image()]))]);
        Self {
            disk: Tmpfs::new(16 * MIB),
            _docker: docker,
            place: tempfile::tempdir().unwrap(),
            image,
        }
    }

    fn start(&self) -> Agent {
        let setup = Setup::new().env("NODE_AGENT_STATE_DIR", self.disk.path());
        setup.env("NODE_AGENT_MIN_FREE_BYTES", "65536").start()
    }

    fn make_writable(&self) {
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-o", "remount,rw"]).arg(self.disk.path());
        assert!(mounted.status().unwrap().success());
    }

    /// Each of what needs the state directory.
    fn stateful(&self, agent: &Agent) -> [(&'static str, Response); 3] {
        let target = self.place.path().join("target");
        let to = format!("extract_path={}", target.display());
        let tar = Tar::new().file("file", "content").end();
        let chunk = chunk_path("app", (0, 1), &format!("&{to}"));
        let stream = format!("/upload/tar/stream?{to}");
        [
            ("chunk", post(agent, &chunk, BYTES, &tar)),
            ("stream", post(agent, &stream, "application/x-tar", &tar)),
            ("load", post(agent, "/images/load", FORM, &self.image)),
        ]
    }

    /// What needs none.
    fn others_work(&self, agent: &Agent) {
        agent.get("/containers").expect(200);
        agent.get("/metrics").expect(200);
        agent.get("/cron/jobs").expect(200);
        let file = self.place.path().join("file");
        let body = json!({ "path": file, "content": "content" });
        agent.post("/files/write", &body).expect(200);
        std::fs::remove_file(file).unwrap();
    }

    fn is_not_well(&self, agent: &Agent, status: u16, words: &str) {
        ping_is(agent, 503, "error");
        self.others_work(agent);
        for (what, answer) in self.stateful(agent) {
            assert_eq!(answer.status, status, "{what}: {}", answer.text());
            let error = answer.error();
            let details: Value = answer.json()["details"].clone();
            let told = format!("{error}: {}", details.as_str().unwrap_or_default());
            assert!(told.contains(words), "{what}: {told}");
        }
        assert_eq!(self.place.path().read_dir().unwrap().count(), 0);
    }

    fn is_well(&self, agent: &Agent) {
        ping_is(agent, 200, "ok");
        self.others_work(agent);
        for (what, answer) in self.stateful(agent) {
            assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        }
        assert!(self.place.path().join("target/file").exists());
        std::fs::remove_dir_all(self.place.path().join("target")).unwrap();
        let gone = agent.connect().request(
            "DELETE",
            "/upload/tar/chunked?chunk_id=app",
            &[("X-API-Key", crate::support::agent::KEY)],
            b"",
        );
        gone.expect(200);
    }
}

fn ping_is(agent: &Agent, status: u16, word: &str) {
    eventually(&format!("ping to be {word}"), || {
        let answer = agent.connect().request("GET", "/ping", &[], b"");
        (answer.status == status && answer.json()["status"] == word).then_some(())
    });
}

#[test]
fn one_that_cannot_be_written_is_told_and_forgotten() {
    let lab = Lab::new();
    let agent = lab.start();
    lab.is_well(&agent);
    lab.disk.make_read_only();
    lab.is_not_well(&agent, 500, "Read-only");
    lab.make_writable();
    lab.is_well(&agent);
    // Read-only from the start.
    drop(agent);
    lab.disk.make_read_only();
    let agent = lab.start();
    lab.is_not_well(&agent, 500, "Read-only");
    lab.make_writable();
    lab.is_well(&agent);
}

#[test]
fn one_without_room_is_told_and_forgotten() {
    let lab = Lab::new();
    let agent = lab.start();
    lab.is_well(&agent);
    lab.disk.fill();
    lab.is_not_well(&agent, 507, "");
    lab.disk.empty();
    lab.is_well(&agent);
    drop(agent);
    lab.disk.fill();
    let agent = lab.start();
    lab.is_not_well(&agent, 507, "");
    lab.disk.empty();
    lab.is_well(&agent);
}
