//! nginx in containers: an image with the machine's own nginx in it, and containers whose configuration lies in a
//! directory of the test.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::docker::{self, Docker};
use super::dockerd::Dockerd;
use super::eventually;

/// Where nginx is.
pub const NGINX: &str = "/usr/sbin/nginx";

/// An image of nginx and busybox.
pub struct WebImage {
    /// Owner of containers and images that have its label.
    pub docker: Docker,
}

/// A container that runs nginx, on the machine's engine or on one of our own.
pub struct Web<'e> {
    engine: Option<&'e Dockerd>,
    /// What it is called.
    pub name: String,
    configuration: tempfile::TempDir,
}

/// A configuration that answers with `word`, with `more` at the level of servers.
pub fn answering(word: &str, more: &str) -> String {
    format!(
        "user root;\nerror_log stderr;\npid /run/nginx.pid;\nworker_processes 2;\nevents {{}}\n\
         http {{\naccess_log off;\nserver {{ listen 8080; return 200 {word}; }}\n{more}\n}}\n"
    )
}

impl WebImage {
    /// Under a name that does not tell what is in it.
    pub fn new() -> Self {
        let docker = Docker::new();
        let root = tempfile::tempdir().unwrap();
        fill(root.path());
        let mut tar = Command::new("tar")
            .arg("-C")
            .args([root.path().as_os_str(), "-c".as_ref(), ".".as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let label = format!("LABEL {}", docker.label());
        let import = Command::new("docker")
            .args(["import", "--change", &label, "-"])
            .arg(format!("{}-web:1", docker.name))
            .stdin(tar.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(
            tar.wait().unwrap().success() && import.status.success(),
            "{import:?}"
        );
        Self { docker }
    }

    /// What it is called.
    pub fn image(&self) -> String {
        format!("{}-web:1", self.docker.name)
    }

    /// A running container on the machine's engine.
    pub fn run(&self, configuration: &str) -> Web<'static> {
        let name = format!("{}-{}", self.docker.name, unique());
        let (label, image) = (self.docker.label(), self.image());
        Web::start(None, &["--label", &label, &image], name, configuration)
    }
}

impl<'e> Web<'e> {
    /// A running container of `image`, on this engine.
    pub fn run_on(engine: &'e Dockerd, image: &str, name: &str, configuration: &str) -> Self {
        Self::start(Some(engine), &[image], name.to_owned(), configuration)
    }

    /// The flags end with the image.
    fn start(
        engine: Option<&'e Dockerd>,
        flags: &[&str],
        name: String,
        configuration: &str,
    ) -> Self {
        let web = Self {
            engine,
            name,
            configuration: tempfile::tempdir().unwrap(),
        };
        web.write(configuration);
        let mount = format!("{}:/etc/nginx:ro", web.configuration.path().display());
        let run = [
            "run",
            "-d",
            "--network",
            "none",
            "--name",
            &web.name,
            "-v",
            &mount,
        ];
        let command = ["nginx", "-g", "daemon off;"];
        web.docker(&[&run, flags, &command].concat()).unwrap();
        eventually("nginx to answer", || web.fetch().ok());
        web
    }

    /// Changes its configuration.
    pub fn write(&self, configuration: &str) {
        std::fs::write(self.configuration.path().join("nginx.conf"), configuration).unwrap();
    }

    /// What `docker ARGS` says on its engine.
    pub fn docker(&self, args: &[&str]) -> Result<String, String> {
        match self.engine {
            Some(engine) => engine.docker(args),
            None => docker::run(args),
        }
    }

    /// What it answers.
    pub fn fetch(&self) -> Result<String, String> {
        let address = "http://127.0.0.1:8080/";
        self.docker(&["exec", &self.name, "busybox", "wget", "-qO-", address])
    }

    /// The target that the agent names.
    pub fn target(&self) -> String {
        format!("container:{}", self.name)
    }
}

/// nginx with its libraries, and what its start needs.
fn fill(root: &Path) {
    for directory in [
        "bin",
        "etc/nginx",
        "run",
        "tmp",
        "var/lib/nginx",
        "var/log/nginx",
    ] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    std::fs::copy("/bin/busybox", root.join("bin/busybox")).expect("package busybox-static");
    symlink("busybox", root.join("bin/sh")).unwrap();
    std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n").unwrap();
    std::fs::write(root.join("etc/group"), "root:x:0:\n").unwrap();
    let ldd = Command::new("ldd").arg(NGINX).output().unwrap();
    let listed = String::from_utf8(ldd.stdout).unwrap();
    let libraries = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for file in libraries.chain([NGINX]) {
        let place: PathBuf = root.join(file.trim_start_matches('/'));
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::copy(file, place).expect("package nginx-light");
    }
}

fn unique() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_nanos()
}
