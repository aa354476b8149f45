//! nginx in containers: its test and its reload, and which container is meant.

use serde_json::Value;

use crate::support::agent::Setup;
use crate::support::docker::Docker;
use crate::support::dockerd::Dockerd;
use crate::support::web::{NGINX, Web, WebImage, answering};
use crate::support::{Agent, Response, eventually};

const VARIABLE: &str = "NODE_AGENT_NGINX_CONTAINER";

/// An agent for which `name` is the container that runs nginx.
fn agent_of(name: &str) -> Agent {
    Setup::new().env(VARIABLE, name).start()
}

/// An agent that finds no nginx on the machine, whether it is installed or not.
fn agent_without_host_nginx(setup: Setup) -> Agent {
    let hide = format!("mount --bind /dev/null {NGINX} && exec \"$@\"");
    setup
        .started_by("unshare", &["--mount", "sh", "-c", &hide, "sh"])
        .start()
}

fn reload(agent: &Agent) -> Response {
    agent.post_nothing("/nginx/reload")
}

fn error_of(response: &Response) -> String {
    response.json()["error"].as_str().unwrap().to_owned()
}

fn words_in(answer: &Value, field: &str) -> String {
    answer[field].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_valid_configuration_is_loaded() {
    let image = WebImage::new();
    let web = image.run(&answering("one", ""));
    let agent = agent_of(&web.name);
    let tested = agent.get("/nginx/test").expect(200).json();
    assert_eq!(
        (&tested["valid"], &tested["target"]),
        (&true.into(), &web.target().into())
    );
    assert!(
        words_in(&tested, "output").contains("test is successful"),
        "{tested}"
    );

    web.write(&answering("two", ""));
    let reloaded = reload(&agent).expect(200).json();
    assert_eq!(web.fetch().unwrap(), "two");
    assert_eq!(reloaded["status"], "reloaded");
    assert_eq!(reloaded["target"], web.target());
    assert!(reloaded.get("warnings").is_none(), "{reloaded}");
}

#[test]
fn warnings_alone_make_no_configuration_invalid() {
    let image = WebImage::new();
    let web = image.run(&answering("one", ""));
    let agent = agent_of(&web.name);
    let twice = "server { listen 81; server_name a; }\nserver { listen 81; server_name a; }";
    web.write(&answering("two", twice));
    let tested = agent.get("/nginx/test").expect(200).json();
    assert_eq!(tested["valid"], true);
    assert!(
        words_in(&tested, "output").contains("conflicting server name"),
        "{tested}"
    );
    let reloaded = reload(&agent).expect(200).json();
    assert!(
        words_in(&reloaded, "output").contains("[warn]"),
        "{reloaded}"
    );
    assert_eq!(web.fetch().unwrap(), "two");
}

#[test]
fn a_broken_configuration_is_400_and_the_old_one_goes_on() {
    let image = WebImage::new();
    let web = image.run(&answering("one", ""));
    let agent = agent_of(&web.name);
    web.write(&answering("two", "no_such_directive on;"));
    let tested = agent.get("/nginx/test").expect(200).json();
    assert_eq!(tested["valid"], false);
    assert!(words_in(&tested, "output").contains("unknown directive \"no_such_directive\""));

    let refused = reload(&agent).expect(400);
    assert!(words_in(&refused.json(), "details").contains("no_such_directive"));
    assert!(
        error_of(&refused).contains("not valid"),
        "{}",
        refused.text()
    );
    assert_eq!(web.fetch().unwrap(), "one");
    // What is there can be mended and loaded.
    web.write(&answering("three", ""));
    reload(&agent).expect(200);
    assert_eq!(web.fetch().unwrap(), "three");
}

#[test]
fn a_configuration_that_nginx_cannot_use_after_all_is_told() {
    let image = WebImage::new();
    let web = image.run(&answering("one", ""));
    let agent = agent_of(&web.name);
    let listen = ["exec", "-d", &web.name, "busybox", "nc", "-l", "-p", "8081"];
    web.docker(&listen).unwrap();
    eventually("the port to be taken", || {
        let sockets = web.docker(&["exec", &web.name, "busybox", "netstat", "-ltn"]);
        sockets.unwrap().contains(":8081 ").then_some(())
    });
    web.write(&answering("two", "server { listen 8081; }"));
    assert_eq!(agent.get("/nginx/test").expect(200).json()["valid"], true);
    let refused = reload(&agent).expect(409);
    assert!(error_of(&refused).contains("goes on with its old configuration"));
    let details = words_in(&refused.json(), "details");
    assert!(
        details.contains("bind() to 0.0.0.0:8081 failed"),
        "{details}"
    );
    assert_eq!(web.fetch().unwrap(), "one");
}

#[test]
fn the_switches_that_nginx_was_started_with_count() {
    let image = WebImage::new();
    let web = image.run(&answering("one", ""));
    let agent = agent_of(&web.name);
    // It was started with `-g "daemon off;"`: it would not take this, `nginx -t` alone would.
    web.write(&format!("daemon off;\n{}", answering("two", "")));
    let refused = reload(&agent).expect(400).json();
    assert!(
        words_in(&refused, "details").contains("\"daemon\" directive is duplicate"),
        "{refused}"
    );
    assert_eq!(web.fetch().unwrap(), "one");
}

#[test]
fn nginx_without_a_master_is_not_said_to_be_reloaded() {
    let image = WebImage::new();
    let web = image.run(&format!("master_process off;\n{}", answering("one", "")));
    let agent = agent_of(&web.name);
    let error = error_of(&reload(&agent).expect(409));
    assert!(
        error.contains("without a master process") && error.contains(&web.name),
        "{error}"
    );
}

/// On an engine of our own whose machine has no `ps`.
#[test]
fn a_reload_that_nobody_can_see_is_one_with_a_warning() {
    let image = WebImage::new();
    let engine = Dockerd::start(&serde_json::json!({}));
    engine.take_image(&image.image());
    engine
        .docker(&["tag", &image.image(), "team/nginx:1"])
        .unwrap();
    let web = Web::run_on(&engine, "team/nginx:1", "front", &answering("one", ""));
    engine.hide("/usr/bin/ps");
    assert!(engine.docker(&["top", "front"]).is_err());

    let agent = agent_without_host_nginx(Setup::new().engine(&engine.socket()));
    web.write(&answering("two", ""));
    let reloaded = reload(&agent).expect(200).json();
    assert_eq!(
        (&reloaded["status"], &reloaded["target"]),
        (&"reloaded".into(), &"container:front".into())
    );
    let warning = reloaded["warnings"][0].as_str().unwrap();
    assert!(warning.contains("could not be seen"), "{warning}");
    eventually("the new configuration", || {
        (web.fetch().ok()? == "two").then_some(())
    });
}

#[test]
fn reloads_at_once_go_one_after_the_other() {
    let image = WebImage::new();
    let web = image.run(&answering("one", ""));
    let agent = agent_of(&web.name);
    web.write(&answering("two", ""));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| reload(&agent).expect(200));
        }
    });
    assert_eq!(web.fetch().unwrap(), "two");
}

