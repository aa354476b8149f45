//! The Ansible role, by ansible-core over ssh, on two droplets.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::boot;
use crate::built::{self, at, run, script};
use crate::machine::Droplet;
use crate::support::agent::KEY;

/// The machines, Ansible, and what it needs to reach them.
struct Fleet {
    machines: Vec<Droplet>,
    directory: tempfile::TempDir,
}

/// What a run said.
struct Play(Output);

impl Fleet {
    fn boot() -> Self {
        script(
            "tests/packages/fetch-ansible.sh",
            &[&ansible().to_string_lossy()],
        );
        let directory = tempfile::tempdir().unwrap();
        let identity = directory.path().join("identity");
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&identity));
        let public = std::fs::read(identity.with_extension("pub")).unwrap();
        let machines: Vec<_> = std::thread::scope(|scope| {
            let booting =
                ["-fleet-a", "-fleet-b"].map(|part| scope.spawn(move || boot::boot_as(part)));
            booting.map(|machine| machine.join().unwrap()).into()
        });
        let mut inventory = String::new();
        let mut known = String::new();
        for (name, machine) in ["a", "b"].iter().zip(&machines) {
            machine.shell("install -d -m 700 /root/.ssh; systemctl start ssh");
            machine.write("/root/.ssh/authorized_keys", &public);
            let ip = machine.address.ip();
            let host_key = machine.text(&["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
            writeln!(known, "{ip} {host_key}").unwrap();
            writeln!(inventory, "{name} ansible_host={ip} ansible_user=root ansible_python_interpreter=/usr/bin/python3").unwrap();
        }
        std::fs::write(directory.path().join("inventory.ini"), inventory).unwrap();
        std::fs::write(directory.path().join("known"), known).unwrap();
        Self {
            machines,
            directory,
        }
    }

    /// Runs the example playbook with these variables.
    fn play(&self, variables: &serde_json::Value) -> Play {
        let place = self.directory.path();
        let ssh = format!(
            "-o UserKnownHostsFile={} -o IdentitiesOnly=yes -o ControlMaster=auto -o ControlPersist=20s",
            place.join("known").display()
        );
        let mut variables = variables.clone();
        let program = variables["node_agent_binary"].take();
        let program = program.as_str().unwrap();
        variables
            .as_object_mut()
            .unwrap()
            .remove("node_agent_binary");
        // The README's command, with variables after it.
        let command = built::readme("Ansible").replace("inventory.ini", "\"$INVENTORY\"");
        let output = Command::new("timeout")
            .args([
                "300",
                "sh",
                "-ec",
                &format!("{command} --extra-vars \"$VARIABLES\""),
            ])
            .current_dir(at(""))
            .env("PROGRAM", program)
            .env("INVENTORY", place.join("inventory.ini"))
            .env("VARIABLES", variables.to_string())
            .env(
                "PATH",
                format!(
                    "{}:/usr/sbin:/usr/bin:/sbin:/bin",
                    ansible().join("bin").display()
                ),
            )
            .env("ANSIBLE_PRIVATE_KEY_FILE", place.join("identity"))
            .env("PYTHONPATH", ansible())
            .env("ANSIBLE_HOME", place)
            .env("ANSIBLE_SSH_ARGS", ssh)
            .env("ANSIBLE_PIPELINING", "true")
            .env("ANSIBLE_NOCOLOR", "true")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Play(output)
    }
}

impl Play {
    /// How many tasks changed something on a machine, or `None` when it was not touched.
    fn changed(&self, machine: &str) -> Option<u32> {
        let text = String::from_utf8_lossy(&self.0.stdout).into_owned();
        let (_, recap) = text
            .split_once("PLAY RECAP")
            .unwrap_or_else(|| panic!("{self}"));
        let line = recap
            .lines()
            .find(|line| line.starts_with(&format!("{machine} ")))?;
        let (_, rest) = line.split_once("changed=").unwrap();
        rest.split_whitespace().next().unwrap().parse().ok()
    }

    #[track_caller]
    fn succeeded(self) -> Self {
        assert!(self.0.status.success(), "{self}");
        self
    }

    #[track_caller]
    fn failed(self) -> Self {
        assert!(!self.0.status.success(), "{self}");
        self
    }
}

impl std::fmt::Display for Play {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0.stdout))?;
        f.write_str(&String::from_utf8_lossy(&self.0.stderr))
    }
}

fn ansible() -> PathBuf {
    at("target/ansible")
}

