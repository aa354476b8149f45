//! A real registry on loopback that wants a name and a password.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use super::docker;

/// Who may use it.
pub const USER: &str = "user";
/// The password, with a colon in it: only the first one separates.
pub const PASSWORD: &str = "pass:word";

/// A running registry.
pub struct Registry {
    child: Child,
    address: SocketAddr,
    directory: tempfile::TempDir,
}

impl Registry {
    /// Starts one and waits until it listens.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let hashed = Command::new("htpasswd")
            .args(["-Bbn", USER, PASSWORD])
            .output()
            .unwrap();
        std::fs::write(path("htpasswd"), hashed.stdout).unwrap();
        // Free a moment ago; the registry cannot tell which port it took by itself.
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let configuration = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"{address}\"}}\nauth: {{htpasswd: {{realm: test, path: {}}}}}\n",
            path("data").display(),
            path("htpasswd").display(),
        );
        std::fs::write(path("config.yml"), configuration).unwrap();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(path("config.yml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("package docker-registry");
        let registry = Self {
            child,
            address,
            directory,
        };
        super::eventually("the registry to listen", || {
            TcpStream::connect(address).ok()
        });
        registry
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The name of `image` in it.
    pub fn reference(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// A directory for the docker CLI in which somebody has logged in here.
    pub fn logged_in(&self) -> String {
        let directory = self.directory.path().join("docker").display().to_string();
        let address = self.address.to_string();
        docker::run(&[
            "--config", &directory, "login", "-u", USER, "-p", PASSWORD, &address,
        ])
        .unwrap();
        directory
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