#[test]
fn a_named_container_that_cannot_be_asked_is_named() {
    let image = WebImage::new();
    let web = image.run(&answering("one", ""));
    let agent = agent_of(&web.name);
    for (command, state) in [("pause", "paused"), ("unpause", ""), ("stop", "exited")] {
        web.docker(&[command, &web.name]).unwrap();
        if state.is_empty() {
            continue;
        }
        for response in [agent.get("/nginx/test"), reload(&agent)] {
            let error = error_of(&response.expect(409));
            assert!(
                error.contains(&web.name) && error.contains(state),
                "{error}"
            );
            assert!(error.contains(VARIABLE), "{error}");
        }
    }
    web.docker(&["rm", &web.name]).unwrap();
    for response in [agent.get("/nginx/test"), reload(&agent)] {
        let error = error_of(&response.expect(503));
        assert!(
            error.contains(&web.name) && error.contains(VARIABLE),
            "{error}"
        );
    }
}

#[test]
fn a_named_container_without_nginx_is_503() {
    let docker = Docker::new();
    let name = format!("{}-plain", docker.name);
    let flags = ["--name", &name, "--network", "none"];
    let id = docker
        .create_by_cli(&flags, &["busybox", "sleep", "1000"])
        .unwrap();
    crate::support::docker::run(&["start", &id]).unwrap();
    let agent = agent_of(&name);
    for response in [agent.get("/nginx/test"), reload(&agent)] {
        let response = response.expect(503);
        assert!(error_of(&response).contains(&name), "{}", response.text());
        assert!(words_in(&response.json(), "details").contains("nginx"));
    }
}