/// A program in the fleet's directory.
fn program(fleet: &Fleet, name: &str, content: &[u8]) -> PathBuf {
    let path = fleet.directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The same agent with other bytes: nothing reads what stands behind an ELF file's end.
fn another_version(fleet: &Fleet) -> PathBuf {
    let mut bytes = std::fs::read(built::program()).unwrap();
    bytes.push(0);
    program(fleet, "another", &bytes)
}

/// Tells systemd that it is ready, and the role its version, but never answers anybody.
const SILENT: &[u8] = br#"#!/usr/bin/python3
import os, socket, sys, time
if "--version" in sys.argv:
    sys.exit(print("node-agent 99.0.0"))
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
time.sleep(1000)
"#;

fn sum(machine: &Droplet) -> String {
    machine.text(&["sha256sum", "/usr/local/bin/node-agent"])
}

fn variables(binary: &Path) -> serde_json::Value {
    serde_json::json!({ "node_agent_binary": binary, "node_agent_api_key": KEY })
}

#[test]
fn a_fleet_is_installed_upgraded_and_put_back() {
    let fleet = Fleet::boot();
    is_not_installed(&fleet);
    is_installed_once(&fleet);
    a_second_run_changes_nothing_but_finishes_what_broke_off(&fleet);
    is_upgraded(&fleet);
    is_put_back(&fleet);
}

/// A program that never answers, on machines that had none: nothing is left of it.
fn is_not_installed(fleet: &Fleet) {
    let mut variables = variables(&program(fleet, "silent", SILENT));
    variables["node_agent_ping_seconds"] = 2.into();
    fleet.play(&variables).failed();
    let machine = &fleet.machines[0];
    assert_eq!(
        machine.shell("ls /usr/local/bin /etc/node-agent"),
        "/etc/node-agent:\n\n/usr/local/bin:"
    );
    assert_eq!(machine.property("node-agent", "LoadState"), "not-found");
    is_tidy(machine);
}

fn is_installed_once(fleet: &Fleet) {
    let variables = variables(built::program());
    let first = fleet.play(&variables).succeeded();
    assert!(!first.to_string().contains(KEY), "{first}");
    for machine in &fleet.machines {
        machine.wait_until_ok();
        machine.get("/containers").expect(200);
        assert_eq!(machine.property("node-agent", "UnitFileState"), "enabled");
        let modes = machine.shell("stat --format=%a /etc/node-agent /etc/node-agent/*");
        assert_eq!(modes, "700\n600\n600");
    }
}

/// The second machine has the new files, but the old agent, and the copies of what was there: Ansible lost it before the
/// restart. The first one has nothing to be done.
fn a_second_run_changes_nothing_but_finishes_what_broke_off(fleet: &Fleet) {
    let [first, second] = &fleet.machines[..] else {
        unreachable!("there are two");
    };
    second.shell("install -d -m 700 /var/lib/node-agent-before");
    let process = |machine: &Droplet| machine.property("node-agent", "MainPID");
    let before = (process(first), process(second));
    let play = fleet.play(&variables(built::program())).succeeded();
    assert_eq!(play.changed("a"), Some(0), "{play}");
    second.wait_until_ok();
    assert_eq!(process(first), before.0);
    assert_ne!(process(second), before.1);
    is_tidy(second);
}

/// Nothing is left of what the role keeps while it is at work.
fn is_tidy(machine: &Droplet) {
    let left = machine.shell("find /var/lib -maxdepth 1 -name 'node-agent-*'");
    assert_eq!(left, "");
}

fn is_upgraded(fleet: &Fleet) {
    let before = sum(&fleet.machines[0]);
    let mut variables = variables(&another_version(fleet));
    variables["node_agent_settings"] = serde_json::json!({ "NODE_AGENT_WORKERS": 8 });
    fleet.play(&variables).succeeded();
    for machine in &fleet.machines {
        machine.wait_until_ok();
        assert_ne!(sum(machine), before);
        assert!(
            machine
                .text(&["cat", "/etc/node-agent/env"])
                .ends_with("NODE_AGENT_WORKERS=8")
        );
        is_tidy(machine);
    }
}

/// A version that does not answer: the first machine has its old one again, the second one never lost it.
fn is_put_back(fleet: &Fleet) {
    let before = sum(&fleet.machines[0]);
    let process = fleet.machines[1].property("node-agent", "MainPID");
    let mut variables = variables(&program(fleet, "silent", SILENT));
    variables["node_agent_ping_seconds"] = 3.into();
    let play = fleet.play(&variables).failed();
    assert!(
        play.to_string().contains("what was there before is back"),
        "{play}"
    );
    assert_eq!(play.changed("b"), None, "{play}");
    for machine in &fleet.machines {
        machine.wait_until_ok();
        machine.get("/containers").expect(200);
        assert_eq!(sum(machine), before);
        assert!(
            machine
                .text(&["cat", "/etc/node-agent/env"])
                .ends_with("NODE_AGENT_WORKERS=8")
        );
    }
    assert_eq!(fleet.machines[1].property("node-agent", "MainPID"), process);
}
