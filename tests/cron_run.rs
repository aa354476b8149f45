//! `node-agent cron-run ID`: what cron starts, started here without it.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::cron_lab::{CronLab, containers_of, let_go, state_of, waiting};
use crate::support::docker;
use crate::support::eventually;

#[test]
fn a_run_does_all_of_it_and_leaves_nothing() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let data = tempfile::tempdir().unwrap();
    let network = format!("{}-net", lab.docker.name);
    let second = format!("{}-net2", lab.docker.name);
    for network in [&network, &second] {
        docker::run(&["network", "create", network]).unwrap();
    }
    let script = "echo out; echo err >&2; echo $GREETING > /data/said; busybox ip -o addr | busybox grep -c eth > /data/nets; printf 'no end'; exit 42";
    let id = lab.job_with(&agent, &json!({
        "command": script, "environment": {"GREETING": "hello world"},
        "volumes": [format!("{}:/data", data.path().display()), "/cache"], "networks": [network, second]
    }));
    // The agent is not needed.
    drop(agent);
    let output = lab.run(&id);
    let journal = lab.journal();
    assert_eq!(output.status.code(), Some(42), "{output:?} {journal:#?}");
    assert_eq!(
        fs::read_to_string(data.path().join("said")).unwrap(),
        "hello world\n"
    );
    assert_eq!(fs::read_to_string(data.path().join("nets")).unwrap(), "2\n");
    assert!(containers_of(&id).is_empty());
    let entry = |text: &str| {
        let line = format!("MESSAGE={id}: {text}");
        journal
            .iter()
            .find(|entry| entry.starts_with(&line))
            .unwrap_or_else(|| panic!("{line} in {journal:#?}"))
    };
    for (text, priority) in [
        ("out\n", 6),
        ("err\n", 4),
        ("no end\n", 6),
        ("exit code 42 after", 3),
        ("container ", 6),
    ] {
        let entry = entry(text);
        assert!(
            entry.contains(&format!("\nPRIORITY={priority}\n")),
            "{entry}"
        );
        assert!(
            entry.contains("\nSYSLOG_IDENTIFIER=node-agent-cron\n")
                && entry.contains(&format!("\nNODE_AGENT_CRON_JOB={id}\n"))
        );
    }
    let agent = lab.agent();
    let listed = state_of(&agent, &id);
    assert_eq!(
        (&listed["last_exit_code"], &listed["running"]),
        (&json!(42), &json!(false))
    );
    let seconds = listed["last_duration"].as_f64().unwrap();
    assert!(
        seconds > 0.0
            && seconds < 60.0
            && listed["last_run"].is_string()
            && listed.get("last_error").is_none()
    );
    // A second one takes the first one's place in the list.
    let other = lab.job(&agent, &json!(["true"]));
    assert_eq!(lab.run(&other).status.code(), Some(125));
    let failed = state_of(&agent, &other);
    assert!(
        failed["last_error"]
            .as_str()
            .unwrap()
            .contains("could not be started"),
        "{failed}"
    );
    assert!(containers_of(&other).is_empty());
}

#[test]
fn a_run_that_goes_on_is_not_started_twice() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let (id, data) = waiting(&lab, &agent);
    let mut first = lab.start(&id);
    let listed = state_of(&agent, &id);
    assert!(
        listed["running"] == true
            && listed["running_since"].is_string()
            && listed["last_run"] == Value::Null
    );
    let second = lab.run(&id);
    assert_eq!(second.status.code(), Some(75));
    assert!(
        lab.journal()
            .concat()
            .contains("not started: the run before is still running")
    );
    assert_eq!(containers_of(&id).len(), 1);
    let listed = state_of(&agent, &id);
    assert!(
        listed["running"] == true && listed["last_skipped"].is_string(),
        "{listed}"
    );
    let_go(&data);
    assert_eq!(first.wait(), Some(3));
    let listed = state_of(&agent, &id);
    assert!(
        listed["running"] == false
            && listed["last_exit_code"] == 3
            && listed.get("running_since").is_none()
    );
    assert_eq!(lab.run(&id).status.code(), Some(3));
}

#[test]
fn two_jobs_run_at_the_same_moment() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let jobs = [waiting(&lab, &agent), waiting(&lab, &agent)];
    let mut runs: Vec<_> = jobs.iter().map(|(id, _)| lab.start(id)).collect();
    for (id, data) in &jobs {
        assert_eq!(containers_of(id).len(), 1);
        let_go(data);
    }
    for (run, (id, _)) in runs.iter_mut().zip(&jobs) {
        assert_eq!(run.wait(), Some(3));
        assert_eq!(state_of(&agent, id)["last_exit_code"], 3);
    }
}

#[test]
fn a_job_that_is_removed_while_it_runs_goes_on_to_its_end() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let (id, data) = waiting(&lab, &agent);
    let mut run = lab.start(&id);
    let gone = agent
        .post("/cron/remove", &json!({ "job_id": id }))
        .expect(200)
        .json();
    assert_eq!(gone["running"], true);
    assert_eq!(
        agent.get("/cron/jobs").expect(200).json(),
        json!({"jobs": []})
    );
    assert_eq!(containers_of(&id).len(), 1);
    let_go(&data);
    assert_eq!(run.wait(), Some(3));
    assert!(containers_of(&id).is_empty());
    let left: Vec<_> = fs::read_dir(lab.path("state/cron"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"]);
    let output = lab.run(&id);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains(&format!("there is no cron job `{id}`"))
    );
}

