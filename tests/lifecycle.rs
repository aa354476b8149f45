//! Start and stop: signals, systemd's words, sockets handed over.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::support::Agent;
use crate::support::agent::Setup;

#[test]
fn sigterm_ends_it_with_code_0_and_refuses_newcomers() {
    let mut agent = Agent::start();
    let mut idle = agent.connect();
    idle.request("GET", "/ping", &[], b"").expect(200);
    agent.signal("TERM");
    assert!(agent.wait().success());
    assert!(idle.is_closed());
    assert!(std::net::TcpStream::connect(agent.address()).is_err());
    agent.wait_for_log("stopped");
}

#[test]
fn who_was_accepted_before_sigterm_is_answered_also_when_the_request_comes_after_it() {
    let mut agent = Agent::start();
    let mut new = agent.connect();
    // Connections are accepted in their order: with this answer the first one is too.
    agent
        .connect()
        .request("GET", "/ping", &[], b"")
        .expect(200);
    agent.signal("TERM");
    agent.wait_for_log("stopping");
    new.request("GET", "/ping", &[], b"").expect(200);
    assert!(agent.wait().success());
}

#[test]
fn systemd_hears_ready_reloading_stopping_and_the_watchdog() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let hear = || {
        let mut buffer = [0; 256];
        let count = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    let mut agent = Setup::new()
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000")
        .start();
    assert!(hear().starts_with("READY=1"));
    assert_eq!(
        (hear(), hear()),
        ("WATCHDOG=1".to_owned(), "WATCHDOG=1".to_owned())
    );
    let hear_other = || loop {
        let heard = hear();
        if heard != "WATCHDOG=1" {
            return heard;
        }
    };
    agent.signal("HUP");
    let reloading = hear_other();
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert!(hear_other().starts_with("READY=1"));
    agent.signal("TERM");
    assert!(hear_other().starts_with("STOPPING=1"));
    assert!(agent.wait().success());
}

/// What systemd-socket-activate does: the listening socket is descriptor 3, `LISTEN_PID` is the program's own.
#[test]
fn a_socket_handed_over_is_served() {
    let state = tempfile::tempdir().unwrap();
    let mut python = std::process::Command::new("python3");
    let hand_over = "import os,sys,socket\n\
        s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(8); print(s.getsockname()[1],flush=True)\n\
        os.dup2(s.fileno(),3); os.set_inheritable(3,True); os.environ.update(LISTEN_PID=str(os.getpid()),LISTEN_FDS='1')\n\
        os.execv(sys.argv[1],[sys.argv[1],'serve'])";
    let mut child = python
        .args(["-c", hand_over, env!("CARGO_BIN_EXE_node-agent")])
        .env("DO_TOKEN", "t")
        .env("NODE_AGENT_STATE_DIR", state.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(child.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    let address = format!("127.0.0.1:{}", line.trim()).parse().unwrap();
    crate::support::Client::connect(address)
        .request("GET", "/ping", &[], b"")
        .expect(200);
    crate::support::process::signal(child.id(), "TERM");
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_a_killed_agent_left_is_removed_and_nothing_else() {
    let state = tempfile::tempdir().unwrap();
    for name in [".node-agent-build-1", ".node-agent-2", "kept", ".hidden"] {
        std::fs::write(state.path().join(name), "x").unwrap();
    }
    std::fs::create_dir(state.path().join(".node-agent-directory")).unwrap();
    let agent = Setup::new()
        .env("NODE_AGENT_STATE_DIR", state.path())
        .start();
    agent.wait_for_log("removed 2 temporary files");
    let mut left: Vec<_> = state
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, [".hidden", ".node-agent-directory", "kept"]);
}
