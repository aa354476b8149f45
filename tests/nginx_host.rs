//! The machine's own nginx without systemd: in process and mount namespaces of their own, in which the agent sees an nginx
//! that the test started, and none of the machine's.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::support::agent::Setup;
use crate::support::{Agent, Response};

struct Machine {
    agent: Agent,
    /// What is /etc/nginx there, with the socket that is served.
    directory: tempfile::TempDir,
}

/// Mounts, and then becomes what follows: the directory for /etc/nginx, and whether nginx is started.
const ENTER: &str = "mount --bind \"$1\" /etc/nginx && mount -t tmpfs run /run || exit 1
[ \"$2\" = false ] || nginx || exit 1
shift 2
exec \"$@\"";

/// Answers with `word`; `more` stands at the level of servers.
fn answering(directory: &Path, word: &str, more: &str) -> String {
    let directory = directory.display();
    format!(
        "user root;\nerror_log {directory}/error.log;\npid /run/nginx.pid;\nworker_processes 2;\nevents {{}}\n\
         http {{\naccess_log off;\nserver {{ listen unix:{directory}/socket; return 200 {word}; }}\n{more}\n}}\n"
    )
}

impl Machine {
    /// A machine on which nginx is installed, and perhaps runs.
    fn new(runs: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let text = answering(directory.path(), "one", "");
        std::fs::write(directory.path().join("nginx.conf"), text).unwrap();
        let path = directory.path().to_str().unwrap();
        let namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
        let shell = [
            "sh",
            "-c",
            ENTER,
            "sh",
            path,
            if runs { "true" } else { "false" },
        ];
        let nowhere = directory.path().join("engine.sock");
        let agent = Setup::new()
            .engine(&nowhere)
            .started_by("unshare", &[&namespaces[..], &shell].concat())
            .start();
        Self { agent, directory }
    }

    fn write(&self, word: &str, more: &str) {
        let text = answering(self.directory.path(), word, more);
        std::fs::write(self.directory.path().join("nginx.conf"), text).unwrap();
    }

    /// What nginx answers.
    fn fetch(&self) -> String {
        let mut stream = UnixStream::connect(self.directory.path().join("socket")).unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    fn test(&self) -> Response {
        self.agent.get("/nginx/test")
    }

    fn reload(&self) -> Response {
        self.agent.post_nothing("/nginx/reload")
    }
}

#[test]
fn it_is_tested_and_reloaded_with_its_own_signal() {
    let machine = Machine::new(true);
    let tested = machine.test().expect(200).json();
    assert_eq!(
        (&tested["valid"], &tested["target"]),
        (&true.into(), &"host".into())
    );
    assert!(
        tested["output"]
            .as_str()
            .unwrap()
            .contains("test is successful")
    );
    for word in ["two", "three"] {
        machine.write(word, "");
        let reloaded = machine.reload().expect(200).json();
        assert_eq!(machine.fetch(), word);
        assert_eq!(
            (&reloaded["status"], &reloaded["target"]),
            (&"reloaded".into(), &"host".into())
        );
        assert!(reloaded.get("warnings").is_none(), "{reloaded}");
    }
}

#[test]
fn a_broken_configuration_is_400_and_the_old_one_goes_on() {
    let machine = Machine::new(true);
    machine.write("two", "no_such_directive on;");
    let tested = machine.test().expect(200).json();
    assert_eq!(tested["valid"], false);
    assert!(
        tested["output"]
            .as_str()
            .unwrap()
            .contains("no_such_directive")
    );
    let refused = machine.reload().expect(400).json();
    assert!(
        refused["details"]
            .as_str()
            .unwrap()
            .contains("no_such_directive")
    );
    assert_eq!(machine.fetch(), "one");
}

#[test]
fn a_port_that_another_program_has_is_told_with_the_end_of_the_error_log() {
    let machine = Machine::new(true);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    machine.write("two", &format!("server {{ listen {address}; }}"));
    assert_eq!(machine.test().expect(200).json()["valid"], true);
    let refused = machine.reload().expect(409).json();
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("old configuration"),
        "{refused}"
    );
    let details = refused["details"].as_str().unwrap();
    assert!(
        details.contains(&format!("bind() to {address} failed")),
        "{details}"
    );
    assert_eq!(machine.fetch(), "one");
    drop(taken);
    machine.reload().expect(200);
    assert_eq!(machine.fetch(), "two");
}

#[test]
fn one_that_does_not_run_can_be_tested_and_not_reloaded() {
    let machine = Machine::new(false);
    assert_eq!(machine.test().expect(200).json()["target"], "host");
    let refused = machine.reload().expect(409).json();
    assert!(
        refused["error"].as_str().unwrap().contains("does not run"),
        "{refused}"
    );
    // The test leaves an empty pid file: nobody takes that for a running one.
    machine.reload().expect(409);
}
