//! The body of run against the docker CLI: what `docker create` makes of a text is what the engine makes of our JSON,
//! and what the one refuses the other refuses, but for the differences that are named here with their reasons.

use node_agent::api::containers::spec::{RunBody, translate};
use node_agent::api::image_reference::ImageReference;
use serde_json::{Value, json};

mod tables;

use crate::support::docker::{self, Docker};
use tables::{IMAGES, PORTS, SCALARS, VOLUMES, Verdict};

/// The container that the engine makes of `fields`, as the handler would ask for it.
fn create_by_us(docker: &Docker, fields: &Value) -> Result<String, String> {
    let mut body = json!({"image": docker.image(), "labels": [docker.label()]});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    let body: RunBody = serde_json::from_value(body).unwrap();
    let plan = translate(&body).map_err(|error| error.to_string())?;
    let created = docker::create_by_engine(&plan.create);
    // What we let pass, the engine takes.
    Ok(created.unwrap_or_else(|error| panic!("{fields}: {error}")))
}

/// Meets every text of `table`, given with `flag` to the CLI and in the list `field` to us. `seen` is what must be equal.
fn compare(
    docker: &Docker,
    (flag, field): (&str, &str),
    table: &[(&str, Verdict)],
    seen: impl Fn(Value) -> Value,
) {
    for (text, verdict) in table {
        let text = text.replace("VOLUME", &docker.name);
        let theirs = docker.create_by_cli(&[flag, &text], &[]);
        let ours = create_by_us(docker, &json!({field: [text]}));
        meet(&text, *verdict, (theirs, ours), &seen);
    }
}

/// Holds both containers, or refusals, to the verdict.
fn meet(
    text: &str,
    verdict: Verdict,
    created: (Result<String, String>, Result<String, String>),
    seen: impl Fn(Value) -> Value,
) {
    match (verdict, created) {
        (Verdict::Same, (Ok(theirs), Ok(ours))) => {
            let (theirs, ours) = docker::inspect(&theirs, &ours);
            assert_eq!(seen(ours), seen(theirs), "{text}");
        }
        (Verdict::Bad, (Err(_), Err(_))) | (Verdict::Stricter(_), (Ok(_), Err(_))) => {}
        (verdict, created) => panic!("{text:?} is {verdict:?}; the CLI and we: {created:?}"),
    }
}

