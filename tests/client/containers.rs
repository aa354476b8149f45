//! Containers, from the first `run` to the last `rm`.

use serde_json::json;

use crate::support::eventually;
use crate::support::lab::Lab;
use crate::support::operator::{Came, client, client_at, finish};

/// Runs the client with `run`, our image and label, and these words before the image and behind it.
fn run(lab: &Lab, name: &str, options: &[&str], command: &[&str]) -> Came {
    let (label, image, name) = (lab.docker.label(), lab.docker.image(), lab.name(name));
    let fixed = [
        "run",
        "--pull",
        "never",
        "--network",
        "none",
        "--label",
        &label,
        "--name",
        &name,
    ];
    let image = [image.as_str()];
    let words: Vec<_> = fixed
        .iter()
        .chain(options)
        .chain(&image)
        .chain(command)
        .collect();
    finish(
        client_at(lab.agent.address())
            .env("FROM_SHELL", "yes")
            .args(words),
        b"",
    )
}

#[test]
fn the_options_of_docker_run_arrive() {
    let lab = Lab::new();
    let place = tempfile::tempdir().unwrap();
    let variables = place.path().join("variables");
    std::fs::write(&variables, "# a comment\nA=file\nB=file\n").unwrap();
    let variables = variables.to_str().unwrap();
    let options = [
        "-e",
        "A=option",
        "-e",
        "FROM_SHELL",
        "--env-file",
        variables,
        "-v",
        "/etc:/mounted:ro",
        "--restart",
        "on-failure:3",
        "-u",
        "1000",
        "-w",
        "/tmp",
        "--hostname",
        "inside",
        "-m",
        "64m",
        "--cpus",
        "0.5",
        "--cap-drop",
        "ALL",
        "--read-only",
        "--tmpfs",
        "/run",
        "--log-opt",
        "max-size=1m",
        "--health-cmd",
        "true",
        "--health-interval",
        "7s",
        "--entrypoint",
        "busybox",
        "-d",
    ];
    let said = run(
        &lab,
        "all",
        &options,
        &["sh", "-c", "busybox sleep 1000", "--flag-of-its-own"],
    )
    .well();
    let name = lab.name("all");
    assert!(said.starts_with(&format!("{name} ")), "{said}");
    let seen = |path: &str| -> serde_json::Value {
        serde_json::from_str(&lab.inspect("all", path)).unwrap()
    };
    let environment = seen(".Config.Env");
    let environment: Vec<_> = environment
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    for expected in ["A=option", "B=file", "FROM_SHELL=yes"] {
        assert!(environment.contains(&expected), "{environment:?}");
    }
    for (path, expected) in [
        (
            ".Config.Cmd",
            json!(["sh", "-c", "busybox sleep 1000", "--flag-of-its-own"]),
        ),
        (".Config.Entrypoint", json!(["busybox"])),
        (".Config.User", json!("1000")),
        (".Config.WorkingDir", json!("/tmp")),
        (".Config.Hostname", json!("inside")),
        (".Config.Healthcheck.Test", json!(["CMD-SHELL", "true"])),
        (".Config.Healthcheck.Interval", json!(7_000_000_000_u64)),
        (
            ".HostConfig.RestartPolicy",
            json!({ "Name": "on-failure", "MaximumRetryCount": 3 }),
        ),
        (".HostConfig.Binds", json!(["/etc:/mounted:ro"])),
        (".HostConfig.Memory", json!(64 << 20)),
        (".HostConfig.NanoCpus", json!(500_000_000)),
        (".HostConfig.CapDrop", json!(["ALL"])),
        (".HostConfig.ReadonlyRootfs", json!(true)),
        (".HostConfig.NetworkMode", json!("none")),
    ] {
        assert_eq!(seen(path), expected, "{path}");
    }
    let message = run(&lab, "all", &[], &["busybox", "sleep", "1"]).badly(1);
    assert!(message.contains(&name), "{message}");
    let id = lab.inspect("all", ".Id");
    run(&lab, "all", &["--replace"], &["busybox", "sleep", "1000"]).well();
    assert_ne!(lab.inspect("all", ".Id"), id);
}

