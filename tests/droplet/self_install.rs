//! `node-agent install` and `uninstall` on the droplet, from the single file.

use std::time::{Duration, Instant};

use crate::support::agent::{KEY, TOKEN};
use crate::{Droplet, droplet_alone};

/// The program, where somebody has copied it to.
pub const PROGRAM: &str = "/root/install/node-agent";

/// An agent that is removed and installed again and again; in the end it is as the README has it.
pub struct Removed<'d>(&'d Droplet);

impl<'d> Removed<'d> {
    /// Nothing of it is there.
    pub fn from(droplet: &'d Droplet) -> Self {
        droplet.text(&[PROGRAM, "uninstall", "--purge"]);
        Self(droplet)
    }
}

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        // No assertions: the test may have failed already. `restore` does the rest, and has some.
        self.0.run(&[
            "sh",
            "-c",
            "umount /usr/local/bin
             cd /root/install
             ./node-agent uninstall --purge
             mkdir -p /local /app
             install -m 755 node-agent /usr/local/bin/node-agent
             install -d -m 700 /etc/node-agent
             install -m 644 packaging/node-agent.service /etc/systemd/system/node-agent.service
             systemctl daemon-reload
             systemctl enable node-agent",
        ]);
    }
}

/// Everything that an installation may change: names, modes, owners, contents, and the service's state.
pub fn picture(droplet: &Droplet) -> String {
    droplet.shell(
        "for at in /usr/local/bin /etc/node-agent /etc/systemd/system /local /app /srv/roots /var/lib/node-agent; do
             if [ -e $at ]; then find $at -printf '%p %m %u %l\\n' | sort; fi
         done
         find /usr/local/bin /etc/node-agent /etc/systemd/system -type f -exec sha256sum {} + 2>/dev/null | sort
         systemctl is-active node-agent || :
         systemctl is-enabled node-agent 2>/dev/null || :",
    )
}

/// What a command says that fails, in one sentence on stderr alone.
#[track_caller]
pub fn refusal(droplet: &Droplet, command: &[&str]) -> String {
    let output = droplet.run(command);
    assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
    assert_eq!(output.stdout, b"", "{command:?}");
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.starts_with("node-agent: "), "{words}");
    words
}

fn status_with(droplet: &Droplet, key: &str) -> u16 {
    let mut client = droplet.connect();
    client
        .request("GET", "/containers", &[("X-API-Key", key)], b"")
        .status
}

/// Installs it without the debug symbols, which nobody installs; what it says, and how long it took until `/ping` was
/// answered. The quickest of three times: other tests may have the disk.
fn install_timed(droplet: &Droplet) -> (String, Duration) {
    let stripped = tempfile::NamedTempFile::new().unwrap();
    let strip = std::process::Command::new("strip")
        .args([
            "-o".as_ref(),
            stripped.path(),
            crate::install::binary().as_ref(),
        ])
        .status();
    assert!(strip.unwrap().success());
    let program = "/root/install/stripped";
    droplet.copy(&stripped.path().to_string_lossy(), program);
    let once = || {
        // In the droplet: what starts programs in a container takes its time.
        let said = droplet.shell(&format!(
            "chmod 755 {program}
             began=$(date +%s%N)
             {program} install
             curl --silent --fail http://127.0.0.1:9999/ping
             echo; echo \"took $((($(date +%s%N) - began) / 1000000))\""
        ));
        let took = said.lines().find_map(|line| line.strip_prefix("took "));
        let took = Duration::from_millis(took.unwrap().parse().unwrap());
        (said, took)
    };
    let again = || {
        droplet.text(&[program, "uninstall", "--purge"]);
        once()
    };
    [once(), again(), again()]
        .into_iter()
        .min_by_key(|(_, took)| *took)
        .unwrap()
}

#[test]
fn one_command_makes_a_service_within_two_seconds() {
    let droplet = droplet_alone();
    let _removed = Removed::from(&droplet);
    droplet.shell("rmdir /app || :");
    let before = picture(&droplet);
    let foretold = droplet.text(&[PROGRAM, "install", "--dry-run"]);
    assert_eq!(picture(&droplet), before);
    let (said, took) = install_timed(&droplet);
    assert!(took < Duration::from_secs(2), "{took:?}: {said}");
    for line in foretold
        .lines()
        .skip(1)
        .filter(|line| !line.contains("/app"))
    {
        assert!(said.contains(line.trim()), "{line} is not in {said}");
    }
    let is = |name, value| assert_eq!(droplet.property("node-agent", name), value, "{name}");
    is("ActiveState", "active");
    is("UnitFileState", "enabled");
    let stat = |path| droplet.text(&["stat", "--format=%a %U", path]);
    assert_eq!(stat("/usr/local/bin/node-agent"), "755 root");
    assert_eq!(stat("/etc/node-agent"), "700 root");
    assert_eq!(stat("/etc/node-agent/env"), "600 root");
    assert_eq!(stat("/etc/node-agent/api-key"), "600 root");
    assert_eq!(stat("/var/lib/node-agent"), "700 root");
    assert_eq!(stat("/app"), "755 root");
    let key = droplet.text(&["cat", "/etc/node-agent/api-key"]);
    assert!(key.len() == 64 && key != KEY && !said.contains(&key));
    assert!(
        said.contains("/etc/node-agent/api-key") && said.contains("X-API-Key"),
        "{said}"
    );
    assert_eq!(
        (status_with(&droplet, &key), status_with(&droplet, KEY)),
        (200, 401)
    );
}

