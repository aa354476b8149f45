//! Images: listed, pulled, brought along, built.

use std::fs;

use crate::support::Agent;
use crate::support::docker::{self, Docker};
use crate::support::operator::{client, client_at, client_reading, finish};
use crate::support::peer::Peer;
use crate::support::registry::{PASSWORD, USER};
use crate::support::shelf::Shelf;
use crate::support::upload::saved;

#[test]
fn an_image_is_brought_from_a_file_or_a_pipe() {
    let (agent, docker) = (Agent::start(), Docker::new());
    let archive = saved(&[&docker.image()]);
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("image.tar");
    fs::write(&file, &archive).unwrap();
    for (word, input) in [("-", archive.as_slice()), (file.to_str().unwrap(), b"")] {
        docker::run(&["rmi", &docker.image()]).unwrap();
        let came = client_reading(&agent, &["push-image", word], input);
        // Nothing about progress: it is no terminal.
        assert_eq!(
            (came.out.as_str(), came.err.as_str()),
            (format!("{}\n", docker.image()).as_str(), "")
        );
        docker::run(&["inspect", &docker.image()]).unwrap();
    }
    let listed = client(&agent, &["images", &docker.name]).well();
    assert!(
        listed.lines().nth(1).unwrap().starts_with(&docker.image()),
        "{listed}"
    );
    client_reading(&agent, &["push-image", "-"], b"no archive").badly(1);
    client(&agent, &["push-image", "/nowhere/at/all"]).badly(4);
}

#[test]
fn a_refusal_in_the_middle_of_a_body_is_heard() {
    let refusal = "HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 28\r\n\r\n{\"error\":\"the disk is full\"}";
    for word in ["-", "/dev/zero"] {
        // It answers the head and reads nothing more.
        let full = Peer::start(move |mut stream| {
            use std::io::{Read, Write};
            let mut head = [0; 100];
            stream.read_exact(&mut head).unwrap();
            stream.write_all(refusal.as_bytes()).unwrap();
            // Until the client has gone: all that it sends fills the socket's buffers.
            while stream.peek(&mut [0]).is_ok_and(|count| count > 0) && !is_hung_up(&stream) {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        });
        let mut command = client_at(full.address());
        let came = finish(command.args(["push-image", word]), &vec![0; 20_000_000]);
        assert_eq!(came.badly(1), "node-agent: the disk is full\n");
    }
}

fn is_hung_up(stream: &std::net::TcpStream) -> bool {
    use std::os::fd::AsFd;
    node_agent::sys::poll::is_hung_up(stream.as_fd())
}

#[test]
fn an_image_is_pulled() {
    let (agent, shelf) = (Agent::start(), Shelf::new());
    let mut command = client_at(agent.address());
    let words = [
        "pull",
        "--username",
        USER,
        "--password-stdin",
        &shelf.image(),
    ];
    let said = finish(command.args(words), b"wrong\n");
    assert!(said.code == 1 && !said.err.contains("wrong"), "{said:?}");
    let missing = shelf.registry.reference("team/none:1");
    let words = ["pull", "--username", USER, "--password-stdin", &missing];
    client_reading(&agent, &words, PASSWORD.as_bytes()).badly(1);
    let image = shelf.image();
    let mut words = ["pull", "--username", USER, "--password-stdin", &image];
    let came = client_reading(&agent, &words, PASSWORD.as_bytes());
    // Nothing about progress: it is no terminal.
    assert_eq!(came.err, "");
    assert!(came.well().starts_with(&shelf.image()));
    assert!(shelf.is_here());
    words[3] = "--json";
    client(&agent, &words).badly(2);
}

#[test]
fn a_directory_is_built_without_what_is_to_be_left_out() {
    let (agent, docker) = (Agent::start(), Docker::labelled());
    let place = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
    write(
        "Dockerfile",
        &format!(
            "FROM {}\nARG WHAT\nLABEL what=$WHAT\nCOPY . /context/\n",
            docker.image()
        ),
    );
    write(".dockerignore", "secret\n");
    write("secret", "secret");
    write("seen", "seen");
    let tag = format!("{}:built", docker.name);
    let words = [
        "build",
        "-t",
        &tag,
        "--build-arg",
        "WHAT=this",
        "--label",
        "more=1",
        place.path().to_str().unwrap(),
    ];
    let said = client(&agent, &words).well();
    assert!(
        said.contains("Step 1/5") && said.contains("Successfully tagged"),
        "{said}"
    );
    let id = docker::run(&["inspect", "--format", "{{.Id}}", &tag]).unwrap();
    assert!(said.ends_with(&format!("{id}\n")), "{said}");
    let labels = docker::run(&["inspect", "--format", "{{json .Config.Labels}}", &tag]).unwrap();
    assert!(
        labels.contains("\"what\":\"this\"") && labels.contains("\"more\":\"1\""),
        "{labels}"
    );
    let listed = docker::run(&[
        "run",
        "--rm",
        "--network",
        "none",
        &tag,
        "busybox",
        "ls",
        "/context",
    ])
    .unwrap();
    assert_eq!(
        listed.split_whitespace().collect::<Vec<_>>(),
        ["Dockerfile", "seen"]
    );
    let mut quiet = words.to_vec();
    quiet.push("-q");
    assert_eq!(client(&agent, &quiet).well(), format!("{id}\n"));
    write("broken", "FROM scratch\nNONSENSE\n");
    let place = place.path().to_str().unwrap();
    let message = client(&agent, &["build", "-f", "broken", place]).badly(1);
    assert!(message.contains("NONSENSE"), "{message}");
    let message = client(&agent, &["build", "-f", "missing", place]).badly(4);
    assert!(message.contains("missing"), "{message}");
    docker::run(&["rmi", "-f", &tag]).unwrap();
}
