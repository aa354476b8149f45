//! Builds that are many, large, given up or broken off: who waits, who is refused, and that nothing is left of it.

use std::fs::File;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::agent::{Agent, KEY, Setup};
use crate::support::builds::{BUILD, Builds, Own};
use crate::support::tmpfs::Tmpfs;
use crate::support::upload::head;
use crate::support::{Client, eventually};

const MIB: usize = 1024 * 1024;

/// How long a step waits that somebody is to end.
const STEP: &str = "RUN echo begun && busybox sleep 600";

/// Sends a build of the context and does not wait for the answer.
fn ask(agent: &Agent, path: &str, body: &Value) -> Client {
    let headers = [("X-API-Key", KEY), ("Content-Type", "application/json")];
    let mut client = agent.connect();
    client.send(&Client::encode(
        "POST",
        path,
        &headers,
        body.to_string().as_bytes(),
    ));
    client
}

/// Asks for a streamed build, and reads until a step has printed `begun`.
fn begin(agent: &Agent, body: &Value) -> Client {
    let mut client = ask(agent, &format!("{BUILD}?stream=true"), body);
    assert_eq!(client.head().status, 200);
    let mut text = String::new();
    while !text.contains("\"begun\\n\"") {
        let chunk = client.chunk();
        assert!(!chunk.is_empty(), "{text}");
        text.push_str(&String::from_utf8(chunk).unwrap());
    }
    client
}

/// A build that has its turn, and whose tar is still to be sent.
fn hold(agent: &Agent, length: usize) -> Client {
    let mut client = agent.connect();
    let lines = format!(
        "Content-Type: application/x-tar\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n"
    );
    client.send(&head(BUILD, &lines));
    // It is asked to go on when the body is wanted.
    assert_eq!(client.head().status, 100);
    client
}

/// Waits until one of them has an answer, and takes it out.
fn first_answered(clients: &mut Vec<Client>) -> Client {
    let index = eventually("an answer", || clients.iter().position(has_answer));
    clients.swap_remove(index)
}

fn has_answer(client: &Client) -> bool {
    let socket = client.socket();
    socket.set_nonblocking(true).unwrap();
    let is_there = matches!(socket.peek(&mut [0]), Ok(1));
    socket.set_nonblocking(false).unwrap();
    is_there
}

#[test]
fn one_builds_eight_wait_and_the_next_is_refused() {
    let builds = Builds::new();
    builds.dockerfile("");
    let tar = builds.tar();
    let mut holder = hold(&builds.agent, tar.len());
    let wait = || ask(&builds.agent, BUILD, &builds.body(&json!({})));
    let mut waiting: Vec<_> = (0..9).map(|_| wait()).collect();
    let refused = first_answered(&mut waiting).response().expect(503);
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert!(refused.error().contains("busy"), "{}", refused.text());
    // One who leaves makes room for one.
    drop(waiting.pop());
    builds.agent.wait_for_log("status=499");
    waiting.extend([wait(), wait()]);
    first_answered(&mut waiting).response().expect(503);
    assert_eq!(waiting.len(), 8);
    assert!(!waiting.iter().any(has_answer));

    holder.send(&tar);
    holder.response().expect(200);
    for mut client in waiting {
        client.response().expect(200);
    }
}

/// Patterns that are slow on long names, and nothing that is sent: only looking tells that nobody waits.
#[test]
fn a_client_that_leaves_ends_the_search_for_what_to_send() {
    let builds = Builds::new();
    builds.dockerfile("");
    let slow = format!("{}[b]\n", "*a".repeat(1000));
    builds.write(".dockerignore", [&slow.repeat(60), "*"].concat());
    for number in 0..1000 {
        builds.write(&format!("{number:0>4}{}", "a".repeat(240)), "");
    }
    drop(ask(&builds.agent, BUILD, &builds.body(&json!({}))));
    builds.agent.wait_for_log("status=499");
}

#[test]
fn a_client_that_leaves_ends_the_step_and_the_next_one_goes_on() {
    let builds = Builds::new();
    builds.dockerfile(STEP);
    let before = builds.agent.descriptors();
    let leaver = begin(&builds.agent, &builds.body(&json!({})));
    assert_eq!(builds.containers().len(), 1);
    builds.dockerfile("");
    let mut next = ask(
        &builds.agent,
        BUILD,
        &builds.body(&json!({ "tag": builds.tag("1") })),
    );
    drop(leaver);
    next.response().expect(200);
    builds.agent.wait_for_log("status=499");
    eventually("the step's container to be gone", || {
        builds.containers().is_empty().then_some(())
    });
    // The same without a stream.
    builds.dockerfile(STEP);
    let leaver = ask(&builds.agent, BUILD, &builds.body(&json!({})));
    eventually("the step to run", || {
        (builds.containers().len() == 1).then_some(())
    });
    drop(leaver);
    eventually("the step's container to be gone", || {
        builds.containers().is_empty().then_some(())
    });
    drop(next);
    eventually("the agent's descriptors to be as before", || {
        (builds.agent.descriptors() <= before).then_some(())
    });
}