#[test]
fn again_it_keeps_what_is_there_and_changes_what_is_asked() {
    let droplet = droplet_alone();
    let _removed = Removed::from(&droplet);
    let install = |script: &str| droplet.shell(&format!("cd /root/install; {script}"));
    install("./node-agent install --token-stdin < token-file");
    assert_eq!(status_with(&droplet, KEY), 200);
    assert!(!install("cat /etc/node-agent/api-key").contains(TOKEN));
    install(
        "echo '# mine' >> /etc/node-agent/env; echo NODE_AGENT_WORKERS=8 >> /etc/node-agent/env",
    );
    let process = || droplet.property("node-agent", "MainPID");
    let (before, running) = (picture(&droplet), process());
    let said = install("./node-agent install");
    assert!(said.contains("nothing"), "{said}");
    assert_eq!((picture(&droplet), process()), (before, running.clone()));
    // Another key, port and allowlist; the rest stays.
    let key = "ef".repeat(32);
    install(&format!(
        "(umask 077; echo {key} > new-key)
         ./node-agent install --key-file new-key --bind 127.0.0.1:9998 --allow 127.0.0.1,10.9.0.0/16"
    ));
    assert_ne!(process(), running);
    let settings = install("cat /etc/node-agent/env");
    for line in [
        "# mine",
        "NODE_AGENT_WORKERS=8",
        "NODE_AGENT_BIND=127.0.0.1:9998",
        "NODE_AGENT_ALLOWED_IPS=127.0.0.1/32,10.9.0.0/16",
    ] {
        assert!(
            settings.lines().any(|other| other == line),
            "{line}: {settings}"
        );
    }
    install(&format!(
        "curl --silent --fail -H 'X-API-Key: {key}' http://127.0.0.1:9998/containers"
    ));
    // An allowlist that leaves out this machine itself.
    let said = install("./node-agent install --allow 10.9.0.1");
    assert!(said.contains("not for this machine"), "{said}");
}

#[test]
fn what_is_refused_changes_nothing() {
    let droplet = droplet_alone();
    let _removed = Removed::from(&droplet);
    let key = "ab".repeat(32);
    droplet.shell(&format!(
        "cd /root/install
         rm -f loose no-key
         (umask 022; echo {key} > loose)
         (umask 077; echo hunter2 > no-key)"
    ));
    let before = picture(&droplet);
    for (arguments, words) in [
        (&["--key-file", "/nowhere"][..], "/nowhere"),
        (&["--key-file", "/root/install"], "regular file"),
        (&["--key-file", "/root/install/loose"], "chmod 600"),
        (&["--key-file", "/root/install/no-key"], "64 hexadecimal"),
        (&["--token-stdin"], "empty"),
        (
            &["--bind", "0.0.0.0:80"],
            "another program listens on 0.0.0.0:80",
        ),
        (&["--bind", "192.0.2.1:9999"], "192.0.2.1:9999"),
    ] {
        let said = refusal(&droplet, &[&[PROGRAM, "install"][..], arguments].concat());
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("hunter2") && !said.contains(&key), "{said}");
        assert_eq!(picture(&droplet), before, "{arguments:?}");
    }
}

#[test]
fn a_full_disk_leaves_nothing() {
    let droplet = droplet_alone();
    let _removed = Removed::from(&droplet);
    droplet.shell("mount -t tmpfs -o size=200k tmpfs /usr/local/bin");
    let before = picture(&droplet);
    let said = refusal(&droplet, &[PROGRAM, "install"]);
    assert!(said.contains("its disk is full"), "{said}");
    assert!(
        said.ends_with("Everything is as it was before.\n"),
        "{said}"
    );
    assert_eq!(picture(&droplet), before);
}