fn pick(inspect: &Value, pointers: &[&str]) -> Value {
    pointers
        .iter()
        .map(|pointer| {
            (
                (*pointer).to_owned(),
                inspect.pointer(pointer).cloned().unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn ports_are_those_of_the_cli() {
    let docker = Docker::new();
    compare(&docker, ("-p", "ports"), PORTS, |inspect| {
        pick(
            &inspect,
            &["/HostConfig/PortBindings", "/Config/ExposedPorts"],
        )
    });
}

#[test]
fn volumes_are_those_of_the_cli() {
    let docker = Docker::new();
    compare(&docker, ("-v", "volumes"), VOLUMES, |mut inspect| {
        // The names of anonymous volumes are random.
        for mount in inspect["Mounts"].as_array_mut().unwrap() {
            if mount["Name"].as_str().is_some_and(|name| name.len() == 64) {
                mount["Name"] = json!("random");
                mount["Source"] = json!("random");
            }
        }
        pick(
            &inspect,
            &["/HostConfig/Binds", "/Config/Volumes", "/Mounts"],
        )
    });
}

#[test]
fn single_values_are_those_of_the_cli() {
    let docker = Docker::new();
    for ((flag, field, pointer), text, verdict) in SCALARS {
        let theirs = docker.create_by_cli(&[flag, text], &[]);
        let ours = create_by_us(&docker, &json!({*field: text}));
        meet(text, *verdict, (theirs, ours), |inspect| {
            pick(&inspect, &[pointer])
        });
    }
}

#[test]
fn images_are_those_of_the_cli() {
    for (text, is_image) in IMAGES {
        // Never there, so it fails in any case; what is no reference fails before the engine looks for it.
        let complaint = docker::run(&["create", "--pull", "never", "--", text]).unwrap_err();
        let is_theirs = complaint.to_lowercase().contains("no such image");
        assert_eq!(is_theirs, *is_image, "{text:?}: {complaint}");
        assert_eq!(ImageReference::parse(text).is_ok(), *is_image, "{text:?}");
    }
}

#[test]
fn every_field_reaches_the_engine_as_from_the_cli() {
    let docker = Docker::new();
    let network = format!("{}-net", docker.name);
    docker::run(&["network", "create", &network]).unwrap();
    let flags = "-p 127.0.0.1:8080:80 -p 53/udp -e A=0 -e B= -e A=1 -v /tmp/a:/b:ro -v /c --restart on-failure:3 \
                 --health-interval 1.5s --health-timeout 2s --health-retries 4 --health-start-period 100ms \
                 --label x=y --label z --user 1000:1000 --workdir /tmp --hostname web.example.com \
                 --memory 1.5g --cpus 0.75 --cap-add net_admin --cap-add CAP_SYS_TIME --cap-drop mknod \
                 --read-only --tmpfs /run --tmpfs /x:size=5m,mode=700 --log-driver json-file --log-opt max-size=5m \
                 --log-opt max-file=2 --entrypoint /bin/sh";
    let mut flags: Vec<&str> = flags.split_whitespace().collect();
    flags.extend(["--health-cmd", "test -e /run", "--network", &network]);
    let theirs = docker.create_by_cli(&flags, &["-c", "sleep 5"]).unwrap();
    let fields = json!({
        "ports": ["127.0.0.1:8080:80", "53/udp"],
        "environment": ["A=0", "B=", "A=1"],
        "volumes": ["/tmp/a:/b:ro", "/c"],
        "restart_policy": "on-failure:3",
        "health_check": {"test": "test -e /run", "interval": 1.5, "timeout": 2, "retries": 4, "start_period": 0.1},
        "labels": [docker.label(), "x=y", "z"],
        "user": "1000:1000",
        "workdir": "/tmp",
        "hostname": "web.example.com",
        "memory": "1.5g",
        "cpus": 0.75,
        "cap_add": ["net_admin", "CAP_SYS_TIME"],
        "cap_drop": ["mknod"],
        "read_only": true,
        "tmpfs": ["/run", "/x:size=5m,mode=700"],
        "log_opts": {"max-size": "5m", "max-file": 2},
        "entrypoint": "/bin/sh",
        "command": ["-c", "sleep 5"],
        "network": network,
    });
    let ours = create_by_us(&docker, &fields).unwrap();
    let (mut theirs, ours) = docker::inspect(&theirs, &ours);
    // The CLI keeps the variables in a map, which has no order.
    let env = theirs["Config"]["Env"].as_array_mut().unwrap();
    env.sort_by_key(|text| text.as_str().map(str::to_owned));
    for key in [
        "Image",
        "Cmd",
        "Entrypoint",
        "Env",
        "ExposedPorts",
        "Healthcheck",
        "Labels",
        "User",
        "WorkingDir",
        "Hostname",
        "Volumes",
    ] {
        assert!(!ours["Config"][key].is_null(), "{key}");
        assert_eq!(ours["Config"][key], theirs["Config"][key], "{key}");
    }
    for key in [
        "PortBindings",
        "Binds",
        "Tmpfs",
        "RestartPolicy",
        "NetworkMode",
        "Memory",
        "NanoCpus",
        "CapAdd",
        "CapDrop",
        "ReadonlyRootfs",
        "LogConfig",
    ] {
        assert!(!ours["HostConfig"][key].is_null(), "{key}");
        assert_eq!(ours["HostConfig"][key], theirs["HostConfig"][key], "{key}");
    }
    let networks = |inspect: &Value| {
        let networks = inspect["NetworkSettings"]["Networks"].as_object().unwrap();
        networks.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        (networks(&ours), networks(&theirs)),
        (vec![network.clone()], vec![network])
    );
}
