//! An upload during which the agent is killed and started again, three times.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::net::TcpListener;
use std::path::Path;

use crate::support::agent::{Agent, Setup};
use crate::support::eventually;
use crate::support::operator::client_at;
use crate::support::seen::place_in_memory;

/// Bytes of the file, and chunks of 8 MiB that it and the rest of its tar make.
const BYTES: u64 = 200 * 1024 * 1024;
const CHUNKS: usize = 26;

fn start(place: &Path, port: u16) -> Agent {
    Setup::new()
        .engine(Path::new("/nowhere"))
        .env("NODE_AGENT_BIND", format!("127.0.0.1:{port}"))
        .env("NODE_AGENT_STATE_DIR", place.join("state"))
        .env("NODE_AGENT_ALLOWED_PATHS", place.join("root"))
        .start()
}

fn accepted(agent: &Agent) -> usize {
    let log = agent.log();
    log.iter()
        .filter(|line| line.contains("method=POST") && line.contains("status=200"))
        .count()
}

#[test]
fn an_upload_survives_three_restarts_of_the_agent() {
    let place = place_in_memory();
    let path = |name: &str| place.path().join(name);
    for name in ["here", "root"] {
        fs::create_dir(path(name)).unwrap();
    }
    let mut file = BufWriter::new(File::create(path("here/file")).unwrap());
    for number in 0..BYTES / 8 {
        file.write_all(&number.to_le_bytes()).unwrap();
    }
    drop(file);
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut agent = start(place.path(), port);
    let mut command = client_at(agent.address());
    command
        .args(["upload", "--level", "0", "--connections", "2"])
        .arg(path("here"))
        .arg(path("root/there"));
    let mut client = command.spawn().unwrap();
    let mut sent = 0;
    for _ in 0..3 {
        eventually("some chunks", || (accepted(&agent) >= 2).then_some(()));
        agent.signal("KILL");
        agent.wait();
        sent += accepted(&agent);
        assert!(
            client.try_wait().unwrap().is_none(),
            "the upload was over too soon"
        );
        agent = start(place.path(), port);
    }
    assert!(client.wait().unwrap().success());
    sent += accepted(&agent);
    let (left, right) = (
        fs::read(path("here/file")).unwrap(),
        fs::read(path("root/there/file")).unwrap(),
    );
    assert!(left == right, "the file arrived as another one");
    // What was answered was not sent again. Of what was on its way at each kill the log may know nothing, or the client.
    assert!(
        (CHUNKS - 6..=CHUNKS + 6).contains(&sent),
        "{sent} chunks were sent"
    );
    assert_eq!(fs::read_dir(path("root")).unwrap().count(), 1);
}
