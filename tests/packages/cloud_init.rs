//! User data for cloud-init: valid for its own schema, and what it asks for installs the agent.

use std::process::Command;

use serde_json::Value;

use crate::boot;
use crate::built::{self, run, script};
use crate::machine::Droplet;

/// The user data, as a file.
fn user_data(arguments: &[&str]) -> tempfile::NamedTempFile {
    let arguments = [arguments, &[built::tarball().to_str().unwrap()]].concat();
    let text = script("packaging/build-cloud-init.sh", &arguments);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text + "\n").unwrap();
    file
}

#[test]
fn its_schema_takes_all_forms() {
    let url = user_data(&["--url", "https://example.org/a.tar.gz?a=1&b=2"]);
    let embedded = user_data(&["--embed"]);
    let template = built::at("packaging/cloud-init.yaml");
    for path in [url.path(), embedded.path(), &template] {
        let said = run(Command::new("cloud-init")
            .args(["schema", "--config-file"])
            .arg(path));
        assert!(said.contains("Valid"), "{said}");
    }
    let text = std::fs::read_to_string(url.path()).unwrap();
    assert!(
        text.contains("url=\"https://example.org/a.tar.gz?a=1&b=2\"\n"),
        "{text}"
    );
}

/// Does what cloud-init does with it: writes the files, runs the commands.
fn boot_with(droplet: &Droplet, user_data: &tempfile::NamedTempFile) {
    let read = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    // Debian's own: cloud-init brings yaml.
    let json = run(Command::new("/usr/bin/python3")
        .args(["-c", read])
        .arg(user_data.path()));
    let data: Value = serde_json::from_str(&json).unwrap();
    for file in data["write_files"].as_array().unwrap() {
        let field = |name: &str| file[name].as_str().unwrap_or_default();
        droplet.text(&[
            "sh",
            "-ec",
            "mkdir -p \"$(dirname \"$1\")\"",
            "sh",
            field("path"),
        ]);
        let encoded = field("encoding") == "b64";
        let decode: &[&str] = if encoded {
            &["base64", "--decode"]
        } else {
            &["cat"]
        };
        let write = [
            "sh",
            "-ec",
            "to=$1; shift; \"$@\" > \"$to\"",
            "sh",
            field("path"),
        ];
        droplet.feed(&[&write[..], decode].concat(), field("content").as_bytes());
        droplet.text(&["chmod", field("permissions"), field("path")]);
    }
    for command in data["runcmd"].as_array().unwrap() {
        let words: Vec<_> = command
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        droplet.text(&words);
    }
    droplet.wait_until_ok();
}

#[test]
fn it_installs_what_is_embedded_and_what_it_fetches() {
    let droplet = boot::boot_as("-cloud");
    boot_with(&droplet, &user_data(&["--embed"]));
    let stat = |path| droplet.text(&["stat", "--format=%a %U", path]);
    assert_eq!(stat("/etc/node-agent"), "700 root");
    assert_eq!(stat("/etc/node-agent/env"), "600 root");
    assert!(
        !droplet
            .run(&["test", "-e", "/var/lib/node-agent-install"])
            .status
            .success()
    );

    // From a web server, over the agent that is there.
    let process = droplet.property("node-agent", "MainPID");
    droplet.copy(
        built::tarball().to_str().unwrap(),
        "/var/www/html/node-agent.tar.gz",
    );
    boot_with(
        &droplet,
        &user_data(&["--url", "http://127.0.0.1/node-agent.tar.gz"]),
    );
    assert_ne!(droplet.property("node-agent", "MainPID"), process);

    // Something else than what it should be.
    let process = droplet.property("node-agent", "MainPID");
    droplet.shell("echo >> /var/www/html/node-agent.tar.gz");
    let data = user_data(&["--url", "http://127.0.0.1/node-agent.tar.gz"]);
    let result =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| boot_with(&droplet, &data)));
    assert!(result.is_err());
    assert_eq!(droplet.property("node-agent", "MainPID"), process);
}
