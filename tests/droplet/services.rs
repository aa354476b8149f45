//! The droplet's services, as its systemd has them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::machine::Droplet;
use crate::{droplet, droplet_alone};

/// Undoes what a test does to nginx, also when the test fails.
struct Nginx<'d>(&'d Droplet);

const BROKEN: &str = "/etc/nginx/conf.d/broken.conf";

impl Drop for Nginx<'_> {
    fn drop(&mut self) {
        self.0.run(&["rm", "-f", BROKEN]);
        self.0.run(&["systemctl", "unmask", "nginx"]);
        self.0.run(&["systemctl", "enable", "nginx"]);
        self.0.run(&["systemctl", "restart", "nginx"]);
    }
}

fn status(droplet: &Droplet, service: &str) -> Value {
    droplet
        .get(&format!("/services/{service}/status"))
        .expect(200)
        .json()
}

#[test]
fn statuses_are_systemds() {
    let droplet = droplet();
    for service in ["docker", "node-agent"] {
        let mut shown = status(&droplet, service);
        let uptime = shown["uptime"].take().as_u64().unwrap();
        assert_eq!(
            shown,
            json!({"service": service, "active": true, "enabled": true, "uptime": null, "state": "active", "installed": true})
        );
        let since = droplet.property(service, "ActiveEnterTimestampMonotonic");
        let since = Duration::from_micros(since.parse().unwrap());
        let now = droplet.text(&["cut", "-d.", "-f1", "/proc/uptime"]);
        let expected = now.parse::<u64>().unwrap() - since.as_secs();
        assert!(
            uptime.abs_diff(expected) <= 2,
            "{service}: {uptime}, {expected}"
        );
    }
}

#[test]
fn a_service_that_is_stopped_disabled_or_masked() {
    let droplet = droplet_alone();
    let _nginx = Nginx(&droplet);
    let is = |active, enabled, state: &str| {
        let mut shown = status(&droplet, "nginx");
        if active {
            shown["uptime"].take();
        }
        let uptime = if active { Value::Null } else { json!(0) };
        assert_eq!(
            shown,
            json!({"service": "nginx", "active": active, "enabled": enabled, "uptime": uptime, "state": state, "installed": true})
        );
    };
    is(true, true, "active");
    droplet.text(&["systemctl", "disable", "nginx"]);
    is(true, false, "active");
    droplet.text(&["systemctl", "stop", "nginx"]);
    is(false, false, "inactive");
    // A restart starts what does not run.
    let restarted = droplet.post_nothing("/services/nginx/restart").expect(200);
    assert_eq!(
        restarted.json(),
        json!({"service": "nginx", "status": "restarted", "active": true})
    );
    is(true, false, "active");
    droplet.text(&["systemctl", "mask", "nginx"]);
    let masked = droplet.post_nothing("/services/nginx/restart").expect(409);
    assert!(masked.error().contains("systemctl unmask nginx"));
    is(true, false, "active");
}

#[test]
fn a_service_that_is_not_installed() {
    let droplet = droplet_alone();
    // The agent restores it: it is what a restart of the agent at the end of this test finds.
    let unit = "/etc/systemd/system/node-agent.service";
    droplet.shell(&format!("mv {unit} /root/unit; systemctl daemon-reload"));
    let shown = status(&droplet, "node-agent");
    let restarted = droplet.post_nothing("/services/node-agent/restart");
    droplet.shell(&format!("mv /root/unit {unit}; systemctl daemon-reload"));
    assert_eq!(
        (&shown["installed"], &shown["enabled"]),
        (&json!(false), &json!(false))
    );
    restarted.expect(404);
}

#[test]
fn a_running_nginx_is_not_stopped_for_a_broken_configuration() {
    let droplet = droplet_alone();
    let _nginx = Nginx(&droplet);
    let before = droplet.text(&["systemctl", "show", "--property=MainPID", "nginx"]);
    droplet.write(BROKEN, b"nonsense;\n");
    let refused = droplet.post_nothing("/services/nginx/restart").expect(400);
    assert!(refused.error().contains("it was not restarted"));
    assert!(
        refused.json()["details"]
            .to_string()
            .contains("unknown directive")
    );
    let after = droplet.text(&["systemctl", "show", "--property=MainPID", "nginx"]);
    assert_eq!(before, after);
}

