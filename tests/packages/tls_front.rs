//! nginx with TLS before the agent: everything passes as it comes, in both directions.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::built::run;
use crate::machine::Droplet;
use crate::site::{Site, site};
use crate::support::Over;
use crate::support::agent::KEY;

const PORT: u16 = 9443;

/// curl through the front, with the key.
fn curl(site: &Site, path: &str) -> Command {
    let mut command = site.curl(PORT, path);
    command.args(["--header", &format!("X-API-Key: {KEY}")]);
    command
}

#[test]
fn it_passes_the_key_on_and_has_none_of_its_own() {
    let site = site();
    let ping = run(&mut site.curl(PORT, "/ping"));
    assert!(ping.contains(r#""status":"ok""#), "{ping}");
    run(&mut curl(site, "/containers"));
    let without = site.curl(PORT, "/containers").output().unwrap();
    let said = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(!without.status.success() && said.contains("401"), "{said}");
}

#[test]
fn an_upload_is_not_kept_on_the_way() {
    let site = site();
    let droplet = &site.droplet;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut random = std::fs::File::open("/dev/urandom").unwrap().take(100 << 20);
    std::io::copy(&mut random, &mut file).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let buffered = scope.spawn(|| most_in_buffers(droplet, &over));
        let _over = Over(&over);
        run(curl(site, "/files/write?path=/local/front-upload")
            .args(["--header", "Content-Type: application/octet-stream"])
            // Slow enough to be looked at.
            .args(["--limit-rate", "40M", "--request", "POST", "--upload-file"])
            .arg(file.path()));
        over.store(true, Ordering::Relaxed);
        assert_eq!(buffered.join().unwrap(), 0);
    });
    let sum = |said: &str| said.split_whitespace().next().unwrap().to_owned();
    let ours = sum(&run(Command::new("sha256sum").arg(file.path())));
    assert_eq!(
        sum(&droplet.text(&["sha256sum", "/local/front-upload"])),
        ours
    );
    let mut read = curl(site, "/files/read?path=/local/front-upload");
    read.args(["--header", "Accept: application/octet-stream"]);
    let sum_of_it = ["-c", "\"$@\" | sha256sum", "sh"];
    let back = run(Command::new("sh").args(sum_of_it).args(words(&read)));
    assert_eq!(sum(&back), ours);
    droplet.text(&["rm", "/local/front-upload"]);
    let log = droplet.text(&["cat", "/var/log/nginx/error.log"]);
    assert!(!log.contains("buffered to a temporary file"), "{log}");
}

/// A command as words for a shell.
fn words(command: &Command) -> Vec<String> {
    let arguments = command
        .get_args()
        .map(|word| word.to_str().unwrap().to_owned());
    std::iter::once("curl".to_owned())
        .chain(arguments)
        .collect()
}

/// The most bytes that nginx had in files of its own until it is `over`.
fn most_in_buffers(droplet: &Droplet, over: &AtomicBool) -> u64 {
    let mut most = 0;
    while !over.load(Ordering::Relaxed) {
        let size = "find /var/lib/nginx -type f -printf '%s\\n' | awk '{ sum += $1 } END { print sum + 0 }'";
        most = most.max(droplet.shell(size).parse().unwrap());
    }
    most
}

#[test]
fn lines_of_a_followed_log_come_when_they_are_written() {
    let site = site();
    let container = json!({
        "name": "front-follow", "image": Droplet::IMAGE, "pull": "never", "network": "none",
        "command": ["sh", "-c", "while [ ! -e /go ]; do sleep 0.1; done; echo first; while [ ! -e /on ]; do sleep 0.1; done; echo second"],
    });
    site.droplet.post("/containers/run", &container).expect(201);
    let mut following = curl(site, "/containers/front-follow/logs?follow=true")
        .args(["--no-buffer", "--max-time", "60"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    for (file, word) in [("/go", "first"), ("/on", "second")] {
        let begun = Instant::now();
        // What comes before the container ends has not been kept until then.
        site.droplet
            .text(&["docker", "exec", "front-follow", "busybox", "touch", file]);
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(word), "{line}");
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{:?}",
            begun.elapsed()
        );
    }
    assert!(following.wait().unwrap().success());
    site.droplet
        .text(&["docker", "rm", "--force", "front-follow"]);
}

#[test]
fn connections_to_the_agent_are_used_again() {
    let site = site();
    let hundred = format!("https://{}:{PORT}/ping?[1-100]", site.droplet.address.ip());
    // Open ones and those that are remembered for a minute after their end.
    let known = || -> u64 {
        let count = "ss --tcp --all --numeric --no-header 'sport = :9999 or dport = :9999' | wc -l";
        site.droplet.shell(count).parse().unwrap()
    };
    let before = known();
    run(site.curl(PORT, "/ping").arg(hundred));
    let more = known() - before;
    assert!(more < 60, "{more}");
}
