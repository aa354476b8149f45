//! Debian's cron, started by systemd, runs the jobs: seen by waiting for the next full minute.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Droplet, droplet, droplet_alone};

fn job(droplet: &Droplet, body: &Value) -> String {
    let made = droplet.post("/cron/run-docker", body).expect(201);
    made.json()["id"].as_str().unwrap().to_owned()
}

fn listed(droplet: &Droplet, id: &str) -> Value {
    let jobs = droplet.get("/cron/jobs").expect(200).json();
    let found = jobs["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|job| job["id"] == id);
    found.cloned().unwrap_or_default()
}

fn containers_of(droplet: &Droplet, id: &str) -> String {
    let label = format!("label=node-agent.cron={id}");
    droplet.text(&["docker", "ps", "--all", "--quiet", "--filter", &label])
}

#[test]
fn cron_runs_a_job_and_its_words_are_in_the_journal() {
    let droplet = droplet();
    droplet.text(&["mkdir", "-p", "/local/fired"]);
    let script = r#"echo "fired by $WHO"; date > /out/ran; exit 3"#;
    let id = job(
        &droplet,
        &json!({
            "schedule": "* * * * *", "image": Droplet::IMAGE, "command": ["sh", "-c", script],
            "environment": {"WHO": "cron at 100%"}, "volumes": ["/local/fired:/out"],
        }),
    );
    // cron looks once a minute, and the container takes some seconds on a busy machine.
    droplet.wait_within(Duration::from_secs(100), "the job to be run", || {
        listed(&droplet, &id)["last_exit_code"] == 3
    });
    assert!(
        droplet
            .run(&["test", "-s", "/local/fired/ran"])
            .status
            .success()
    );
    let job = listed(&droplet, &id);
    assert!(job["last_run"].is_string() && job["last_duration"].is_number());
    let of_job = format!("NODE_AGENT_CRON_JOB={id}");
    droplet.wait_for("its words to be in the journal", || {
        let said = droplet.text(&["journalctl", "--output=cat", &of_job]);
        said.contains("fired by cron at 100%")
    });
    droplet
        .post("/cron/remove", &json!({ "job_id": id }))
        .expect(200);
    droplet.wait_for("its last container to be gone", || {
        containers_of(&droplet, &id).is_empty()
    });
}

#[test]
fn a_job_needs_no_agent() {
    let droplet = droplet_alone();
    let id = job(
        &droplet,
        &json!({ "schedule": "0 0 1 1 *", "image": Droplet::IMAGE, "command": ["sh", "-c", "exit 7"] }),
    );
    droplet.text(&["systemctl", "stop", "node-agent"]);
    let ran = droplet.run(&["/usr/local/bin/node-agent", "cron-run", &id]);
    droplet.text(&["systemctl", "start", "node-agent"]);
    assert_eq!(ran.status.code(), Some(7));
    assert_eq!(listed(&droplet, &id)["last_exit_code"], 7);
    assert_eq!(containers_of(&droplet, &id), "");
    droplet
        .post("/cron/remove", &json!({ "job_id": id }))
        .expect(200);
}

#[test]
fn a_cron_that_does_not_run_is_told() {
    let droplet = droplet_alone();
    droplet.text(&["systemctl", "stop", "cron"]);
    let body = json!({ "schedule": "@daily", "image": Droplet::IMAGE });
    let made = droplet.post("/cron/run-docker", &body).expect(201).json();
    droplet.text(&["systemctl", "start", "cron"]);
    assert!(made["warnings"].to_string().contains("cron"), "{made}");
    droplet
        .post("/cron/remove", &json!({ "job_id": made["id"] }))
        .expect(200);
}
