//! A droplet at a site without a network: the agent comes as a tarball, nginx with TLS stands before it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use crate::machine::Droplet;
use crate::support::agent::KEY;
use crate::{boot, built};

/// The user and the password of the front of `/metrics`.
pub const LOGIN: (&str, &str) = ("prometheus", "a password");

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let droplet = boot::boot_as("-site");
    install(&droplet);
    front(droplet)
});

/// The droplet and what its clients have.
pub struct Site {
    pub droplet: Droplet,
    /// What the front's certificate is signed by: itself.
    pub certificate: PathBuf,
    /// The directory of it.
    _directory: tempfile::TempDir,
}

/// The site, for tests that leave it as it is.
pub fn site() -> &'static Site {
    &SITE
}

impl Site {
    /// curl for the front on `port`, failing when the answer is an error.
    pub fn curl(&self, port: u16, path: &str) -> Command {
        let mut command = Command::new("curl");
        command
            .args([
                "--silent",
                "--show-error",
                "--fail",
                "--noproxy",
                "*",
                "--cacert",
            ])
            .arg(&self.certificate)
            .arg(format!(
                "https://{}:{port}{path}",
                self.droplet.address.ip()
            ));
        command
    }
}

/// As the README says.
fn install(droplet: &Droplet) {
    let tarball = built::tarball();
    let name = tarball.file_name().unwrap().to_str().unwrap();
    droplet.copy(tarball.to_str().unwrap(), &format!("/root/{name}"));
    let steps = built::readme("Sites without a network");
    let first = droplet.shell(&format!("cd /root\n{steps}"));
    droplet.shell("mv /root/node-agent-*/ /root/unpacked");
    assert!(first.contains("made a key"), "{first}");
    droplet.wait_until_ok();
    // A second time over it: settings and key stay.
    droplet.write("/etc/node-agent/api-key", KEY.as_bytes());
    droplet.shell("echo NODE_AGENT_WORKERS=8 >> /etc/node-agent/env");
    let second = droplet.text(&["/root/unpacked/install.sh"]);
    assert!(!second.contains("made a key"), "{second}");
    droplet.wait_until_ok();
}

/// As the two files say at their beginnings.
fn front(droplet: Droplet) -> Site {
    let ip = droplet.address.ip();
    let (user, password) = LOGIN;
    let packaging = built::at("packaging");
    droplet.copy(packaging.to_str().unwrap(), "/root/packaging");
    droplet.shell("cp /root/packaging/nginx-metrics-front.conf /etc/nginx/conf.d/");
    droplet.shell(&format!(
        "cd /etc/nginx
         openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=droplet \
            -addext subjectAltName=IP:{ip} -keyout node-agent.key -out node-agent.crt 2>/dev/null
         (umask 027; printf '%s:%s\\n' {user} \"$(openssl passwd -6 '{password}')\" > node-agent.htpasswd)
         chgrp www-data node-agent.htpasswd
         (umask 077; printf 'proxy_set_header X-API-Key %s;\\n' \"$(cat /etc/node-agent/api-key)\" > node-agent-key.inc)
         cd /root
         {}",
        built::readme("TLS")
    ));
    let directory = tempfile::tempdir().unwrap();
    let certificate = directory.path().join("ca.crt");
    let text = droplet.text(&["cat", "/etc/nginx/node-agent.crt"]);
    std::fs::write(&certificate, text + "\n").unwrap();
    Site {
        droplet,
        certificate,
        _directory: directory,
    }
}

#[test]
fn the_tarball_installs_and_upgrades_without_a_network() {
    let droplet = &site().droplet;
    droplet.get("/containers").expect(200);
    for (property, value) in [("ActiveState", "active"), ("UnitFileState", "enabled")] {
        assert_eq!(droplet.property("node-agent", property), value);
    }
    let stat = |path| droplet.text(&["stat", "--format=%a %U", path]);
    for path in ["/etc/node-agent/env", "/etc/node-agent/api-key"] {
        assert_eq!(stat(path), "600 root", "{path}");
    }
    let settings = droplet.text(&["cat", "/etc/node-agent/env"]);
    assert!(settings.ends_with("NODE_AGENT_WORKERS=8"), "{settings}");
}

#[test]
fn a_tarball_that_was_damaged_is_not_installed() {
    let droplet = &site().droplet;
    droplet.shell(
        "cp -r /root/unpacked /root/damaged
         printf x | dd of=/root/damaged/node-agent bs=1 seek=1000 conv=notrunc status=none",
    );
    let before = droplet.property("node-agent", "MainPID");
    let output = droplet.run(&["/root/damaged/install.sh"]);
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("node-agent: FAILED"),
        "{output:?}"
    );
    assert_eq!(droplet.property("node-agent", "MainPID"), before);
}