#[test]
fn why_a_service_does_not_start_is_told() {
    let droplet = droplet_alone();
    let _nginx = Nginx(&droplet);
    droplet.text(&["systemctl", "stop", "nginx"]);
    droplet.write(BROKEN, b"nonsense;\n");
    let failed = droplet.post_nothing("/services/nginx/restart").expect(500);
    assert!(failed.error().contains("it is failed"));
    let details = failed.json()["details"].as_str().unwrap().to_owned();
    assert!(
        details.contains("unknown directive \"nonsense\""),
        "{details}"
    );
    assert_eq!(status(&droplet, "nginx")["state"], "failed");
    droplet.text(&["rm", BROKEN]);
    droplet.post_nothing("/services/nginx/restart").expect(200);
    assert_eq!(status(&droplet, "nginx")["active"], true);
}

#[test]
fn nginx_is_restarted() {
    let droplet = droplet_alone();
    let before = droplet.property("nginx", "MainPID");
    droplet.post_nothing("/services/nginx/restart").expect(200);
    assert_ne!(droplet.property("nginx", "MainPID"), before);
    assert_eq!(droplet.property("nginx", "ActiveState"), "active");
}

/// Docker's unit takes three starts a minute; the fourth stops it for good.
#[test]
fn docker_is_restarted_as_often_as_somebody_asks() {
    let droplet = droplet_alone();
    for _ in 0..5 {
        let before = droplet.property("docker", "MainPID");
        droplet.post_nothing("/services/docker/restart").expect(200);
        assert_ne!(droplet.property("docker", "MainPID"), before);
        assert_eq!(droplet.property("docker", "ActiveState"), "active");
    }
    droplet.wait_until_ok();
    droplet.get("/containers").expect(200);
}

#[test]
fn the_agent_answers_before_it_is_restarted_and_finishes_what_runs() {
    let droplet = droplet_alone();
    droplet.text(&[
        "docker",
        "run",
        "--detach",
        "--name=services-sleeper",
        Droplet::IMAGE,
        "sleep",
        "1000",
    ]);
    let before = droplet.property("node-agent", "MainPID");
    std::thread::scope(|scope| {
        let droplet: &Droplet = &droplet;
        let running = scope.spawn(move || {
            let body = json!({"command": ["sh", "-c", "sleep 2; echo done"]});
            droplet.post("/containers/services-sleeper/exec", &body)
        });
        let is_running = "docker top services-sleeper | grep -q 'sleep 2'";
        droplet.wait_for("the command to run", || {
            droplet.run(&["sh", "-c", is_running]).status.success()
        });
        let answer = droplet.post_nothing("/services/node-agent/restart");
        assert_eq!(
            answer.expect(200).json(),
            json!({"service": "node-agent", "status": "restarting", "active": true})
        );
        let done = running.join().unwrap().expect(200).json();
        assert_eq!(done["stdout"], "done\n");
    });
    wait_for_another(&droplet, &before);
    // Ordered, not crashed: systemd has counted no restart of its own.
    assert_eq!(droplet.property("node-agent", "NRestarts"), "0");
    droplet.text(&["docker", "rm", "--force", "services-sleeper"]);
}

#[test]
fn no_answer_is_lost_to_a_restart() {
    let droplet = droplet_alone();
    for _ in 0..10 {
        let before = droplet.property("node-agent", "MainPID");
        droplet
            .post_nothing("/services/node-agent/restart")
            .expect(200);
        wait_for_another(&droplet, &before);
    }
}

/// Waits until another agent than the process `before` serves.
fn wait_for_another(droplet: &Droplet, before: &str) {
    droplet.wait_for("the agent to be another one", || {
        let now = droplet.property("node-agent", "MainPID");
        now != before && now != "0"
    });
    droplet.wait_until_ok();
}