/// On an engine of our own: nobody else's containers are there.
#[test]
fn the_container_that_runs_nginx_is_found() {
    let image = WebImage::new();
    let engine = Dockerd::start(&serde_json::json!({}));
    engine.take_image(&image.image());
    let tag = |name: &str| engine.docker(&["tag", &image.image(), name]).unwrap();
    let agent = agent_without_host_nginx(Setup::new().engine(&engine.socket()));
    let both = || [agent.get("/nginx/test"), reload(&agent)];
    for response in both() {
        let error = error_of(&response.expect(503));
        assert!(
            error.contains("there is no nginx") && error.contains("container"),
            "{error}"
        );
    }

    // Its image has the name, but it runs something else.
    tag("team/nginx-exporter:1");
    let exporter = [
        "run",
        "-d",
        "--network",
        "none",
        "team/nginx-exporter:1",
        "busybox",
        "sleep",
        "1000",
    ];
    engine.docker(&exporter).unwrap();
    // It runs nginx, and nothing says so.
    let _app = Web::run_on(&engine, &image.image(), "app", &answering("app", ""));
    for response in both() {
        response.expect(503);
    }

    tag("registry.example.com:5000/team/nginx:1.22");
    let web = Web::run_on(
        &engine,
        "registry.example.com:5000/team/nginx:1.22",
        "front",
        &answering("one", ""),
    );
    web.write(&answering("two", ""));
    assert_eq!(
        agent.get("/nginx/test").expect(200).json()["target"],
        "container:front"
    );
    assert_eq!(
        reload(&agent).expect(200).json()["target"],
        "container:front"
    );
    assert_eq!(web.fetch().unwrap(), "two");

    // The engine's list shows an id for it when its name goes over to another image.
    engine
        .docker(&[
            "commit",
            "front",
            "registry.example.com:5000/team/nginx:1.22",
        ])
        .unwrap();
    let shown = engine.docker(&["ps", "--filter", "name=front", "--format", "{{.Image}}"]);
    assert!(!shown.unwrap().contains("nginx"));
    assert_eq!(
        agent.get("/nginx/test").expect(200).json()["target"],
        "container:front"
    );

    tag("shop_nginx");
    let _second = Web::run_on(&engine, "shop_nginx", "back", &answering("back", ""));
    for response in both() {
        let error = error_of(&response.expect(409));
        assert!(
            error.contains("(back, front)") && error.contains(VARIABLE),
            "{error}"
        );
    }
    engine.docker(&["stop", "front"]).unwrap();
    assert_eq!(
        agent.get("/nginx/test").expect(200).json()["target"],
        "container:back"
    );
}

#[test]
fn no_nginx_and_no_engine_is_503() {
    let nowhere = tempfile::tempdir().unwrap();
    let socket = nowhere.path().join("engine.sock");
    let agent = agent_without_host_nginx(Setup::new().engine(&socket));
    for response in [agent.get("/nginx/test"), reload(&agent)] {
        let response = response.expect(503);
        assert!(error_of(&response).contains("Debian package nginx"));
        assert!(words_in(&response.json(), "details").contains(&*socket.to_string_lossy()));
    }
}
