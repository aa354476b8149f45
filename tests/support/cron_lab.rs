//! A place for cron: `/etc/cron.d`, `/run` and cron's spool are directories of our own, in mount namespaces that the
//! agent, its runs and a real cron share. The machine's own are not touched.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::agent::{Agent, Setup};
use super::docker::{self, Docker};
use super::eventually;

/// What the namespace is made of; the directory is the first argument, the rest is run in it.
const ENTER: &str = r#"set -e
lab=$1; shift
mount --bind "$lab/cron.d" /etc/cron.d
mount --bind "$lab/spool" /var/spool/cron/crontabs
mount --bind "$lab/crontab" /etc/crontab
mount --bind /run/docker.sock "$lab/run/docker.sock"
mount --rbind "$lab/run" /run
if [ -e "$lab/no-cron" ]; then mount --bind /dev/null /usr/sbin/cron; fi
if [ -e "$lab/syslog" ]; then
    mkdir -p "$lab/dev"
    mount -t tmpfs none "$lab/dev"
    for name in null zero urandom; do touch "$lab/dev/$name"; mount --bind "/dev/$name" "$lab/dev/$name"; done
    ln -s "$lab/syslog" "$lab/dev/log"
    mount --rbind "$lab/dev" /dev
fi
exec "$@"
"#;

/// The place, with an image for jobs.
pub struct CronLab {
    directory: tempfile::TempDir,
    pub docker: Docker,
    journal: UnixDatagram,
}

/// A running cron.
pub struct Cron(Child);

