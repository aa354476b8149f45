//! `serve --dev` is for a try: its jobs go with it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use serde_json::json;

use crate::support::cron_lab::CronLab;
use crate::support::{Client, process};

#[test]
fn the_jobs_of_a_try_go_with_it() {
    let lab = CronLab::new();
    let mut child = lab
        .command(env!("CARGO_BIN_EXE_node-agent"), &["serve", "--dev"])
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("NODE_AGENT_BIND", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    // curl -H 'X-API-Key: KEY' http://ADDRESS/containers
    let line = lines.find(|line| line.contains("X-API-Key: ")).unwrap();
    let key = line
        .split(['\'', ' '])
        .find(|word| word.len() == 64)
        .unwrap();
    let address: SocketAddr = line.split('/').nth(2).unwrap().parse().unwrap();
    let body = json!({ "schedule": "0 0 1 1 *", "image": lab.docker.image(), "command": "true" });
    let headers = [("X-API-Key", key), ("Content-Type", "application/json")];
    Client::connect(address)
        .request(
            "POST",
            "/cron/run-docker",
            &headers,
            body.to_string().as_bytes(),
        )
        .expect(201);
    assert!(lab.crontab().contains("cron-run"), "{}", lab.crontab());
    let modified = || lab.path("cron.d").metadata().unwrap().mtime();
    let before = modified();
    process::signal(child.id(), "TERM");
    assert!(child.wait().unwrap().success());
    let left = fs::read_dir(lab.path("cron.d")).unwrap().count();
    assert_eq!(left, 0, "{}", lab.crontab());
    // cron looks at the directory's whole seconds.
    assert!(modified() > before);
}
