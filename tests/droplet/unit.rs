//! The agent as a service of systemd: what it is allowed, what it says, what becomes of mistakes.

use serde_json::json;

use crate::support::agent::KEY;
use crate::support::tar_builder::Tar;
use crate::support::upload_lab::BYTES;
use crate::{Droplet, droplet, droplet_alone};

#[test]
fn it_is_installed_as_the_readme_says() {
    let droplet = droplet();
    let is = |name, value| assert_eq!(droplet.property("node-agent", name), value, "{name}");
    is("ActiveState", "active");
    is("SubState", "running");
    is("UnitFileState", "enabled");
    is("StatusText", "serving");
    let stat = |path| droplet.text(&["stat", "--format=%a %U", path]);
    assert_eq!(stat("/var/lib/node-agent"), "700 root");
    assert_eq!(stat("/etc/node-agent"), "700 root");
    assert_eq!(stat("/etc/node-agent/env"), "600 root");
    assert_eq!(stat("/etc/node-agent/api-key"), "600 root");
    let rules = droplet.text(&["ufw", "status"]);
    let rule =
        |line: &str| line.starts_with("9999/tcp") && line.trim_end().ends_with(&droplet.controller);
    assert!(rules.lines().any(rule), "{rules}");
}

#[test]
fn what_the_environment_file_suggests_exists_and_is_accepted() {
    let droplet = droplet();
    let file = include_str!("../../packaging/node-agent.env");
    let variables: Vec<_> = file
        .lines()
        .map(|line| line.trim_start_matches('#'))
        .filter(|line| line.starts_with("NODE_AGENT_"))
        .collect();
    assert!(variables.len() > 5);
    for variable in &variables {
        let (name, _) = variable.split_once('=').unwrap();
        assert!(
            include_str!("../../README.md").contains(&format!("| `{name}` |")),
            "{name}"
        );
    }
    droplet.shell("printf '%064d' 0 > /etc/node-agent/api-key-previous");
    let command = [&["env"][..], &variables, &["node-agent", "config"]].concat();
    assert!(droplet.text(&command).contains("10.120.0.5"));
}

#[test]
fn a_reload_takes_a_new_key_and_interrupts_nothing() {
    let droplet = droplet_alone();
    let process = droplet.property("node-agent", "MainPID");
    let new = "ab".repeat(32);
    let status = |key: &str| {
        let mut client = droplet.connect();
        client
            .request("GET", "/containers", &[("X-API-Key", key)], b"")
            .status
    };
    assert_eq!((status(KEY), status(&new)), (200, 401));
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| slow_request(&droplet, "reload"));
        wait_until_it_runs(&droplet, "reload");
        droplet.write("/etc/node-agent/api-key", new.as_bytes());
        droplet.text(&["systemctl", "reload", "node-agent"]);
        assert_eq!((status(KEY), status(&new)), (401, 200));
        assert_eq!(slow.join().unwrap(), "done\n");
    });
    assert_eq!(droplet.property("node-agent", "MainPID"), process);
}

#[test]
fn a_stop_lets_running_requests_finish() {
    let droplet = droplet_alone();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| slow_request(&droplet, "stop"));
        wait_until_it_runs(&droplet, "stop");
        droplet.text(&["systemctl", "stop", "node-agent"]);
        assert_eq!(slow.join().unwrap(), "done\n");
    });
    assert!(droplet.ping().is_none());
    assert_eq!(droplet.property("node-agent", "Result"), "success");
    assert_eq!(droplet.property("node-agent", "ExecMainStatus"), "0");
}

/// What a command says in a container of its own, which takes two seconds.
fn slow_request(droplet: &Droplet, name: &str) -> String {
    let container = json!({
        "name": format!("slow-{name}"), "image": Droplet::IMAGE, "pull": "never",
        "command": ["sleep", "1000"],
    });
    droplet.post("/containers/run", &container).expect(201);
    let script = format!("mkdir /runs-{name}; sleep 2; echo done");
    let path = format!("/containers/slow-{name}/exec");
    let answer = droplet
        .post(&path, &json!({ "command": script }))
        .expect(200);
    droplet.text(&["docker", "rm", "--force", &format!("slow-{name}")]);
    answer.json()["output"].as_str().unwrap().to_owned()
}

fn wait_until_it_runs(droplet: &Droplet, name: &str) {
    let (container, made) = (format!("slow-{name}"), format!("/runs-{name}"));
    let look = ["docker", "exec", &container, "busybox", "test", "-d", &made];
    droplet.wait_for("the slow request to run", || {
        droplet.run(&look).status.success()
    });
}