impl CronLab {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["cron.d", "spool", "run/systemd/journal", "state"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        for name in ["crontab", "run/docker.sock"] {
            fs::write(path(name), "").unwrap();
        }
        let journal = UnixDatagram::bind(path("run/systemd/journal/socket")).unwrap();
        journal
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        Self {
            docker: Docker::new(),
            journal,
            directory,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The crontab; empty when there is none.
    pub fn crontab(&self) -> String {
        fs::read_to_string(self.path("cron.d/node-agent")).unwrap_or_default()
    }

    /// The file of a job, or what else its name ends with.
    pub fn file(&self, id: &str, ending: &str) -> PathBuf {
        self.path("state/cron").join(format!("{id}.{ending}"))
    }

    /// An agent in the place. Its state outlives it.
    pub fn agent(&self) -> Agent {
        self.setup().start()
    }

    pub fn setup(&self) -> Setup {
        Setup::new()
            .env("NODE_AGENT_STATE_DIR", self.path("state"))
            .env("DOCKER_CONFIG", self.path("state"))
            .through(&Self::enter(self.directory.path()))
    }

    fn enter(directory: &Path) -> [String; 7] {
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            ENTER,
            "enter",
            directory.to_str().unwrap(),
        ]
        .map(str::to_owned)
    }

    /// A command in the place, with the environment that the crontab gives to its jobs.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let enter = Self::enter(self.directory.path());
        let mut command = Command::new(&enter[0]);
        command
            .args(&enter[1..])
            .arg(program)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null());
        let crontab = self.crontab();
        for (name, value) in crontab.lines().filter_map(|line| line.split_once('=')) {
            command.env(name, value.trim_matches('"'));
        }
        command
    }

    /// `node-agent cron-run ID`, as cron starts it.
    pub fn cron_run(&self, id: &str) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_node-agent"), &["cron-run", id]);
        command.env("NODE_AGENT_STATE_DIR", self.path("state"));
        command
    }

    /// Runs it to its end.
    pub fn run(&self, id: &str) -> Output {
        self.cron_run(id).output().unwrap()
    }

    /// Runs it in the background.
    pub fn start_unseen(&self, id: &str) -> Run {
        let mut command = self.cron_run(id);
        Run(command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap())
    }

    /// The same, until its container runs.
    pub fn start(&self, id: &str) -> Run {
        let run = self.start_unseen(id);
        eventually("the job's container to run", || {
            containers(&["--filter", &format!("label=node-agent.cron={id}")])
                .first()
                .cloned()
        });
        run
    }

    /// A job that is due long from now; its id.
    pub fn job(&self, agent: &Agent, command: &Value) -> String {
        self.job_with(agent, &json!({ "command": command }))
    }

    /// The same with these fields.
    pub fn job_with(&self, agent: &Agent, fields: &Value) -> String {
        let mut body =
            json!({ "schedule": "0 0 1 1 *", "image": self.docker.image(), "networks": ["none"] });
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let made = agent.post("/cron/run-docker", &body).expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// What the journal was sent since the last call.
    pub fn journal(&self) -> Vec<String> {
        let mut buffer = vec![0; 64 * 1024];
        let mut entries = Vec::new();
        while let Ok(length) = self.journal.recv(&mut buffer) {
            entries.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        entries
    }

    /// No journal, but syslog; where it arrives.
    pub fn syslog(&self) -> UnixDatagram {
        fs::remove_file(self.path("run/systemd/journal/socket")).unwrap();
        let socket = UnixDatagram::bind(self.path("syslog")).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        socket
    }

    /// Starts a real cron.
    pub fn cron(&self) -> Cron {
        let mut command = self.command("/usr/sbin/cron", &["-f"]);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("cron to note its process id", || {
            let text = fs::read_to_string(self.path("run/crond.pid")).ok()?;
            text.trim()
                .parse::<u32>()
                .ok()
                .filter(|id| *id == child.id())
        });
        Cron(child)
    }
}

/// What the list says of a job.
pub fn state_of(agent: &Agent, id: &str) -> Value {
    let listed = agent.get("/cron/jobs").expect(200).json();
    let jobs = listed["jobs"].as_array().unwrap();
    jobs.iter()
        .find(|job| job["id"] == id)
        .unwrap_or_else(|| panic!("no {id} in {listed}"))
        .clone()
}

/// A script that goes on until the file is there, then ends with 3.
const UNTIL_GONE: &str = "echo begun; until [ -e /data/go ]; do busybox sleep 0.05; done; exit 3";

/// A job that waits for a file, and the directory for it.
pub fn waiting(lab: &CronLab, agent: &Agent) -> (String, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let volume = format!("{}:/data", data.path().display());
    let id = lab.job_with(
        agent,
        &json!({ "command": UNTIL_GONE, "volumes": [volume] }),
    );
    (id, data)
}

/// Lets it end.
pub fn let_go(data: &tempfile::TempDir) {
    fs::write(data.path().join("go"), "").unwrap();
}

/// Running containers.
pub fn containers(filters: &[&str]) -> Vec<String> {
    let listed = docker::run(&[&["ps", "-q"], filters].concat()).unwrap();
    listed.lines().map(str::to_owned).collect()
}

/// All containers of a job, running or not.
pub fn containers_of(id: &str) -> Vec<String> {
    containers(&["-a", "--filter", &format!("label=node-agent.cron={id}")])
}

impl Drop for CronLab {
    fn drop(&mut self) {
        // Jobs' containers have no label of the tests.
        let image = format!("ancestor={}", self.docker.image());
        for container in containers(&["-a", "--filter", &image]) {
            let _ = docker::run(&["rm", "-fv", &container]);
        }
    }
}

/// A run in the background.
pub struct Run(pub Child);

impl Run {
    pub fn signal(&self, name: &str) {
        super::process::signal(self.0.id(), name);
    }

    /// Waits for its end; the exit code, none when a signal killed it.
    pub fn wait(&mut self) -> Option<i32> {
        eventually("the run to end", || self.0.try_wait().unwrap()).code()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Cron {
    /// Waits until it has looked at the crontabs and sleeps until the next minute.
    pub fn wait_for_sleep(&self) {
        eventually("cron to sleep", || {
            let text = fs::read_to_string(format!("/proc/{}/wchan", self.0.id())).unwrap();
            text.contains("nanosleep").then_some(())
        });
    }
}

impl Drop for Cron {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
