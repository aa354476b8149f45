//! The configurations of Prometheus, as promtool sees them, and Prometheus itself.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::built::at;
use crate::site::{LOGIN, site};
use crate::support::{Client, eventually};

/// What promtool says of a configuration, and whether it takes it.
fn check(directory: &Path, config: &str) -> (bool, String) {
    let file = directory.join("prometheus.yml");
    std::fs::write(&file, config).unwrap();
    let output = Command::new("promtool")
        .args(["check", "config"])
        .arg(&file)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// One of the files, with a directory of ours in the place of the system's.
fn configuration(name: &str, directory: &Path) -> String {
    let text = std::fs::read_to_string(at("packaging").join(name)).unwrap();
    text.replace("/etc/prometheus/", &format!("{}/", directory.display()))
}

#[test]
fn promtool_takes_the_one_with_the_header() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("node-agent.key"), "0").unwrap();
    let config = configuration("prometheus-scrape.yml", directory.path());
    let (taken, said) = check(directory.path(), &config);
    if taken {
        return;
    }
    // Debian 12 and 13 have versions before 2.55: that one field is unknown to them, and all the rest is right.
    assert!(said.contains("field http_headers not found"), "{said}");
    assert_eq!(said.matches("not found").count(), 1, "{said}");
    let (rest, header) = config.split_once("    http_headers:\n").unwrap();
    assert!(
        header.lines().all(|line| line.starts_with("      ")),
        "{header}"
    );
    let (taken, said) = check(directory.path(), rest);
    assert!(taken, "{said}");
}

/// Prometheus, ended with its owner.
struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn prometheus_scrapes_through_the_front() {
    let site = site();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    std::fs::copy(&site.certificate, place.join("node-agent-ca.crt")).unwrap();
    std::fs::write(place.join("node-agent.password"), LOGIN.1).unwrap();
    let ip = site.droplet.address.ip();
    let config = configuration("prometheus-scrape-tls.yml", place)
        .replace("203.0.113.7", &ip.to_string())
        .replace(", \"203.0.113.8:9998\"", "")
        .replace(
            "scrape_interval: 30s",
            "scrape_interval: 1s\n    scrape_timeout: 1s",
        );
    let (taken, said) = check(place, &config);
    assert!(taken, "{said}");
    // Free a moment ago: it takes no 0.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let _prometheus = Prometheus(
        Command::new("prometheus")
            .arg(format!(
                "--config.file={}",
                place.join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                place.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("package prometheus"),
    );
    let query = |what: &str| -> Option<Value> {
        let mut client = Client::try_connect(address).ok()?;
        let path = format!("/api/v1/query?query={what}");
        client
            .try_send(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())
            .ok()?;
        let answer = String::from_utf8(client.rest()).ok()?;
        let json: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
        let value = &json["data"]["result"][0]["value"][1];
        (!value.is_null()).then(|| value.clone())
    };
    eventually("a scrape to succeed", || {
        (query("up")? == "1").then_some(())
    });
    eventually("a figure of the agent", || {
        query("node_agent_containers_complete")
    });
}