#[test]
fn a_mistake_in_the_configuration_is_seen_and_mended_by_correcting_it() {
    let droplet = droplet_alone();
    droplet.change_unit("RestartSec=100ms");
    let good = droplet.text(&["cat", "/etc/node-agent/env"]);
    let bad = format!("{good}\nNODE_AGENT_WORKERS=many\n");
    droplet.write("/etc/node-agent/env", bad.as_bytes());
    let restart = droplet.run(&["systemctl", "restart", "node-agent"]);
    assert!(!restart.status.success());
    let status = || {
        let command = ["systemctl", "status", "--no-pager", "--full", "node-agent"];
        String::from_utf8(droplet.run(&command).stdout).unwrap()
    };
    droplet.wait_for("the mistake to be shown", || {
        let status = status();
        let shown = |word: &str| status.contains(word);
        ["NODE_AGENT_WORKERS", "many", "auto-restart"]
            .into_iter()
            .all(shown)
    });
    let errors = [
        "journalctl",
        "--no-pager",
        "--priority=err",
        "--unit=node-agent",
        "--output=cat",
    ];
    assert!(
        droplet
            .text(&errors)
            .contains("node-agent: NODE_AGENT_WORKERS")
    );
    // By default systemd gives up after five.
    let tries = || {
        droplet
            .property("node-agent", "NRestarts")
            .parse::<u32>()
            .unwrap()
    };
    droplet.wait_for("many tries", || tries() > 8);
    droplet.write("/etc/node-agent/env", good.as_bytes());
    droplet.wait_until_ok();
}

#[test]
fn a_missing_key_file_is_named() {
    let droplet = droplet_alone();
    droplet.text(&["rm", "/etc/node-agent/api-key"]);
    assert!(
        !droplet
            .run(&["systemctl", "restart", "node-agent"])
            .status
            .success()
    );
    droplet.wait_for("the file to be named", || {
        let said = droplet.journal("node-agent");
        let mut lines = said.lines().filter(|line| line.starts_with("node-agent: "));
        lines.any(|line| line.contains("/etc/node-agent/api-key"))
    });
}

#[test]
fn a_second_agent_on_the_port_says_so_and_the_first_goes_on() {
    let droplet = droplet();
    let variables = [
        "DO_TOKEN=another",
        "NODE_AGENT_STATE_DIR=/root/second-agent",
    ];
    let command = [&["env"][..], &variables, &["node-agent", "serve"]].concat();
    let second = droplet.run(&command);
    assert_eq!(second.status.code(), Some(1));
    let words = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        words.contains("cannot listen on 0.0.0.0:9999: another program does"),
        "{words}"
    );
    droplet.get("/containers").expect(200);
}

#[test]
fn the_key_comes_as_a_credential_too() {
    let droplet = droplet_alone();
    droplet.change_unit("EnvironmentFile=\nLoadCredential=api-key:/root/install/credential");
    let key = "cd".repeat(32);
    droplet.write("/root/install/credential", key.as_bytes());
    droplet.text(&["systemctl", "restart", "node-agent"]);
    let mut client = droplet.connect();
    client
        .request("GET", "/containers", &[("X-API-Key", &key)], b"")
        .expect(200);
}

#[test]
fn the_key_file_alone_is_enough() {
    let droplet = droplet_alone();
    droplet.text(&["rm", "/etc/node-agent/env"]);
    droplet.text(&["systemctl", "restart", "node-agent"]);
    droplet.get("/containers").expect(200);
}

#[test]
fn the_sandbox_leaves_a_shared_directory_what_it_is() {
    let droplet = droplet();
    droplet.shell(
        "mkdir -p /local/shared; chown nobody:www-data /local/shared; chmod 2775 /local/shared",
    );
    let tar = Tar::new().file("file", "new").end();
    let path = "/upload/tar/stream?mode=replace&extract_path=/local/shared";
    droplet.request("POST", path, BYTES, &tar).expect(200);
    let stat = droplet.text(&["stat", "--format=%a %U %G", "/local/shared"]);
    assert_eq!(stat, "2775 nobody www-data");
}

#[test]
fn the_sandbox_is_what_the_readme_says() {
    let droplet = droplet();
    let said = droplet.text(&[
        "systemd-analyze",
        "security",
        "--no-pager",
        "node-agent.service",
    ]);
    let score = said.lines().last().unwrap();
    let (_, score) = score.split_once("node-agent.service: ").unwrap();
    let score = score.split(' ').next().unwrap();
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&format!("exposure level {score}")),
        "{said}"
    );
    // Whatever it finds missing has its reason in the table.
    let missing: Vec<_> = said
        .lines()
        .filter_map(|line| line.strip_prefix('✗'))
        .collect();
    assert!(missing.len() > 10, "{said}");
    for line in missing {
        let directives = line.split_whitespace().next().unwrap();
        for directive in directives.split('/') {
            let name = directive.split('=').next().unwrap();
            let is_told = readme
                .lines()
                .any(|row| row.starts_with("| `") && row.contains(&format!("`{name}=")));
            assert!(is_told, "{name} is not in the README: {said}");
        }
    }
    // Nothing that the unit sets was passed over as unknown.
    let warnings = droplet.text(&[
        "systemd-analyze",
        "verify",
        "/etc/systemd/system/node-agent.service",
    ]);
    assert_eq!(warnings, "");
}
