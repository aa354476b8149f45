//! `node-agent upgrade` on the droplet: with real programs of other versions, and with some that do not work.

use std::process::Command;

use crate::self_install::{interrupted, picture, refusal};
use crate::{Droplet, droplet_alone};

const OTHER: &str = "/root/install/other";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Takes the program that was replaced away, and whatever an upgrade left in the place of the one under test.
struct Replaced<'d>(&'d Droplet);

impl Drop for Replaced<'_> {
    fn drop(&mut self) {
        self.0.run(&[
            "sh",
            "-c",
            "rm -f /usr/local/bin/node-agent.old
             systemctl stop node-agent
             install -m 755 /root/install/node-agent /usr/local/bin/node-agent",
        ]);
    }
}

/// The program under test, which says that it has this version: of as many characters as its own.
fn of_version(droplet: &Droplet, version: &str) {
    assert_eq!(version.len(), VERSION.len());
    let mut program = std::fs::read(crate::install::binary()).unwrap();
    let places: Vec<_> = memchr_all(&program, VERSION.as_bytes());
    assert!(!places.is_empty());
    for at in places {
        program[at..at + version.len()].copy_from_slice(version.as_bytes());
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &program).unwrap();
    droplet.copy(&file.path().to_string_lossy(), OTHER);
    droplet.text(&["chmod", "755", OTHER]);
}

fn memchr_all(all: &[u8], part: &[u8]) -> Vec<usize> {
    let windows = all.windows(part.len()).enumerate();
    let found = windows.filter(|(_, window)| *window == part);
    found.map(|(at, _)| at).collect()
}

/// A program that says that it is version 9.9.9, and otherwise does `otherwise`, in C.
fn pretender(droplet: &Droplet, otherwise: &str) {
    let directory = tempfile::tempdir().unwrap();
    let (source, program) = (directory.path().join("a.c"), directory.path().join("a"));
    let text = format!(
        "#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n\
         int main(int count, char **words) {{\n\
           if (!strcmp(words[1], \"--version\")) return puts(\"node-agent 9.9.9\") < 0;\n\
           {otherwise}\n}}\n"
    );
    std::fs::write(&source, text).unwrap();
    let made = Command::new("cc")
        .arg("-o")
        .args([&program, &source])
        .status();
    assert!(made.unwrap().success());
    droplet.copy(&program.to_string_lossy(), OTHER);
}

fn version(droplet: &Droplet) -> String {
    let answer = droplet.ping().unwrap();
    answer["version"].as_str().unwrap().to_owned()
}

#[test]
fn to_a_newer_version_and_back() {
    let droplet = droplet_alone();
    let _replaced = Replaced(&droplet);
    of_version(&droplet, "9.9.9");
    let sum = droplet.shell(&format!("sha256sum {OTHER} | cut -c1-64"));
    let said = droplet.text(&["node-agent", "upgrade", OTHER, "--sha256", &sum]);
    assert!(
        said.contains(&format!("{VERSION} was replaced by 9.9.9")),
        "{said}"
    );
    assert_eq!(version(&droplet), "9.9.9");
    let newer = picture(&droplet);
    // The one before was kept; but it is older.
    let old = "/usr/local/bin/node-agent.old";
    let said = refusal(&droplet, &["node-agent", "upgrade", old]);
    assert!(said.contains("is older than 9.9.9"), "{said}");
    let said = refusal(&droplet, &["/root/install/node-agent", "install"]);
    assert!(said.contains("is older than 9.9.9"), "{said}");
    assert_eq!(picture(&droplet), newer);
    droplet.text(&["node-agent", "upgrade", old, "--allow-downgrade"]);
    assert_eq!(version(&droplet), VERSION);
    droplet.get("/containers").expect(200);
}

