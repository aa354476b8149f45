//! The Debian package.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::boot;
use crate::built::{self, run};
use crate::machine::Droplet;

const ENVIRONMENT: &str = "/etc/node-agent/env";
const KEY_FILE: &str = "/etc/node-agent/api-key";

#[test]
fn lintian_finds_no_error() {
    let said = run(Command::new("lintian")
        .args([
            "--fail-on=error",
            "--allow-root",
            "--no-cfg",
            "--tag-display-limit=0",
        ])
        .arg(built::deb()));
    assert!(!said.contains("E: "), "{said}");
    let known = "W: node-agent: no-manual-page [usr/bin/node-agent]";
    for line in said.lines() {
        assert!(line == known, "{said}");
    }
}

#[test]
fn it_is_installed_upgraded_removed_and_purged() {
    let droplet = boot::boot_as("-deb");
    let before = files(&droplet);
    let key = is_installed(&droplet);
    let work = tempfile::tempdir().unwrap();
    keeps_the_settings(&droplet, &key, &work);
    is_removed_and_comes_back(&droplet, &key);
    is_purged(&droplet);
    assert_eq!(before, files(&droplet));
}

/// Copies a package in and gives it to dpkg.
fn install(droplet: &Droplet, package: &Path, options: &[&str]) {
    droplet.copy(package.to_str().unwrap(), "/root/package.deb");
    let command = [&["dpkg"], options, &["--install", "/root/package.deb"]].concat();
    droplet.text(&command);
    droplet.wait_until_ok();
}

/// Installs it on a machine that never had it; the key.
fn is_installed(droplet: &Droplet) -> String {
    let package = built::deb();
    let name = package.file_name().unwrap().to_str().unwrap();
    droplet.copy(package.to_str().unwrap(), &format!("/root/{name}"));
    let steps = built::readme("Debian and Ubuntu");
    let said = droplet.shell(&format!("cd /root\n{steps}\nrm {name}"));
    assert!(said.ends_with(&droplet.text(&["cat", KEY_FILE])), "{said}");
    droplet.wait_until_ok();
    for (property, value) in [("ActiveState", "active"), ("UnitFileState", "enabled")] {
        assert_eq!(droplet.property("node-agent", property), value);
    }
    let stat = |path| droplet.text(&["stat", "--format=%a %U", path]);
    for path in ["/etc/node-agent", "/var/lib/node-agent"] {
        assert_eq!(stat(path), "700 root", "{path}");
    }
    for path in [ENVIRONMENT, KEY_FILE] {
        assert_eq!(stat(path), "600 root", "{path}");
    }
    assert_eq!(droplet.text(&["dpkg", "--verify", "node-agent"]), "");
    let key = droplet.text(&["cat", KEY_FILE]);
    assert!(key.len() == 64 && key.bytes().all(|digit| digit.is_ascii_hexdigit()));
    assert_eq!((status(droplet, &key), status(droplet, "0")), (200, 401));
    key
}

/// What an agent says to somebody with this key.
fn status(droplet: &Droplet, key: &str) -> u16 {
    let headers = [("X-API-Key", key)];
    droplet
        .connect()
        .request("GET", "/containers", &headers, b"")
        .status
}

/// Newer packages, without and with other settings of their own.
fn keeps_the_settings(droplet: &Droplet, key: &str, work: &tempfile::TempDir) {
    let mine = droplet.text(&["cat", ENVIRONMENT]) + "\nNODE_AGENT_WORKERS=8";
    droplet.write(ENVIRONMENT, mine.as_bytes());
    let theirs = "NODE_AGENT_API_KEY_FILE=/etc/node-agent/api-key\nNODE_AGENT_LOG=warn\n";
    // dpkg would ask about the second one, and nobody answers here.
    let steps: [(&str, Option<&str>, &[&str]); 2] = [
        ("99.1", None, &[]),
        (
            "99.2",
            Some(theirs),
            &["--force-confdef", "--force-confold"],
        ),
    ];
    for (version, settings, options) in steps {
        let process = droplet.property("node-agent", "MainPID");
        install(droplet, &newer(work, version, settings), options);
        let format = "--showformat=${Version} ${db:Status-Status}";
        assert_eq!(
            droplet.text(&["dpkg-query", "--show", format, "node-agent"]),
            format!("{version} installed")
        );
        assert_ne!(droplet.property("node-agent", "MainPID"), process);
        assert_eq!(droplet.text(&["cat", ENVIRONMENT]), mine);
        assert_eq!(status(droplet, key), 200);
    }
    assert_eq!(
        droplet.text(&["cat", "/etc/node-agent/env.dpkg-dist"]),
        theirs.trim()
    );
    stays_disabled(droplet, work);
}

