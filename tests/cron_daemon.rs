//! Debian's own cron, really waited for.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use node_agent::clock::Timestamp;
use serde_json::json;

use crate::support::cron_lab::{CronLab, containers_of, state_of};

/// cron compares whole seconds: what changes in the second of its look, after it, is the hard case. cron looks when it
/// starts, so that second can be hit.
#[test]
fn a_job_made_in_the_second_of_crons_look_runs_at_its_first_minute() {
    let lab = CronLab::new();
    let agent = lab.agent();
    // The crontab is there, so that the file's mtime counts, too.
    let other = lab.job(&agent, &json!([]));
    let (cron, id, warnings) = loop {
        let looked = Timestamp::now().seconds;
        // Not so late in a minute that the next one begins meanwhile.
        if looked % 60 > 50 {
            std::thread::sleep(Duration::from_secs((60 - looked % 60).unsigned_abs()));
            continue;
        }
        let cron = lab.cron();
        cron.wait_for_sleep();
        let body = json!({"schedule": "* * * * *", "image": lab.docker.image(), "networks": ["none"], "command": "echo fired; exit 6"});
        let made = agent.post("/cron/run-docker", &body).expect(201).json();
        let id = made["id"].as_str().unwrap().to_owned();
        if Timestamp::now().seconds == looked {
            break (cron, id, made);
        }
        agent
            .post("/cron/remove", &json!({ "job_id": id }))
            .expect(200);
    };
    assert!(warnings.get("warnings").is_none(), "{warnings}");
    let due = Timestamp::parse(warnings["next_run"].as_str().unwrap()).unwrap();
    assert_eq!(due.seconds % 60, 0);
    let until = Instant::now() + Duration::from_secs(75);
    let listed = loop {
        let listed = state_of(&agent, &id);
        if listed["last_run"].is_string() {
            break listed;
        }
        assert!(Instant::now() < until, "it did not run: {}", lab.crontab());
        std::thread::sleep(Duration::from_millis(100));
    };
    agent
        .post("/cron/remove", &json!({ "job_id": id }))
        .expect(200);
    drop(cron);
    assert_eq!(listed["last_exit_code"], 6);
    let began = Timestamp::parse(listed["last_run"].as_str().unwrap()).unwrap();
    assert!((0..10).contains(&(began.seconds - due.seconds)), "{listed}");
    assert!(
        lab.journal()
            .concat()
            .contains(&format!("MESSAGE={id}: fired\n"))
    );
    let all: BTreeSet<String> = [&id, &other]
        .into_iter()
        .flat_map(|id| containers_of(id))
        .collect();
    assert!(all.is_empty());
}