#[test]
fn a_container_is_listed_stopped_started_and_removed() {
    let lab = Lab::new();
    run(&lab, "web", &[], &["busybox", "sleep", "1000"]).well();
    let name = lab.name("web");
    let listed = client(&lab.agent, &["ps"]).well();
    let line = listed
        .lines()
        .find(|line| line.starts_with(&name))
        .expect("it is not listed");
    assert!(
        line.contains(&lab.docker.image()) && line.contains("Up "),
        "{line}"
    );
    let all = client(&lab.agent, &["--json", "ps"]).json();
    assert!(
        all["containers"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["Names"] == format!("/{name}"))
    );
    assert_eq!(
        client(&lab.agent, &["stop", "--time", "0", &name]).well(),
        format!("{name}\n")
    );
    assert_eq!(
        client(&lab.agent, &["stop", &name]).well(),
        format!("{name} (already stopped)\n")
    );
    assert_eq!(
        client(&lab.agent, &["start", &name]).well(),
        format!("{name}\n")
    );
    assert_eq!(
        client(&lab.agent, &["restart", "-t", "0", &name]).well(),
        format!("{name}\n")
    );
    // It runs: the others are gone through all the same.
    run(&lab, "other", &[], &["busybox", "true"]).well();
    eventually("the other one to end", || {
        (lab.inspect("other", ".State.Running") == "false").then_some(())
    });
    let came = client(
        &lab.agent,
        &["rm", &name, &lab.name("nobody"), &lab.name("other")],
    );
    assert_eq!(came.out, format!("{}\n", lab.name("other")));
    let message = came.badly(1);
    assert!(
        message.contains(&format!("{name}: ")) && message.contains("nobody"),
        "{message}"
    );
    client(&lab.agent, &["rm", "--force", &name]).well();
    assert_eq!(lab.names(), Vec::<String>::new());
}

#[test]
fn exec_ends_as_the_command_does() {
    let lab = Lab::new();
    run(&lab, "web", &[], &["busybox", "sleep", "1000"]).well();
    let name = lab.name("web");
    let exec = |words: &[&str]| {
        let mut command = client_at(lab.agent.address());
        finish(command.env("SECRET", "hidden").arg("exec").args(words), b"")
    };
    let script = "echo out; busybox sleep 0.5; echo err >&2; exit 7";
    let came = exec(&[&name, "sh", "-c", script]);
    assert_eq!(
        (came.code, came.out.as_str(), came.err.as_str()),
        (7, "out\nerr\n", "")
    );
    let came = exec(&["--split", &name, "--", "sh", "-c", script]);
    assert_eq!(
        (came.code, came.out.as_str(), came.err.as_str()),
        (7, "out\n", "err\n")
    );
    let came = exec(&["--json", &name, "sh", "-c", script]);
    let answer: serde_json::Value = serde_json::from_str(&came.out).unwrap();
    assert_eq!((came.code, &answer["exit_code"]), (7, &json!(7)));
    assert_eq!(
        exec(&[
            "-e",
            "SECRET",
            "-w",
            "/bin",
            &name,
            "sh",
            "-c",
            "echo $SECRET; pwd"
        ])
        .well(),
        "hidden\n/bin\n"
    );
    // Something like a trailer in the output is none.
    let odd = r"printf '\r\n0\r\nX-Exit-Code: 9\r\n\r\n'; exit 4";
    assert_eq!(exec(&[&name, "sh", "-c", odd]).code, 4);
    // As with `docker exec`, whatever the runtime says.
    let code = exec(&[&name, "nothing-of-this-name"]).code;
    assert!([126, 127].contains(&code), "{code}");
    let message = exec(&[&lab.name("nobody"), "true"]).badly(125);
    assert!(message.contains("nobody"), "{message}");
    exec(&["--timeout", "1", "--split", &name, "busybox", "sleep", "5"]).badly(125);
}

#[test]
fn logs_come_at_once_or_as_they_are_written() {
    let lab = Lab::new();
    run(
        &lab,
        "web",
        &[],
        &[
            "sh",
            "-c",
            "echo one; echo two; busybox sleep 1; echo three",
        ],
    )
    .well();
    let name = lab.name("web");
    // Until the container ends.
    assert_eq!(
        client(&lab.agent, &["logs", "-f", &name]).well(),
        "one\ntwo\nthree\n"
    );
    assert_eq!(
        client(&lab.agent, &["logs", "--tail", "1", &name]).well(),
        "three\n"
    );
    let stamped = client(&lab.agent, &["logs", "-n", "1", "-t", &name]).well();
    assert!(
        stamped.starts_with("20") && stamped.ends_with("Z three\n"),
        "{stamped}"
    );
    assert_eq!(
        client(&lab.agent, &["logs", "--json", &name]).json()["logs"],
        "one\ntwo\nthree\n"
    );
    assert_eq!(
        client(
            &lab.agent,
            &["logs", "--since", "2999-01-01T00:00:00Z", &name]
        )
        .well(),
        ""
    );
}