#[test]
fn a_tar_that_breaks_off_is_not_built() {
    let builds = Builds::new();
    builds.dockerfile("");
    let tar = builds.tar();
    let mut client = hold(&builds.agent, tar.len());
    client.send(&tar[..1024]);
    drop(client);
    builds
        .agent
        .wait_for_log("the body ended before it was complete");
    // Chunks that make no sense are the client's fault.
    let mut client = builds.agent.connect();
    client.send(&head(
        BUILD,
        "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n",
    ));
    client.send(b"200\r\n");
    client.send(&tar[..512]);
    client.send(b"\r\nnonsense\r\n");
    client.response().expect(400);
    assert_eq!(builds.made(), Vec::<String>::new());
    builds.build_tar("", &tar).expect(200);
}

#[test]
fn a_large_context_takes_no_memory_and_no_disk() {
    let disk = Tmpfs::new(MIB as u64);
    let builds = Builds::of(Setup::new().env("NODE_AGENT_STATE_DIR", disk.path()));
    builds.dockerfile("");
    // The first one brings the code in.
    builds.build(&json!({})).expect(200);
    let before = builds.agent.proc_status("VmHWM");
    let large = File::create(builds.path("large")).unwrap();
    large.set_len(300 * MIB as u64).unwrap();
    builds.build(&json!({})).expect(200);
    let more = builds.agent.proc_status("VmHWM") - before;
    assert!(more < 512, "{more} kB more than for a small one");
    let own = builds.agent.proc_status("RssAnon");
    assert!(own < 2 * 1024, "{own} kB");
    assert_eq!(disk.path().read_dir().unwrap().count(), 0);
    assert_eq!(builds.agent.state_files(), Vec::<String>::new());
}

#[test]
fn a_cleanup_leaves_a_build_its_steps() {
    let own = Own::new(None);
    let agent = &own.builds.agent;
    own.builds.write("hello", "hello");
    // No container uses the first stage, and nothing is built on it: only the build knows that it is still needed.
    let stages = format!(
        "COPY hello /\nFROM {}\n{STEP}\nCOPY --from=0 /hello /",
        own.builds.docker.image()
    );
    own.builds.dockerfile(&stages);
    let running = begin(agent, &own.builds.body(&json!({})));
    let cleanup = |body: Value| agent.post("/images/cleanup", &body).expect(200).json();
    assert_eq!(own.images(), 1);
    for body in [json!({}), json!({ "all": true, "keep_last": 0 })] {
        let cleaned = cleanup(body);
        assert_eq!(cleaned["removed"], 0, "{cleaned}");
        let reason = cleaned["kept"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("a build is going on"), "{cleaned}");
    }
    assert_eq!(own.images(), 1);
    drop(running);
    agent.wait_for_log("status=499");
    eventually("the step to be removed", || {
        (cleanup(json!({}))["removed"] == 1).then_some(())
    });
    assert_eq!(own.images(), 0);
}

#[test]
fn an_engine_that_goes_away_half_way_is_503() {
    let mut own = Own::new(None);
    own.builds.dockerfile(STEP);
    let body = own.builds.body(&json!({}));
    let mut plain = ask(&own.builds.agent, BUILD, &body);
    let containers = |own: &Own| own.engine.docker(&["ps", "-q"]).unwrap();
    eventually("the step to run", || {
        (!containers(&own).is_empty()).then_some(())
    });
    own.engine.kill();
    let error = plain.response().expect(503).error();
    assert!(error.contains("cannot be reached"), "{error}");
    own.builds.build(&json!({})).expect(503);

    own.engine.start_again(&json!({}));
    let mut live = begin(&own.builds.agent, &body);
    own.engine.kill();
    let mut rest = Vec::new();
    loop {
        let chunk = live.chunk();
        if chunk.is_empty() {
            break;
        }
        rest.extend(chunk);
    }
    let last: Value = serde_json::from_slice(
        rest.split(|b| *b == b'\n')
            .rfind(|l| !l.is_empty())
            .unwrap(),
    )
    .unwrap();
    assert!(
        last["error"]
            .as_str()
            .unwrap()
            .contains("cannot be reached"),
        "{last}"
    );

    own.engine.start_again(&json!({}));
    own.builds.dockerfile("");
    own.builds.build(&json!({})).expect(200);
}

#[test]
fn an_engine_without_room_is_507() {
    let own = Own::new(Some(Tmpfs::new(24 * MIB as u64)));
    let images = own.images();
    // Too much to be sent, and too much to be copied once more.
    for size in [40, 9] {
        own.builds
            .dockerfile("COPY large /\nCOPY large /again\nCOPY large /and-again");
        let large = File::create(own.builds.path("large")).unwrap();
        large.set_len(size * MIB as u64).unwrap();
        let answer = own
            .builds
            .build(&json!({ "tag": own.builds.tag("1") }))
            .expect(507);
        assert_eq!(answer.error(), "the Docker engine's disk is full");
        let details = answer.json()["details"].as_str().unwrap().to_owned();
        assert!(details.contains("no space left"), "{details}");
    }
    assert!(
        own.engine
            .docker(&["inspect", &own.builds.tag("1")])
            .is_err()
    );
    let left = own.engine.data().join("tmp");
    eventually("the engine to clear its temporary directory", || {
        (left.read_dir().unwrap().count() == 0).then_some(())
    });
    own.engine.docker(&["image", "prune", "-f"]).unwrap();
    assert_eq!(own.images(), images);
}

#[test]
fn a_build_holds_nobody_else_up() {
    let builds = Builds::new();
    let holder = hold(&builds.agent, 10_240);
    let start = Instant::now();
    builds.agent.get("/ping").expect(200);
    builds.agent.get("/images/list").expect(200);
    assert!(start.elapsed() < Duration::from_secs(5));
    drop(holder);
}
