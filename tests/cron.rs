//! `GET /cron/jobs`, `POST /cron/run-docker`, `POST /cron/remove`: the jobs and their crontab.

use std::fs;
use std::os::unix::fs::MetadataExt;

use node_agent::clock::Timestamp;
use serde_json::{Value, json};

use crate::support::Agent;
use crate::support::cron_lab::{CronLab, state_of};
use crate::support::docker;

#[test]
fn a_job_is_made_listed_and_removed() {
    let lab = CronLab::new();
    let agent = lab.agent();
    assert_eq!(
        agent.get("/cron/jobs").expect(200).json(),
        json!({"jobs": []})
    );
    assert_eq!(fs::read_dir(lab.path("cron.d")).unwrap().count(), 0);
    let body = json!({
        "schedule": "0 2 * * *", "image": "myapp:latest", "command": ["/bin/sh", "-c", "cleanup.sh 100%; 'x'\n$(y)"],
        "environment": ["TOKEN=hunter2"], "volumes": ["/local/data:/data"], "networks": ["no-such-network"], "colour": 1
    });
    let made = agent.post("/cron/run-docker", &body).expect(201).json();
    let id = made["id"].as_str().unwrap();
    assert!(
        id.starts_with("cron_") && made["job_id"] == made["id"] && made["status"] == "scheduled"
    );
    let command = "docker run --rm -e TOKEN -v /local/data:/data --network no-such-network myapp:latest /bin/sh -c 'cleanup.sh 100%; '\\''x'\\''\n$(y)'";
    assert_eq!(made["command"], command);
    let warnings: Vec<&str> = made["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w.as_str().unwrap())
        .collect();
    assert_eq!(warnings[0], "unknown field: colour");
    assert!(warnings[1].contains("does not run"), "{warnings:?}");
    assert!(
        warnings[2].contains("no network `no-such-network`")
            && warnings[3].contains("image `myapp:latest`")
    );
    let next = Timestamp::parse(made["next_run"].as_str().unwrap())
        .unwrap()
        .seconds;
    assert!(next > Timestamp::now().seconds && next <= Timestamp::now().seconds + 86_400 + 3600);

    let listed = state_of(&agent, id);
    for (field, expected) in [
        ("schedule", json!("0 2 * * *")),
        ("command", json!(command)),
        ("image", json!("myapp:latest")),
        ("created", made["created"].clone()),
        ("next_run", made["next_run"].clone()),
        ("running", json!(false)),
        ("last_run", Value::Null),
        ("last_exit_code", Value::Null),
        ("last_duration", Value::Null),
    ] {
        assert_eq!(listed[field], expected, "{field}");
    }
    let program = env!("CARGO_BIN_EXE_node-agent");
    let crontab = lab.crontab();
    assert!(
        crontab.ends_with(&format!("\n0 2 * * * root {program} cron-run {id}\n")),
        "{crontab}"
    );
    assert!(
        crontab.contains("\nSHELL=/bin/sh\n")
            && crontab.contains("\nMAILTO=\"\"\n")
            && !crontab.contains('%')
    );
    let meta = lab.path("cron.d/node-agent").metadata().unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid()), (0o644, 0));
    let job = lab.file(id, "json").metadata().unwrap();
    assert_eq!(job.mode() & 0o7777, 0o600);
    assert_eq!(
        lab.path("state/cron").metadata().unwrap().mode() & 0o7777,
        0o700
    );
    assert!(!agent.get("/cron/jobs").text().contains("hunter2"));
    assert!(agent.log().iter().all(|line| !line.contains("hunter2")));

    let gone = agent
        .post("/cron/remove", &json!({ "job_id": id }))
        .expect(200)
        .json();
    assert_eq!(
        gone,
        json!({"id": id, "job_id": id, "status": "removed", "running": false})
    );
    assert_eq!(
        agent.get("/cron/jobs").expect(200).json(),
        json!({"jobs": []})
    );
    assert!(!lab.crontab().contains(id));
    let left: Vec<_> = fs::read_dir(lab.path("state/cron"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"]);
    let error = agent
        .post("/cron/remove", &json!({ "job_id": id }))
        .expect(404)
        .error();
    assert_eq!(error, format!("there is no cron job `{id}`"));
}

/// A field, what is wrong in it, and the beginning of the reason.
fn refused() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "schedule",
            json!("0/15 * * * *"),
            "field `schedule` has the minute `0/15`: a step needs `*` or a range before it: `0-59/15`",
        ),
        (
            "schedule",
            json!("0 5-1 * * *"),
            "field `schedule` has the hour `5-1`: the range ends",
        ),
        (
            "schedule",
            json!("0 0 0 * *"),
            "field `schedule` has the day of month `0`: 0 is not",
        ),
        (
            "schedule",
            json!("0 0 * foo *"),
            "field `schedule` has the month `foo`",
        ),
        (
            "schedule",
            json!("0 0 * * 8"),
            "field `schedule` has the day of week `8`",
        ),
        (
            "schedule",
            json!("0 2 * * * *"),
            "field `schedule` has 6 fields",
        ),
        (
            "schedule",
            json!("0 2 * * *\n* * * * * root reboot"),
            "field `schedule` has a line feed",
        ),
        (
            "schedule",
            json!("0 2 * * *\r\n"),
            "field `schedule` has a carriage return",
        ),
        (
            "schedule",
            json!("0 2 * * *%"),
            "field `schedule` has a `%`",
        ),
        (
            "schedule",
            json!("@Daily"),
            "field `schedule` is no schedule: `@Daily`",
        ),
        (
            "schedule",
            json!("0 0 30 2 *"),
            "field `schedule` never comes",
        ),
        (
            "schedule",
            json!(5),
            "field `schedule`: invalid type: integer `5`, expected a string",
        ),
        (
            "schedule",
            json!(null),
            "field `schedule`: invalid type: null, expected a string",
        ),
        ("image", json!("My App"), "field `image` is `My App`"),
        ("command", json!(" "), "field `command` is empty"),
        ("command", json!(["a\0"]), "field `command` has a NUL"),
        ("command", json!(5), "field `command`: invalid type"),
        (
            "environment",
            json!(["=x"]),
            "field `environment[0]` has no name",
        ),
        (
            "volumes",
            json!(["data/x:/data"]),
            "field `volumes[0]` is `data/x:/data`",
        ),
        (
            "networks",
            json!(["host", "a"]),
            "field `networks[1]` is `a`",
        ),
        ("pull", json!("often"), "field `pull` is `often`"),
    ]
}

