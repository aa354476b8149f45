//! A real sshd on loopback, with keys of its own for both sides.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::agent::Setup;
use super::eventually;

/// The name under which the client's configuration knows the server.
pub const ALIAS: &str = "the-git-host";

/// A server that lets root in with the client's key, and a directory that stands for root's `.ssh`.
pub struct SshHost {
    child: Child,
    address: SocketAddr,
    place: tempfile::TempDir,
}

impl SshHost {
    /// Starts one.
    pub fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("client")).unwrap();
        // Free a moment ago; sshd cannot tell which port it took by itself.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        make_key(&place.path().join("client/id_ed25519"));
        make_key(&place.path().join("host_key"));
        let port = address.port();
        let alias = format!("Host {ALIAS}\n  HostName 127.0.0.1\n  Port {port}\n");
        std::fs::write(place.path().join("client/config"), alias).unwrap();
        let child = started(place.path(), address);
        let host = Self {
            child,
            address,
            place,
        };
        host.allow();
        host
    }

    /// Lets the client's key in.
    pub fn allow(&self) {
        let key = self.path("client/id_ed25519.pub");
        std::fs::copy(key, self.path("authorized_keys")).unwrap();
    }

    /// Lets nobody in.
    pub fn deny(&self) {
        std::fs::write(self.path("authorized_keys"), "").unwrap();
    }

    /// Becomes another machine at the same address.
    pub fn change_key(&mut self) {
        self.stop();
        std::fs::remove_file(self.path("host_key")).unwrap();
        make_key(&self.path("host_key"));
        self.child = started(self.place.path(), self.address);
    }

    /// An agent whose ssh finds the client's directory as root's.
    pub fn client(&self, setup: Setup) -> Setup {
        let directory = self.path("client");
        setup.in_own_mounts(&format!(
            "mkdir -p -m 700 ~root/.ssh\nmount --bind {} ~root/.ssh",
            directory.display()
        ))
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The hosts that the client remembers.
    pub fn known_hosts(&self) -> usize {
        let known = std::fs::read_to_string(self.path("client/known_hosts"));
        known.unwrap_or_default().lines().count()
    }

    fn path(&self, below: &str) -> PathBuf {
        self.place.path().join(below)
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for SshHost {
    fn drop(&mut self) {
        self.stop();
    }
}

fn make_key(file: &std::path::Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(file)
        .status()
        .unwrap();
    assert!(made.success());
}

fn started(place: &std::path::Path, address: SocketAddr) -> Child {
    let path = |name: &str| place.join(name).display().to_string();
    let configuration = format!(
        "ListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
         UsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n",
        path("host_key"),
        path("authorized_keys"),
    );
    std::fs::write(place.join("sshd_config"), configuration).unwrap();
    // sshd wants it, and a package's own service makes it at the start only.
    std::fs::create_dir_all("/run/sshd").unwrap();
    let child = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f", &path("sshd_config")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("package openssh-server");
    eventually("sshd to listen", || TcpStream::connect(address).ok());
    child
}