#[test]
fn what_is_refused_changes_nothing() {
    let droplet = droplet_alone();
    let _replaced = Replaced(&droplet);
    let (before, process) = (picture(&droplet), droplet.property("node-agent", "MainPID"));
    let wrong = "0".repeat(64);
    of_version(&droplet, "9.9.9");
    droplet.shell(&format!(
        "cd /root/install
         head -c 3000 /dev/urandom > noise
         printf '#!/bin/sh\\necho node-agent 9.9.9\\n' > script; chmod 755 script
         head -c 100000 {OTHER} > half
         {{ head -c 18 {OTHER}; printf '\\267\\000'; tail -c +21 {OTHER}; }} > foreign"
    ));
    for (arguments, words) in [
        (&["/nowhere"][..], "/nowhere"),
        (&["/root/install"], "no regular file"),
        (&["/dev/null"], "no regular file"),
        (&["/root/install/noise"], "not even an ELF file"),
        (&["/root/install/script"], "a script"),
        (&["/root/install/foreign"], "one for aarch64"),
        (&["/root/install/half"], "no node-agent"),
        (&["/bin/true"], "no node-agent"),
        (&["/bin/false"], "no node-agent"),
        (&[OTHER, "--sha256", &wrong], "its SHA-256 is"),
    ] {
        let said = refusal(
            &droplet,
            &[&["node-agent", "upgrade"][..], arguments].concat(),
        );
        assert!(said.contains(words), "{said}");
        assert_eq!(picture(&droplet), before, "{arguments:?}");
    }
    assert_eq!(droplet.property("node-agent", "MainPID"), process);
}

/// Takes a filesystem away that is nearly full.
struct Full<'d>(&'d Droplet);

impl Drop for Full<'_> {
    fn drop(&mut self) {
        self.0.run(&["umount", "--lazy", "/usr/local/bin"]);
    }
}

#[test]
fn a_full_disk_changes_nothing() {
    let droplet = droplet_alone();
    let _replaced = Replaced(&droplet);
    of_version(&droplet, "9.9.9");
    let _full = Full(&droplet);
    droplet.shell(
        "cp -a /usr/local/bin/node-agent /root/install/running
         size=$(( $(stat --format=%s /root/install/running) + 300000 ))
         mount -t tmpfs -o mode=755,size=$size tmpfs /usr/local/bin
         cp -a /root/install/running /usr/local/bin/node-agent",
    );
    let (before, process) = (picture(&droplet), droplet.property("node-agent", "MainPID"));
    let said = refusal(&droplet, &["node-agent", "upgrade", OTHER]);
    assert!(said.contains("its disk is full"), "{said}");
    assert_eq!(picture(&droplet), before);
    assert_eq!(droplet.property("node-agent", "MainPID"), process);
}

#[test]
fn one_that_does_not_start_is_replaced_by_the_one_before() {
    let droplet = droplet_alone();
    let _replaced = Replaced(&droplet);
    let before = picture(&droplet);
    pretender(
        &droplet,
        "fputs(\"node-agent: no luck\\n\", stderr); return 1;",
    );
    let said = refusal(&droplet, &["node-agent", "upgrade", OTHER]);
    assert!(
        said.contains("the version before is in its place again") && said.contains("no luck"),
        "{said}"
    );
    assert_eq!(picture(&droplet), before);
    assert_eq!(version(&droplet), VERSION);
}

#[test]
fn one_that_starts_and_does_not_serve_is_replaced_after_twenty_seconds() {
    let droplet = droplet_alone();
    let _replaced = Replaced(&droplet);
    droplet.change_unit("Type=simple");
    let before = picture(&droplet);
    pretender(&droplet, "return sleep(1000);");
    let began = std::time::Instant::now();
    let said = refusal(&droplet, &["node-agent", "upgrade", OTHER]);
    assert!(began.elapsed().as_secs() >= 20);
    assert!(said.contains("20 s") && said.contains("/ping"), "{said}");
    assert_eq!(picture(&droplet), before);
    droplet.wait_until_ok();
    assert_eq!(version(&droplet), VERSION);
}

#[test]
fn ctrl_c_puts_the_one_before_back() {
    let droplet = droplet_alone();
    let _replaced = Replaced(&droplet);
    let before = picture(&droplet);
    pretender(&droplet, "return sleep(1000);");
    let said = interrupted(&droplet, &format!("node-agent upgrade {OTHER}"));
    assert!(said.contains("interrupted"), "{said}");
    assert_eq!(picture(&droplet), before);
    assert_eq!(version(&droplet), VERSION);
}

#[test]
fn a_stopped_service_stays_stopped() {
    let droplet = droplet_alone();
    let _replaced = Replaced(&droplet);
    droplet.text(&["systemctl", "stop", "node-agent"]);
    of_version(&droplet, "9.9.9");
    let said = droplet.text(&["node-agent", "upgrade", OTHER]);
    assert!(said.contains("stopped"), "{said}");
    assert!(droplet.ping().is_none());
    droplet.text(&["systemctl", "start", "node-agent"]);
    assert_eq!(version(&droplet), "9.9.9");
}