#[test]
fn what_makes_no_sense_is_400_and_leaves_nothing() {
    let lab = CronLab::new();
    let agent = lab.agent();
    for (field, value, reason) in refused() {
        let mut body = json!({"schedule": "0 2 * * *", "image": "a"});
        body[field] = value;
        let error = agent.post("/cron/run-docker", &body).expect(400).error();
        assert!(error.starts_with(reason), "{body}: {error}");
    }
    let error = agent
        .post("/cron/run-docker", &json!({"image": "a"}))
        .expect(400)
        .error();
    assert!(error.contains("missing field `schedule`"), "{error}");
    let large = json!({"schedule": "@daily", "image": "a", "command": ["x".repeat(40_000)]});
    agent.post("/cron/run-docker", &large).expect(413);
    for (body, status) in [
        (json!({}), 400),
        (json!({"job_id": 5}), 400),
        (json!({"job_id": ""}), 404),
        (json!({"job_id": "cron_123abc"}), 404),
        (json!({"job_id": "../../../etc/passwd"}), 404),
        (json!({"job_id": "cron_000000000000"}), 404),
    ] {
        agent.post("/cron/remove", &body).expect(status);
    }
    assert_eq!(fs::read_dir(lab.path("cron.d")).unwrap().count(), 0);
    assert_eq!(
        agent.get("/cron/jobs").expect(200).json(),
        json!({"jobs": []})
    );
}

#[test]
fn without_cron_there_are_no_new_jobs() {
    let lab = CronLab::new();
    let id = lab.job(&lab.agent(), &json!([]));
    fs::write(lab.path("no-cron"), "").unwrap();
    let agent = lab.agent();
    agent.wait_for_log("cron is not installed");
    let body = json!({"schedule": "@daily", "image": "a"});
    let error = agent.post("/cron/run-docker", &body).expect(503).error();
    assert!(
        error.contains("cron is not installed") && error.contains("package cron"),
        "{error}"
    );
    let listed = agent.get("/cron/jobs").expect(200).json();
    assert!(
        listed["problems"]
            .to_string()
            .contains("cron is not installed"),
        "{listed}"
    );
    agent
        .post("/cron/remove", &json!({ "job_id": id }))
        .expect(200);
    assert!(!lab.crontab().contains(&id));
}

#[test]
fn an_engine_is_not_needed_and_too_many_are_refused() {
    let lab = CronLab::new();
    let agent = lab.setup().engine(&lab.path("no.sock")).start();
    let ids: Vec<String> = (0..200).map(|_| lab.job(&agent, &json!([]))).collect();
    let body = json!({"schedule": "@daily", "image": "a"});
    let error = agent.post("/cron/run-docker", &body).expect(429).error();
    assert!(error.contains("200"), "{error}");
    let listed = agent.get("/cron/jobs").expect(200).json();
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 200);
    assert!(lab.crontab().contains(&format!(
        "NODE_AGENT_DOCKER_SOCKET={}\n",
        lab.path("no.sock").display()
    )));
    agent
        .post("/cron/remove", &json!({ "job_id": ids[0] }))
        .expect(200);
    agent.post("/cron/run-docker", &body).expect(201);
}

#[test]
fn keys_are_needed() {
    let agent = Agent::start();
    for (method, path) in [
        ("GET", "/cron/jobs"),
        ("POST", "/cron/run-docker"),
        ("POST", "/cron/remove"),
    ] {
        agent
            .connect()
            .request(method, path, &[], b"{}")
            .expect(401);
    }
    assert!(docker::run(&["version"]).is_ok());
}