#[test]
fn a_killed_run_leaves_a_container_that_counts_and_removes_itself() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let (id, data) = waiting(&lab, &agent);
    let mut run = lab.start(&id);
    run.signal("KILL");
    assert_eq!(run.wait(), None);
    let listed = state_of(&agent, &id);
    assert!(
        listed["running"] == false
            && listed["last_run"].is_string()
            && listed["last_exit_code"] == Value::Null
    );
    assert!(
        listed["last_error"]
            .as_str()
            .unwrap()
            .contains("broken off"),
        "{listed}"
    );
    assert_eq!(lab.run(&id).status.code(), Some(75));
    assert!(
        lab.journal()
            .concat()
            .contains("left by a run that was killed")
    );
    let_go(&data);
    eventually("the container to be gone", || {
        containers_of(&id).is_empty().then_some(())
    });
    assert_eq!(lab.run(&id).status.code(), Some(3));
    assert_eq!(state_of(&agent, &id)["last_exit_code"], 3);
    // One that was made and never started is removed by the next run, and by the removal of the job.
    let label = format!("node-agent.cron={id}");
    let make = || {
        lab.docker
            .create_by_cli(&["--label", &label], &["sh"])
            .unwrap()
    };
    make();
    assert_eq!(lab.run(&id).status.code(), Some(3));
    assert!(containers_of(&id).is_empty());
    make();
    agent
        .post("/cron/remove", &json!({ "job_id": id }))
        .expect(200);
    assert!(containers_of(&id).is_empty());
}

#[test]
fn a_signal_stops_the_container() {
    let lab = CronLab::new();
    let agent = lab.agent();
    let id = lab.job(
        &agent,
        &json!([
            "sh",
            "-c",
            "trap 'echo asked; exit 9' TERM; echo begun; while :; do busybox sleep 0.05; done"
        ]),
    );
    for signal in ["TERM", "INT", "HUP"] {
        let mut run = lab.start(&id);
        let mut seen = String::new();
        eventually("the job to set its trap", || {
            seen.push_str(&lab.journal().concat());
            seen.contains("begun\n").then_some(())
        });
        run.signal(signal);
        assert_eq!(run.wait(), Some(9), "{signal}");
        assert!(lab.journal().concat().contains("asked\n"));
        assert!(containers_of(&id).is_empty());
        let listed = state_of(&agent, &id);
        assert_eq!(
            (&listed["last_exit_code"], &listed["last_error"]),
            (&json!(9), &json!("it was stopped by a signal"))
        );
    }
}

#[test]
fn without_a_journal_lines_go_to_syslog_and_without_that_to_stderr() {
    let lab = CronLab::new();
    let id = lab.job(&lab.agent(), &json!(["sh", "-c", "echo said"]));
    let syslog = lab.syslog();
    assert_eq!(lab.run(&id).status.code(), Some(0));
    let mut buffer = [0; 8192];
    let line = loop {
        let length = syslog.recv(&mut buffer).unwrap();
        let line = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if line.ends_with(": said") {
            break line;
        }
    };
    assert!(
        line.starts_with("<78>")
            && line.contains(" node-agent-cron[")
            && line.contains(&format!("]: {id}: ")),
        "{line}"
    );
    drop(syslog);
    fs::remove_file(lab.path("syslog")).unwrap();
    let output = lab.run(&id);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr.contains(&format!("{id}: said\n")) && stderr.contains("exit code 0"),
        "{stderr}"
    );
}

#[test]
fn a_journal_that_hangs_costs_lines_and_not_the_job() {
    let lab = CronLab::new();
    let id = lab.job(
        &lab.agent(),
        &json!([
            "sh",
            "-c",
            "for i in 1 2 3; do busybox seq 20000; done; busybox printf '%09000d\\n' 7"
        ]),
    );
    let since = Instant::now();
    let mut run = lab.start_unseen(&id);
    assert_eq!(run.wait(), Some(0));
    assert!(since.elapsed() < Duration::from_secs(15));
    let seen = lab.journal();
    assert!(seen.len() < 60_000 && !seen.is_empty());
    assert!(containers_of(&id).is_empty());
    // One that listens gets all of it, long lines in pieces.
    let listening = std::thread::spawn({
        let run = lab.cron_run(&id).stderr(Stdio::null()).spawn().unwrap();
        move || run.wait_with_output().unwrap().status.code()
    });
    let mut lines = 0;
    let mut zeros = 0;
    eventually("the run to end", || {
        for entry in lab.journal() {
            assert!(entry.len() < 5000);
            lines += 1;
            zeros += entry.matches('0').count() / 2000;
        }
        listening.is_finished().then_some(())
    });
    lines += lab.journal().len();
    assert_eq!(listening.join().unwrap(), Some(0));
    assert_eq!((lines, zeros), (60_000 + 3 + 2, 4));
}

#[test]
fn wrong_usage_is_told() {
    let lab = CronLab::new();
    let output = lab
        .command(env!("CARGO_BIN_EXE_node-agent"), &["cron-run"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    for id in ["nonsense", "../../etc/passwd", "cron_000000000000"] {
        let output = lab.run(id);
        assert_eq!(output.status.code(), Some(1));
        assert!(!output.stderr.is_empty());
    }
    let id = "cron_000000000000";
    assert!(
        lab.journal()
            .concat()
            .contains(&format!("there is no cron job `{id}`"))
    );
    let output = lab
        .command(env!("CARGO_BIN_EXE_node-agent"), &["key", "x"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}
