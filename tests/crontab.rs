//! The crontab and the files of the jobs, changed behind the agent's back.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use node_agent::clock::Timestamp;
use serde_json::{Value, json};

use crate::support::cron_lab::{CronLab, state_of};

#[test]
fn every_change_has_an_mtime_of_its_own() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let times =
        || ["cron.d/node-agent", "cron.d"].map(|name| lab.path(name).metadata().unwrap().mtime());
    let directory_before = lab.path("cron.d").metadata().unwrap().mtime();
    let first = lab.job(&agent, &json!([]));
    let [mut file, mut directory] = times();
    assert!(directory > directory_before && directory >= Timestamp::now().seconds);
    for _ in 0..3 {
        lab.job(&agent, &json!([]));
        let [new_file, new_directory] = times();
        assert!(new_file > file && new_directory > directory);
        [file, directory] = [new_file, new_directory];
    }
    agent
        .post("/cron/remove", &json!({ "job_id": first }))
        .expect(200);
    let after = times();
    assert!(after[0] > file && after[1] > directory);
    // What is as it should be is left alone.
    drop(agent);
    drop(lab.agent());
    assert_eq!(times(), after);
}

#[test]
fn a_start_repairs_the_crontab() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let id = lab.job(&agent, &json!([]));
    let crontab = lab.crontab();
    let file = lab.path("cron.d/node-agent");
    fs::remove_file(&file).unwrap();
    let listed = agent.get("/cron/jobs").expect(200).json();
    let problems = listed["problems"].to_string();
    assert!(
        problems.contains(&format!("no line for job `{id}`")),
        "{problems}"
    );
    drop(agent);
    drop(lab.agent());
    assert_eq!(lab.crontab(), crontab);
    fs::write(&file, format!("{crontab}* * * * * root something else\n")).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    std::os::unix::fs::chown(&file, Some(1234), Some(1234)).unwrap();
    drop(lab.agent());
    let meta = file.metadata().unwrap();
    assert_eq!(
        (meta.mode() & 0o7777, meta.uid(), lab.crontab()),
        (0o644, 0, crontab)
    );
}

#[test]
fn another_agents_jobs_are_left_alone() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let id = lab.job(&agent, &json!([]));
    let other_state = tempfile::tempdir().unwrap();
    let other = lab
        .setup()
        .env("NODE_AGENT_STATE_DIR", other_state.path())
        .start();
    let body = json!({"schedule": "@daily", "image": "a"});
    let error = other.post("/cron/run-docker", &body).expect(409).error();
    assert!(
        error.contains(&lab.path("state").display().to_string()),
        "{error}"
    );
    assert!(lab.crontab().contains(&id));
    // One that is gone with its jobs has nothing to say.
    agent
        .post("/cron/remove", &json!({ "job_id": id }))
        .expect(200);
    other.post("/cron/run-docker", &body).expect(201);
}

#[test]
fn a_damaged_file_is_told_and_costs_the_others_nothing() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let good = lab.job(&agent, &json!(["sh", "-c", "exit 7"]));
    let bad = lab.job(&agent, &json!([]));
    let text = fs::read_to_string(lab.file(&bad, "json")).unwrap();
    for (damage, word) in [
        (text[..text.len() / 2].to_owned(), "EOF"),
        (text.replace(&bad, &good), "it is about"),
        (
            text.replace("0 0 1 1 *", "* * * * *\\n* * * * * root x"),
            "line feed",
        ),
        (String::new(), "EOF"),
        (" ".repeat(100_000), "bytes"),
    ] {
        fs::write(lab.file(&bad, "json"), damage).unwrap();
        let listed = agent.get("/cron/jobs").expect(200).json();
        assert_eq!(listed["jobs"].as_array().unwrap().len(), 1);
        let problem = &listed["problems"][0];
        assert_eq!(problem["id"], json!(bad));
        assert!(
            problem["problem"].as_str().unwrap().contains(word),
            "{problem}"
        );
        let output = lab.run(&bad);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(1) && said.contains("damaged"),
            "{said}"
        );
        assert!(lab.journal().concat().contains("damaged"));
    }
    let ended = lab.run(&good).status.code();
    assert_eq!(ended, Some(7), "{:#?}", lab.journal());
    let third = lab.job(&agent, &json!([]));
    assert!(lab.crontab().contains(&third) && !lab.crontab().contains(&bad));
    // Half a record is as good as none.
    fs::write(lab.file(&good, "runs"), "{").unwrap();
    assert_eq!(state_of(&agent, &good)["last_run"], Value::Null);
    agent
        .post("/cron/remove", &json!({ "job_id": bad }))
        .expect(200);
    assert!(!lab.file(&bad, "json").exists());
}