/// What an administrator has disabled is not enabled by an upgrade.
fn stays_disabled(droplet: &Droplet, work: &tempfile::TempDir) {
    droplet.text(&["systemctl", "disable", "node-agent"]);
    install(droplet, &newer(work, "99.3", None), &["--force-confold"]);
    assert_eq!(droplet.property("node-agent", "UnitFileState"), "disabled");
    droplet.text(&["systemctl", "enable", "node-agent"]);
}

/// The package under another version, perhaps with other settings.
fn newer(work: &tempfile::TempDir, version: &str, settings: Option<&str>) -> PathBuf {
    let root = work.path().join(version);
    run(Command::new("dpkg-deb")
        .arg("--raw-extract")
        .arg(built::deb())
        .arg(&root));
    let control = root.join("DEBIAN/control");
    let text = std::fs::read_to_string(&control).unwrap();
    let (start, rest) = text.split_once("\nVersion: ").unwrap();
    let (_, end) = rest.split_once('\n').unwrap();
    std::fs::write(&control, format!("{start}\nVersion: {version}\n{end}")).unwrap();
    if let Some(settings) = settings {
        std::fs::write(root.join("etc/node-agent/env"), settings).unwrap();
    }
    let package = work.path().join(format!("{version}.deb"));
    run(Command::new("dpkg-deb")
        .args(["--root-owner-group", "-Zgzip", "--build"])
        .args([&root, &package]));
    package
}

/// Removed, the package leaves what it takes to go on where it was.
fn is_removed_and_comes_back(droplet: &Droplet, key: &str) {
    let crontab = "/etc/cron.d/node-agent";
    let job = json!({ "schedule": "0 2 * * *", "image": Droplet::IMAGE, "command": ["true"] });
    let headers = [("X-API-Key", key), ("Content-Type", "application/json")];
    let body = job.to_string();
    let mut client = droplet.connect();
    client
        .request("POST", "/cron/run-docker", &headers, body.as_bytes())
        .expect(201);
    droplet.text(&["test", "-e", crontab]);

    droplet.text(&["dpkg", "--remove", "node-agent"]);
    assert!(droplet.ping().is_none());
    for gone in [
        crontab,
        "/usr/bin/node-agent",
        "/lib/systemd/system/node-agent.service",
    ] {
        assert!(
            !droplet.run(&["test", "-e", gone]).status.success(),
            "{gone}"
        );
    }
    assert_ne!(droplet.property("node-agent", "UnitFileState"), "enabled");

    install(droplet, built::deb(), &[]);
    assert_eq!(status(droplet, key), 200);
    assert_eq!(droplet.property("node-agent", "UnitFileState"), "enabled");
    droplet.wait_for("the jobs to be back", || {
        droplet.run(&["test", "-e", crontab]).status.success()
    });
}

fn is_purged(droplet: &Droplet) {
    droplet.text(&["dpkg", "--purge", "node-agent"]);
    assert!(droplet.ping().is_none());
    assert!(
        !droplet
            .run(&["dpkg-query", "--show", "node-agent"])
            .status
            .success()
    );
}

/// Everything a package may have left behind, but for the package manager's own records.
fn files(droplet: &Droplet) -> Vec<String> {
    let list = droplet.shell(
        "rm -f /root/package.deb
         find /etc /usr /var/lib /root -xdev -not -path '/var/lib/dpkg/*' -not -path '/var/lib/docker*' \
            -not -path '/var/lib/containerd*' -not -path '/var/lib/systemd/*' | sort",
    );
    list.lines().map(str::to_owned).collect()
}
