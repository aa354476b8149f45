//! An engine of our own, for what cannot be done to the machine's: another configuration, a restart, a standstill. It
//! has a network namespace of its own, usually without a bridge, so that the machine's `docker0` is left alone;
//! containers run with the network `none`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::tmpfs::Tmpfs;
use super::{eventually, process};

/// A running `dockerd` with its own containerd, images and containers.
pub struct Dockerd {
    directory: tempfile::TempDir,
    /// Its data, when they are on a disk of their own.
    disk: Option<Tmpfs>,
    /// Whether it has a bridge, in its own namespace.
    is_bridged: bool,
    daemon: Option<Child>,
}

impl Dockerd {
    /// Starts one with this `daemon.json`, and waits until it answers.
    pub fn start(configuration: &Value) -> Self {
        Self::start_on(None, configuration)
    }

    /// The same with its data on this disk.
    pub fn start_on(disk: Option<Tmpfs>, configuration: &Value) -> Self {
        Self::make(disk, false, configuration)
    }

    /// One with a bridge, which its BuildKit needs for every step.
    pub fn start_bridged() -> Self {
        Self::make(None, true, &serde_json::json!({}))
    }

    fn make(disk: Option<Tmpfs>, is_bridged: bool, configuration: &Value) -> Self {
        let mut dockerd = Self {
            directory: tempfile::tempdir().unwrap(),
            disk,
            is_bridged,
            daemon: None,
        };
        dockerd.start_again(configuration);
        dockerd
    }

    /// Where its images are.
    pub fn data(&self) -> PathBuf {
        match &self.disk {
            Some(disk) => disk.path().join("data"),
            None => self.directory.path().join("data"),
        }
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("engine.sock")
    }

    /// Starts it after a stop, with what it had and another configuration.
    pub fn start_again(&mut self, configuration: &Value) {
        let path = |name: &str| self.directory.path().join(name);
        std::fs::write(path("daemon.json"), configuration.to_string()).unwrap();
        let log = std::fs::File::create(path("log")).unwrap();
        let socket = format!("unix://{}", self.socket().display());
        let daemon = Command::new("unshare")
            .args(["--net", "--mount", "dockerd"])
            .args((!self.is_bridged).then_some("--bridge=none"))
            .args([
                "--iptables=false",
                "--storage-driver=vfs",
                "--host",
                &socket,
            ])
            .args([
                option("config-file", &path("daemon.json")),
                option("pidfile", &path("pid")),
            ])
            .args([
                option("data-root", &self.data()),
                option("exec-root", &path("exec")),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.daemon = Some(daemon);
        eventually("our engine to answer", || {
            let log = std::fs::read_to_string(path("log")).unwrap_or_default();
            assert!(!log.contains("failed to start daemon"), "{log}");
            self.docker(&["version"]).ok()
        });
    }

    /// What `docker ARGS` says on it, or its complaint.
    pub fn docker(&self, args: &[&str]) -> Result<String, String> {
        let socket = format!("unix://{}", self.socket().display());
        super::docker::run(&[&["--host", &socket], args].concat())
    }

    /// Copies an image of the machine's engine.
    pub fn take_image(&self, image: &str) {
        let mut save = Command::new("docker")
            .args(["save", image])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let load = Command::new("docker")
            .args([
                "--host",
                &format!("unix://{}", self.socket().display()),
                "load",
                "--quiet",
            ])
            .stdin(save.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(
            save.wait().unwrap().success() && load.status.success(),
            "{load:?}"
        );
    }

    /// Makes it stand still: it is there, its socket takes connections, nothing answers. Waits until its last thread
    /// does.
    pub fn freeze(&self) {
        let pid = self.daemon.as_ref().unwrap().id();
        process::signal(pid, "STOP");
        let tasks = format!("/proc/{pid}/task");
        eventually("all threads of our engine to stand still", || {
            let is_still = |task: std::io::Result<std::fs::DirEntry>| {
                let status = std::fs::read_to_string(task.unwrap().path().join("status"));
                status.is_ok_and(|status| status.contains("State:\tT"))
            };
            std::fs::read_dir(&tasks)
                .unwrap()
                .all(is_still)
                .then_some(())
        });
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        process::signal(self.daemon.as_ref().unwrap().id(), "CONT");
    }

    /// Takes a program of the machine away from it.
    pub fn hide(&self, program: &str) {
        let pid = self.daemon.as_ref().unwrap().id().to_string();
        let mounted = Command::new("nsenter")
            .args(["--target", &pid, "--mount", "mount", "--bind", "/dev/null"])
            .arg(program)
            .status()
            .unwrap();
        assert!(mounted.success(), "{program}");
    }

    /// Ends it at once, as a crash does, and what runs in it.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
        // Its containerd would go on; and where nobody collects it, its pid file would look as if it did.
        let containerd = self.directory.path().join("exec/containerd/containerd.pid");
        if let Ok(pid) = std::fs::read_to_string(&containerd) {
            process::signal(pid.trim().parse().unwrap(), "KILL");
            std::fs::remove_file(&containerd).unwrap();
        }
        self.end_containers();
    }

    /// Ends containers that outlived their engine: those of build steps are known to nobody then. The shim of each has
    /// our path in its command line.
    fn end_containers(&self) {
        let address = self
            .directory
            .path()
            .join("exec/containerd/containerd.sock");
        for (shim, _) in process::command_lines(&format!("-address {}", address.display())) {
            for process in process::children(shim).into_iter().chain([shim]) {
                // It may just have ended.
                let _ = Command::new("kill")
                    .args(["-KILL", &process.to_string()])
                    .output();
            }
        }
    }

    /// Ends it in order; what runs in it ends too.
    pub fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            process::signal(daemon.id(), "TERM");
            daemon.wait().unwrap();
        }
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        if self.daemon.is_some() {
            // It may stand still.
            self.thaw();
            let listed = self.docker(&["ps", "-aq"]).unwrap_or_default();
            let ids: Vec<_> = listed.lines().collect();
            if !ids.is_empty() {
                let _ = self.docker(&[&["rm", "-fv"], ids.as_slice()].concat());
            }
            self.stop();
        }
    }
}

fn option(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}
