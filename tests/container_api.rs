//! Containers over HTTP on the real engine: running, listing, stopping, removing; what the controller sees and what
//! docker then says.

use serde_json::{Value, json};

use crate::support::agent::{KEY, Setup};
use crate::support::docker;
use crate::support::lab::Lab;
use crate::support::{Client, eventually};

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
    // What else the engine's own configuration adds, it adds for the CLI too.
    let flags = ["--log-opt", "max-size=1m"];
    let theirs = lab.docker.create_by_cli(&flags, &[]).unwrap();
    let format = "{{json .HostConfig.LogConfig}}";
    assert_eq!(
        lab.inspect("b", ".HostConfig.LogConfig"),
        docker::run(&["inspect", "--format", format, &theirs]).unwrap()
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
