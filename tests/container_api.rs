//! Every container endpoint, over HTTP, on the real engine: what the controller sees and what docker then says.

use serde_json::{Value, json};

use crate::support::agent::{KEY, Setup};
use crate::support::docker::{self, Docker};
use crate::support::{Agent, Client, Response, eventually};

/// An agent, and an engine with an image of our own.
struct Lab {
    agent: Agent,
    docker: Docker,
}

impl Lab {
    fn new() -> Self {
        Self {
            agent: Agent::start(),
            docker: Docker::new(),
        }
    }

    /// A name of our own.
    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.docker.name)
    }

    /// A body for `run`: our image, our label, `more`.
    fn body(&self, name: &str, more: &Value) -> Value {
        let (label, value) = self
            .docker
            .label()
            .split_once('=')
            .map(|(l, v)| (l.to_owned(), v.to_owned()))
            .unwrap();
        let mut body = json!({
            "name": self.name(name), "image": self.docker.image(), "pull": "never",
            "command": ["busybox", "sleep", "1000"], "labels": {label: value},
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    }

    fn run(&self, name: &str, more: &Value) -> Response {
        self.agent.post("/containers/run", &self.body(name, more))
    }

    /// A container with this shell script, running or already ended.
    fn shell(&self, name: &str, script: &str) -> String {
        self.run(name, &json!({ "command": ["sh", "-c", script] }))
            .expect(201);
        self.name(name)
    }

    fn get(&self, name: &str, what: &str) -> Response {
        self.agent
            .get(&format!("/containers/{}/{what}", self.name(name)))
    }

    fn post(&self, name: &str, what: &str) -> Response {
        self.agent
            .post_nothing(&format!("/containers/{}/{what}", self.name(name)))
    }

    fn exec(&self, name: &str, body: &Value) -> Response {
        self.agent
            .post(&format!("/containers/{}/exec", self.name(name)), body)
    }

    /// The names of all our containers, as docker sees them.
    fn names(&self) -> Vec<String> {
        let label = format!("label={}", self.docker.label());
        let listed =
            docker::run(&["ps", "-a", "--filter", &label, "--format", "{{.Names}}"]).unwrap();
        let mut names: Vec<_> = listed.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    fn inspect(&self, name: &str, path: &str) -> String {
        docker::run(&[
            "inspect",
            "--format",
            &format!("{{{{json {path}}}}}"),
            &self.name(name),
        ])
        .unwrap()
    }
}

#[test]
fn the_life_of_a_container() {
    let lab = Lab::new();
    let ran = lab.run("a", &json!({ "oops": 1 })).expect(201).json();
    assert_eq!(
        (&ran["name"], &ran["status"]),
        (&json!(lab.name("a")), &json!("running"))
    );
    assert_eq!(ran["warnings"], json!(["unknown field: oops"]));
    assert_eq!(ran["id"].as_str().unwrap().len(), 64);
    let outcome = |what: &str| {
        let answer = lab.post("a", what).expect(200).json();
        assert_eq!(answer["id"], ran["id"]);
        (
            answer["status"].as_str().unwrap().to_owned(),
            answer["changed"].as_bool().unwrap(),
        )
    };
    assert_eq!(outcome("start"), ("started".into(), false));
    assert_eq!(outcome("stop?timeout=0"), ("stopped".into(), true));
    assert_eq!(outcome("stop"), ("stopped".into(), false));
    assert_eq!(outcome("start"), ("started".into(), true));
    assert_eq!(outcome("restart?timeout=0"), ("restarted".into(), true));
    assert!(
        lab.post("a", "remove")
            .expect(409)
            .error()
            .contains("force=true")
    );
    assert_eq!(
        outcome("remove?force=true&volumes=1"),
        ("removed".into(), true)
    );
    for what in ["start", "stop", "restart", "remove"] {
        assert!(
            lab.post("a", what)
                .expect(404)
                .error()
                .contains(&lab.name("a")),
            "{what}"
        );
    }
    assert_eq!(lab.names(), Vec::<String>::new());
}

#[test]
fn lists_statuses_and_inspects() {
    let lab = Lab::new();
    lab.run(
        "a",
        &json!({ "health_check": { "test": "true", "interval": 1 } }),
    )
    .expect(201);
    lab.shell("b", "exit 3");
    eventually("b to have ended", || {
        (lab.get("b", "status").json()["state"] == "exited").then_some(())
    });
    let list = lab.agent.get("/containers").expect(200).json();
    let of = |name: &str| {
        let slashed = format!("/{}", lab.name(name));
        list["containers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["Names"] == *slashed)
            .unwrap()
            .clone()
    };
    let a = of("a");
    assert_eq!(
        (&a["State"], &a["Image"], &a["Networks"]),
        (
            &json!("running"),
            &json!(lab.docker.image()),
            &json!(["bridge"])
        )
    );
    assert!(
        a["ImageID"].as_str().unwrap().starts_with("sha256:")
            && a["Created"].as_str().unwrap().ends_with('Z')
    );
    let keys = [
        "ID", "Names", "Image", "ImageID", "Status", "State", "Created", "Command", "Ports",
        "Labels", "Networks", "Mounts",
    ];
    assert!(keys.iter().all(|key| a.get(key).is_some()), "{a}");
    let b = lab.get("b", "status").expect(200).json();
    assert_eq!(
        (&b["exit_code"], &b["health_status"], &b["oom_killed"]),
        (&json!(3), &json!("none"), &json!(false))
    );
    assert!(
        b["status"].as_str().unwrap().starts_with("Exited (3)") && b["finished_at"].is_string()
    );
    assert_eq!(lab.get("a", "status").json()["finished_at"], Value::Null);
    eventually("a to be healthy", || {
        (lab.get("a", "health").json()["health_status"] == "healthy").then_some(())
    });
    let health = lab.get("a", "health").json();
    assert!(
        health["timestamp"].is_string()
            && health["failing_streak"] == 0
            && health["log"][0]["exit_code"] == 0,
        "{health}"
    );
    assert_eq!(lab.get("b", "health").json()["health_status"], "none");
    let all = lab.agent.get("/containers/all/health").expect(200).json();
    assert_eq!(
        (&all[lab.name("a")], &all[lab.name("b")]),
        (&json!("healthy"), &json!("none"))
    );
    let inspected = lab.get("a", "inspect").expect(200).json();
    let docker: Value =
        serde_json::from_str(&docker::run(&["inspect", &lab.name("a")]).unwrap()).unwrap();
    assert_eq!(
        (&inspected["Id"], &inspected["Config"]),
        (&docker[0]["Id"], &docker[0]["Config"])
    );
}

#[test]
fn a_container_gets_what_the_body_says() {
    let lab = Lab::new();
    let body = json!({
        "environment": { "A": "1", "B": true }, "ports": ["127.0.0.1::80"], "volumes": ["/tmp:/host:ro"],
        "restart_policy": "on-failure:3", "memory": "64m", "cpus": 0.5, "user": "1000", "workdir": "/bin",
        "hostname": "h1", "read_only": true, "tmpfs": ["/run:size=1m"], "cap_drop": ["ALL"],
    });
    lab.run("a", &body).expect(201);
    assert_eq!(lab.inspect("a", ".HostConfig.Memory"), "67108864");
    assert_eq!(lab.inspect("a", ".HostConfig.NanoCpus"), "500000000");
    assert_eq!(
        lab.inspect("a", ".HostConfig.RestartPolicy"),
        r#"{"Name":"on-failure","MaximumRetryCount":3}"#
    );
    assert_eq!(
        lab.inspect("a", ".HostConfig.Binds"),
        r#"["/tmp:/host:ro"]"#
    );
    assert_eq!(lab.inspect("a", ".Config.Env"), r#"["A=1","B=true"]"#);
    assert_eq!(
        lab.inspect("a", ".HostConfig.LogConfig"),
        r#"{"Type":"json-file","Config":{"max-file":"3","max-size":"10m"}}"#
    );
    lab.run("b", &json!({ "log_opts": { "max-size": "1m" } }))
        .expect(201);
    assert_eq!(
        lab.inspect("b", ".HostConfig.LogConfig"),
        r#"{"Type":"json-file","Config":{"max-file":"3","max-size":"1m"}}"#
    );
}

#[test]
fn further_networks_are_connected_and_missing_ones_named() {
    let lab = Lab::new();
    let (one, two) = (lab.name("one"), lab.name("two"));
    for network in [&one, &two] {
        docker::run(&["network", "create", network]).unwrap();
    }
    lab.run("a", &json!({ "network": one, "networks": [two] }))
        .expect(201);
    let networks = lab.inspect("a", ".NetworkSettings.Networks");
    assert!(
        networks.contains(&one) && networks.contains(&two),
        "{networks}"
    );
    lab.post("a", "remove?force=1").expect(200);
    assert!(
        lab.run("b", &json!({ "network": "nowhere" }))
            .expect(404)
            .error()
            .contains("`nowhere`")
    );
    assert!(
        lab.run("b", &json!({ "network": one, "networks": ["nowhere"] }))
            .expect(404)
            .error()
            .contains("`nowhere`")
    );
    assert_eq!(lab.names(), Vec::<String>::new());
}

#[test]
fn what_cannot_run_says_why_and_leaves_nothing() {
    let lab = Lab::new();
    let taken = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for (more, status, words) in [
        (json!({ "command": ["no-such-program"] }), 400, "command"),
        (
            json!({ "image": "node-agent-no-such-image:1" }),
            404,
            "node-agent-no-such-image",
        ),
        (
            json!({ "ports": [format!("{port}:80")] }),
            409,
            "another program",
        ),
        (json!({ "ports": ["99999:80"] }), 400, "ports[0]"),
        (json!({ "ports": ["80:80:80:80"] }), 400, "ports[0]"),
        (
            json!({ "volumes": ["relative/path:/x"] }),
            400,
            "volumes[0]",
        ),
        (json!({ "volumes": ["/a:/b:zz"] }), 400, "volumes[0]"),
        (json!({ "image": "UPPER" }), 400, "image"),
        (json!({ "image": 5 }), 400, "field `image`"),
        (
            json!({ "health_check": { "interval": "often" } }),
            400,
            "health_check.interval",
        ),
        (
            json!({ "restart_policy": "always:3" }),
            400,
            "restart_policy",
        ),
    ] {
        let error = lab.run("a", &more).expect(status).error();
        assert!(error.contains(words), "{more}: {error}");
        assert_eq!(lab.names(), Vec::<String>::new(), "{more}");
    }
    for body in ["", "{", "[]", "null", "\"x\""] {
        lab.agent
            .connect()
            .request(
                "POST",
                "/containers/run",
                &[("X-API-Key", KEY)],
                body.as_bytes(),
            )
            .expect(400);
    }
}

#[test]
fn a_taken_name_and_a_port_of_a_container_are_conflicts_that_name_it() {
    let lab = Lab::new();
    lab.run("a", &json!({ "ports": ["127.0.0.1::80"] }))
        .expect(201);
    assert!(
        lab.run("a", &json!({}))
            .expect(409)
            .error()
            .contains(&lab.name("a"))
    );
    let bound: Value = serde_json::from_str(&lab.inspect("a", ".NetworkSettings.Ports")).unwrap();
    let port = bound["80/tcp"][0]["HostPort"].as_str().unwrap();
    let error = lab
        .run("b", &json!({ "ports": [format!("127.0.0.1:{port}:80")] }))
        .expect(409)
        .error();
    assert!(
        error.contains(port) && error.contains(&lab.name("a")),
        "{error}"
    );
    assert_eq!(lab.names(), [lab.name("a")]);
}

#[test]
fn replace_takes_over_or_leaves_the_old_one_as_it_was() {
    let lab = Lab::new();
    let old = lab
        .run("a", &json!({ "ports": ["127.0.0.1::80"] }))
        .expect(201)
        .json()["id"]
        .clone();
    let failed = lab
        .run(
            "a",
            &json!({ "replace": true, "command": ["no-such-program"] }),
        )
        .expect(400);
    assert!(failed.error().contains("command"));
    let status = lab.get("a", "status").json();
    assert_eq!((&status["id"], &status["state"]), (&old, &json!("running")));
    let new = lab.run("a", &json!({ "replace": true })).expect(201).json()["id"].clone();
    assert_ne!(new, old);
    assert_eq!(lab.names(), [lab.name("a")]);
    lab.run("b", &json!({ "replace": true })).expect(201);
    assert_eq!(lab.names(), [lab.name("a"), lab.name("b")]);
}

#[test]
fn logs_as_json_and_text() {
    let lab = Lab::new();
    lab.shell(
        "a",
        "for i in 1 2 3 4 5; do echo out-$i; done; echo 'err é \"q\"' >&2; busybox sleep 1000",
    );
    let text = |query: &str| {
        let headers = [("X-API-Key", KEY), ("Accept", "text/plain")];
        let path = format!("/containers/{}/logs{query}", lab.name("a"));
        let response = lab
            .agent
            .connect()
            .request("GET", &path, &headers, b"")
            .expect(200);
        assert!(
            response
                .header("content-type")
                .unwrap()
                .starts_with("text/plain")
        );
        response.text()
    };
    eventually("all six lines", || {
        (text("").lines().count() == 6).then_some(())
    });
    // The engine counts the lines of both streams, in whatever order they reached it.
    assert_eq!(text("?tail=2").lines().count(), 2);
    assert_eq!(text("?stdout=0"), "err é \"q\"\n");
    assert_eq!(text("?tail=all&stderr=0").lines().count(), 5);
    assert_eq!(text("?until=1"), "");
    assert_eq!(text("?since=1h").lines().count(), 6);
    assert!(text("?timestamps=1&tail=1").starts_with("20"));
    let json = lab.get("a", "logs?stdout=false").expect(200).json();
    assert_eq!(
        json,
        json!({ "container": lab.name("a"), "logs": "err é \"q\"\n" })
    );
    for bad in [
        "tail=some",
        "tail=-1",
        "since=yesterday",
        "stdout=0&stderr=0",
        "follow=perhaps",
        "tail=1&tail=2",
    ] {
        lab.get("a", &format!("logs?{bad}")).expect(400);
    }
    assert!(
        lab.get("b", "logs")
            .expect(404)
            .error()
            .contains(&lab.name("b"))
    );
    assert!(
        lab.get("b", "logs?follow=true")
            .expect(404)
            .error()
            .contains(&lab.name("b"))
    );
}

/// Opens a follow or a streamed exec and reads its head.
fn open(agent: &Agent, request: &[u8]) -> Client {
    let mut client = agent.connect();
    client.send(request);
    assert_eq!(client.head().status, 200);
    client
}

#[test]
fn a_follow_brings_each_line_at_once_and_ends_with_the_container() {
    let lab = Lab::new();
    // Each line waits for us: a line that is held back would never come.
    lab.shell("a", "while ! [ -e /go ]; do busybox sleep 0.02; done; echo one; while ! [ -e /end ]; do busybox sleep 0.02; done; echo two");
    let path = format!("/containers/{}/logs?follow=true", lab.name("a"));
    let mut follow = open(
        &lab.agent,
        &Client::encode("GET", &path, &[("X-API-Key", KEY)], b""),
    );
    lab.exec("a", &json!({ "command": "echo > /go" }))
        .expect(200);
    assert_eq!(follow.chunk(), b"one\n");
    lab.exec("a", &json!({ "command": "echo > /end" }))
        .expect(200);
    assert_eq!(follow.chunk(), b"two\n");
    assert_eq!(follow.chunk(), b"");
}

#[test]
fn who_goes_away_in_silence_is_noticed_within_a_second() {
    let lab = Lab::new();
    lab.run("a", &json!({})).expect(201);
    lab.agent.get("/containers").expect(200);
    let before = lab.agent.descriptors();
    let follow = Client::encode(
        "GET",
        &format!("/containers/{}/logs?follow=true", lab.name("a")),
        &[("X-API-Key", KEY)],
        b"",
    );
    let body = json!({ "command": ["busybox", "sleep", "100"] }).to_string();
    let path = format!("/containers/{}/exec", lab.name("a"));
    let exec = Client::encode("POST", &path, &[("X-API-Key", KEY)], body.as_bytes());
    let stream = Client::encode(
        "POST",
        &format!("{path}?stream=true"),
        &[("X-API-Key", KEY)],
        body.as_bytes(),
    );
    let mut clients = vec![open(&lab.agent, &follow), open(&lab.agent, &stream)];
    let mut waiting = lab.agent.connect();
    waiting.send(&exec);
    clients.push(waiting);
    // Three clients, and the engine's side of each.
    eventually("six more descriptors", || {
        (lab.agent.descriptors() >= before + 6).then_some(())
    });
    let gone = std::time::Instant::now();
    drop(clients);
    eventually("all of them to be closed", || {
        (lab.agent.descriptors() <= before).then_some(())
    });
    assert!(
        gone.elapsed() < std::time::Duration::from_secs(1),
        "{:?}",
        gone.elapsed()
    );
}

#[test]
fn a_stop_of_the_agent_does_not_wait_for_followers() {
    let mut lab = Lab::new();
    lab.run("a", &json!({})).expect(201);
    let path = format!("/containers/{}/logs?follow=true", lab.name("a"));
    let _follow = open(
        &lab.agent,
        &Client::encode("GET", &path, &[("X-API-Key", KEY)], b""),
    );
    let begun = std::time::Instant::now();
    lab.agent.signal("TERM");
    assert!(lab.agent.wait().success());
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn exec_answers_with_both_streams_and_the_exit_code() {
    let lab = Lab::new();
    lab.run("a", &json!({})).expect(201);
    let body = json!({ "command": ["sh", "-c", "echo $A; pwd; echo bad >&2; exit 3"], "env": ["A=b"], "workdir": "/bin", "user": 0, "oops": 1 });
    let answer = lab.exec("a", &body).expect(200).json();
    assert_eq!(
        (&answer["exit_code"], &answer["stdout"], &answer["stderr"]),
        (&json!(3), &json!("b\n/bin\n"), &json!("bad\n"))
    );
    assert_eq!(
        (&answer["truncated"], &answer["warnings"]),
        (&json!(false), &json!(["unknown field: oops"]))
    );
    let answer = lab
        .exec("a", &json!({ "command": "echo $0; exit 4" }))
        .expect(200)
        .json();
    assert_eq!(
        (&answer["exit_code"], &answer["output"]),
        (&json!(4), &json!("sh\n"))
    );
    let answer = lab
        .exec("a", &json!({ "command": ["no-such-program"] }))
        .expect(200)
        .json();
    assert!(
        [126, 127].contains(&answer["exit_code"].as_i64().unwrap()),
        "{answer}"
    );
    assert!(
        answer["output"]
            .as_str()
            .unwrap()
            .contains("no-such-program"),
        "{answer}"
    );
    let long = lab
        .exec(
            "a",
            &json!({ "command": "busybox yes | busybox head -n 2000000" }),
        )
        .expect(200)
        .json();
    assert_eq!(long["truncated"], true);
    assert!(long["output"].as_str().unwrap().len() < 1_100_000);
}

#[test]
fn exec_streams_with_the_exit_code_as_a_trailer() {
    let lab = Lab::new();
    lab.run("a", &json!({})).expect(201);
    let path = format!("/containers/{}/exec?stream=true", lab.name("a"));
    let response = lab
        .agent
        .post(&path, &json!({ "command": "echo hi; exit 5" }))
        .expect(200);
    assert_eq!(response.header("trailer"), Some("X-Exit-Code"));
    assert_eq!(
        (response.text().as_str(), response.trailers.as_slice()),
        ("hi\n", &[("x-exit-code".to_owned(), "5".to_owned())][..])
    );
}

#[test]
fn exec_that_cannot_be() {
    let lab = Lab::new();
    lab.shell("ended", "true");
    eventually("it to have ended", || {
        (lab.get("ended", "status").json()["state"] == "exited").then_some(())
    });
    assert!(
        lab.exec("ended", &json!({ "command": "true" }))
            .expect(409)
            .error()
            .contains("not running")
    );
    assert!(
        lab.exec("nobody", &json!({ "command": "true" }))
            .expect(404)
            .error()
            .contains("nobody")
    );
    lab.run("a", &json!({})).expect(201);
    for body in [
        json!({}),
        json!({ "command": [] }),
        json!({ "command": 5 }),
        json!({ "command": "true", "timeout": 0 }),
        json!({ "command": "true", "env": ["=x"] }),
    ] {
        lab.exec("a", &body).expect(400);
    }
    let slow = lab
        .exec(
            "a",
            &json!({ "command": "echo begun; busybox sleep 60", "timeout": 1 }),
        )
        .expect(504);
    assert!(slow.error().contains("goes on running"));
    assert_eq!(slow.json()["details"], "begun\n");
    // What a command prints may be a secret.
    lab.agent.wait_for_log("goes on running");
    assert!(!lab.agent.log().iter().any(|line| line.contains("begun")));
}

#[test]
fn a_name_cannot_leave_its_place_in_the_path() {
    let lab = Lab::new();
    for name in [
        "..%2Fimages",
        "a%2Fb",
        "%2e%2e",
        "-a",
        "a%20b",
        "a%3Fb",
        "a%23b",
    ] {
        let status = lab.agent.get(&format!("/containers/{name}/inspect")).status;
        assert_eq!(status, 400, "{name}");
    }
}

#[test]
fn without_an_engine_it_is_503_and_after_it_came_back_all_is_well() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("docker.sock");
    let agent = Setup::new().engine(&socket).start();
    let response = agent.get("/containers").expect(503);
    assert!(
        response.error().contains("cannot be reached"),
        "{}",
        response.text()
    );
    std::os::unix::fs::symlink("/var/run/docker.sock", &socket).unwrap();
    agent.get("/containers").expect(200);
}

#[test]
fn a_stop_that_nobody_waits_for_goes_on_without_a_worker() {
    let lab = Lab::new();
    // Says that it was told to end, and takes its time.
    let script = "trap 'echo told; while ! [ -e /end ]; do busybox sleep 0.02; done; exit 7' TERM
        while :; do busybox sleep 0.02; done";
    lab.shell("a", script);
    let path = format!("/containers/{}/stop", lab.name("a"));
    let query = format!("{path}?timeout=3600");
    let mut client = lab.agent.connect();
    client.send(&Client::encode("POST", &query, &[("X-API-Key", KEY)], b""));
    eventually("the engine to stop it", || {
        let logs = lab.get("a", "logs").json();
        (logs["logs"] == "told\n").then_some(())
    });
    assert!(!lab.agent.log().iter().any(|line| line.contains(&path)));
    let gone = std::time::Instant::now();
    drop(client);
    // The access log's line is the end of the work.
    lab.agent.wait_for_log(&path);
    assert!(gone.elapsed() < std::time::Duration::from_secs(1));
    lab.exec("a", &json!({ "command": "echo > /end" }))
        .expect(200);
    eventually("the engine to have stopped it", || {
        (lab.get("a", "status").json()["exit_code"] == 7).then_some(())
    });
}