#[test]
fn an_agent_that_does_not_start_is_not_left_behind() {
    let droplet = droplet_alone();
    let _removed = Removed::from(&droplet);
    // Valid as far as `install` can see.
    droplet.change_unit("ExecStart=\nExecStart=/usr/local/bin/node-agent serve nothing");
    let before = picture(&droplet);
    let said = refusal(&droplet, &[PROGRAM, "install"]);
    assert!(
        said.contains("did not start") && said.contains("nothing"),
        "{said}"
    );
    assert_eq!(picture(&droplet), before);
}

#[test]
fn ctrl_c_leaves_nothing() {
    let droplet = droplet_alone();
    let _removed = Removed::from(&droplet);
    // It never says that it is ready.
    droplet.change_unit("ExecStart=\nExecStart=/bin/sleep 1000");
    let before = picture(&droplet);
    let output = interrupted(&droplet, &format!("{PROGRAM} install"));
    assert!(output.contains("interrupted"), "{output}");
    assert_eq!(picture(&droplet), before);
}

/// Runs a command that starts the service, and ends it by SIGINT while systemd waits for the service; what it says.
pub fn interrupted(droplet: &Droplet, command: &str) -> String {
    droplet.run(&["rm", "-f", "/root/install/pid"]);
    std::thread::scope(|scope| {
        let script = format!("echo $$ > /root/install/pid; exec {command}");
        let run = scope.spawn(move || droplet.run(&["sh", "-c", &script]));
        droplet.wait_for("the service to be started", || {
            droplet.property("node-agent", "ActiveState") == "activating"
        });
        let began = Instant::now();
        droplet.shell("kill -INT $(cat /root/install/pid)");
        let output = run.join().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(began.elapsed() < Duration::from_secs(20));
        String::from_utf8(output.stderr).unwrap()
    })
}

#[test]
fn each_way_of_the_readme_works() {
    let droplet = droplet_alone();
    let _removed = Removed::from(&droplet);
    let ways = crate::install::readme_block("\n## Install\n");
    assert_eq!(ways.lines().count(), 3, "{ways}");
    droplet.shell(
        "cd /root/install; rm -f api-key; (umask 077; ./node-agent key < token-file > api-key)",
    );
    let (own, controller) = (droplet.address.ip().to_string(), &droplet.controller);
    for way in ways.lines() {
        let way = way
            .replace("10.120.0.7", &own)
            .replace("10.120.0.5", controller);
        let said = droplet.shell(&format!("cd /root/install\n{way}"));
        assert!(said.contains("node-agent doctor"), "{way}: {said}");
        droplet.wait_until_ok();
    }
    assert_eq!(status_with(&droplet, KEY), 200);
    // And what it says about upgrades, with the program that is there already.
    droplet.shell(&format!(
        "cd /root/install
         cp node-agent node-agent-new
         sha256sum node-agent-new > node-agent-new.sha256
         {}
         {}",
        crate::install::readme_block("only the program:\n"),
        crate::install::readme_block("and no others."),
    ));
}

#[test]
fn one_at_a_time() {
    let droplet = droplet_alone();
    let _removed = Removed::from(&droplet);
    let before = picture(&droplet);
    for command in ["install", "uninstall"] {
        let locked = ["flock", "/run/node-agent-install.lock", PROGRAM, command];
        let said = refusal(&droplet, &locked);
        assert!(said.contains("another install"), "{said}");
    }
    assert_eq!(picture(&droplet), before);
}

#[test]
fn uninstalled_twice_and_the_state_stays_until_it_is_purged() {
    let droplet = droplet_alone();
    let _removed = Removed::from(&droplet);
    droplet.text(&[PROGRAM, "install"]);
    let key = droplet.text(&["cat", "/etc/node-agent/api-key"]);
    let said = droplet.text(&["node-agent", "uninstall"]);
    assert!(said.contains("removed /usr/local/bin/node-agent"), "{said}");
    assert!(said.contains("kept /etc/node-agent"), "{said}");
    assert!(droplet.ping().is_none());
    let is_there = |path: &str| droplet.run(&["test", "-e", path]).status.success();
    assert!(
        !is_there("/usr/local/bin/node-agent")
            && !is_there("/etc/systemd/system/node-agent.service")
    );
    let left = "/etc/systemd/system/multi-user.target.wants/node-agent.service";
    assert!(!droplet.run(&["test", "-L", left]).status.success());
    droplet.text(&[PROGRAM, "install"]);
    assert_eq!(droplet.text(&["cat", "/etc/node-agent/api-key"]), key);
    droplet.text(&[PROGRAM, "uninstall", "--purge"]);
    assert!(!is_there("/etc/node-agent") && !is_there("/var/lib/node-agent"));
    assert!(is_there("/local"));
    let said = droplet.text(&[PROGRAM, "uninstall", "--purge"]);
    assert_eq!(said, "node-agent is not installed");
}
