//! `POST /images/pull` with a real registry: what it answers, whose credentials it takes, what it is that is pulled.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::agent::{Agent, Setup};
use crate::support::docker;
use crate::support::registry::{PASSWORD, USER};
use crate::support::shelf::Shelf;
use crate::support::{Client, Response};

/// Another password.
const WRONG: &str = "not-this-one";

/// An agent that says all it can, with the logins in this directory.
fn talkative(logins: Option<&str>) -> Agent {
    let setup = Setup::new().env("NODE_AGENT_LOG", "debug");
    match logins {
        Some(directory) => setup.env("DOCKER_CONFIG", directory).start(),
        None => setup.start(),
    }
}

/// Pulls with these fields besides `image`; the password is in no answer.
fn pull(agent: &Agent, image: &str, more: &Value) -> Response {
    let mut body = json!({ "image": image });
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let answer = agent.post("/images/pull", &body);
    assert!(!answer.text().contains(PASSWORD), "{}", answer.text());
    answer
}

fn credentials() -> Value {
    json!({ "username": USER, "password": PASSWORD })
}

/// Neither as it is nor as it is sent.
fn tells_no_password(agent: &Agent) {
    let encoded = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    for line in agent.log() {
        let is_told = [PASSWORD, WRONG, &encoded]
            .iter()
            .any(|secret| line.contains(secret));
        assert!(!is_told, "{line}");
    }
}

/// A directory of the docker CLI with this login for `registry`.
fn saved(registry: &str, password: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let auth = STANDARD.encode(format!("{USER}:{password}"));
    let config = json!({ "auths": { registry: { "auth": auth } } });
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    directory
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_answer_tells_what_was_pulled() {
    let (shelf, agent) = (Shelf::new(), talkative(None));
    let mut body = credentials();
    body["regsitry"] = json!("x");
    let answer = pull(&agent, &shelf.image(), &body).expect(200).json();
    let inspected = |field: &str| {
        docker::run(&[
            "inspect",
            "--format",
            &format!("{{{{.{field}}}}}"),
            &shelf.image(),
        ])
        .unwrap()
    };
    assert_eq!(
        answer,
        json!({ "status": "pulled", "image": shelf.image(), "id": inspected("Id"),
                "digest": shelf.digest, "size": inspected("Size").parse::<u64>().unwrap(),
                "created": inspected("Created"), "warnings": ["unknown field: regsitry"] })
    );
    assert_eq!(answer["id"], shelf.id);
    // It is here already, which is no error.
    let again = pull(&agent, &shelf.image(), &credentials()).expect(200);
    assert_eq!(again.json()["digest"], shelf.digest);
    tells_no_password(&agent);
}

#[test]
fn credentials_of_the_request_are_right_or_wrong_or_halves() {
    let (shelf, agent) = (Shelf::new(), talkative(None));
    let image = shelf.image();
    for (body, status, sentence) in [
        (json!({}), 401, "the registry does not let image"),
        (
            json!({ "username": USER, "password": WRONG }),
            401,
            "the registry does not let image",
        ),
        (
            json!({ "username": USER }),
            400,
            "field `password` is missing beside `username`",
        ),
        (
            json!({ "username": "", "password": PASSWORD }),
            400,
            "field `username` is missing beside `password`",
        ),
        (
            json!({ "username": 5, "password": PASSWORD }),
            400,
            "field `username`: invalid type",
        ),
        (
            json!({ "username": USER, "password": [PASSWORD] }),
            400,
            "field `password`: invalid type: sequence, expected a string",
        ),
    ] {
        let refused = pull(&agent, &image, &body).expect(status).error();
        assert!(refused.starts_with(sentence), "{refused}");
        assert!(!shelf.is_here());
    }
    pull(&agent, &image, &credentials()).expect(200);
    // Nothing was saved on the way.
    pull(&agent, &image, &json!({})).expect(401);
    assert_eq!(agent.state_files(), Vec::<String>::new());
    tells_no_password(&agent);
}

#[test]
fn saved_logins_are_used_unless_the_request_has_its_own() {
    let shelf = Shelf::new();
    let (image, wrong) = (
        shelf.image(),
        json!({ "username": USER, "password": WRONG }),
    );
    let right = talkative(Some(&shelf.login));
    // Those of the request count, also when they are worse.
    pull(&right, &image, &wrong).expect(401);
    assert!(!shelf.is_here());
    let empty = json!({ "username": "", "password": "" });
    pull(&right, &image, &empty).expect(200);
    tells_no_password(&right);

    docker::run(&["rmi", &image]).unwrap();
    let directory = saved(&shelf.registry.address().to_string(), WRONG);
    let stale = talkative(Some(text(directory.path())));
    pull(&stale, &image, &json!({})).expect(401);
    pull(&stale, &image, &credentials()).expect(200);
    tells_no_password(&stale);

    docker::run(&["rmi", &image]).unwrap();
    let elsewhere = saved("127.0.0.1:1", PASSWORD);
    let other = talkative(Some(text(elsewhere.path())));
    pull(&other, &image, &json!({})).expect(401);
    assert!(!shelf.is_here());
}

#[test]
fn without_a_tag_only_the_latest_comes() {
    let shelf = Shelf::new();
    let agent = talkative(Some(&shelf.login));
    pull(&agent, &shelf.image(), &json!({})).expect(200);
    let digest = shelf.push("team/app:latest");
    shelf.push("team/app:2");
    docker::run(&["rmi", "-f", &shelf.id]).unwrap();
    let bare = shelf.registry.reference("team/app");
    let answer = pull(&agent, &bare, &json!({})).expect(200).json();
    assert_eq!(answer["image"], format!("{bare}:latest"));
    assert_eq!(
        shelf.pulled("team/app"),
        [format!("{bare}:latest@{digest}")]
    );
}

#[test]
fn a_digest_pulls_exactly_that_image() {
    let shelf = Shelf::new();
    let agent = talkative(Some(&shelf.login));
    let bare = shelf.registry.reference("team/app");
    let image = format!("{bare}@{}", shelf.digest);
    let answer = pull(&agent, &image, &json!({})).expect(200).json();
    assert_eq!(
        [&answer["image"], &answer["id"], &answer["digest"]],
        [&json!(image), &json!(shelf.id), &json!(shelf.digest)]
    );
    assert_eq!(
        shelf.pulled("team/app"),
        [format!("{bare}:<none>@{}", shelf.digest)]
    );
    let unknown = format!("{bare}@sha256:{}", "0".repeat(64));
    let error = pull(&agent, &unknown, &json!({})).expect(404).error();
    assert_eq!(error, format!("the registry has no image `{unknown}`"));
    // With both the digest decides, and no name is made of the tag.
    let both = format!("{bare}:2@{}", shelf.digest);
    assert_eq!(
        pull(&agent, &both, &json!({})).expect(200).json()["digest"],
        shelf.digest
    );
}

#[test]
fn the_registry_may_stand_in_a_field_of_its_own() {
    let shelf = Shelf::new();
    let agent = talkative(Some(&shelf.login));
    let address = shelf.registry.address().to_string();
    let team = format!("{address}/team");
    let named = shelf.image();
    for (image, registry) in [
        ("team/app:1", address.as_str()),
        ("app:1", &team),
        ("app:1", &format!("{team}/")),
        // It names its own.
        (&named, "127.0.0.1:1"),
        (&named, ""),
    ] {
        let answer = pull(&agent, image, &json!({ "registry": registry })).expect(200);
        assert_eq!(answer.json()["image"], named, "{image} {registry}");
        assert_eq!(shelf.pulled("team/app").len(), 1);
        docker::run(&["rmi", &named]).unwrap();
    }
    // The saved login is for the registry of the field, the request's too.
    let stranger = talkative(None);
    let mut body = credentials();
    body["registry"] = json!(address);
    pull(&stranger, "team/app:1", &body).expect(200);
    docker::run(&["rmi", &named]).unwrap();
    for registry in [
        format!("https://{address}"),
        "my registry:5000".to_owned(),
        "registry".to_owned(),
        format!("{address}/Team"),
        "a:port".to_owned(),
    ] {
        let body = json!({ "registry": registry });
        let error = pull(&agent, "team/app:1", &body).expect(400).error();
        assert!(error.starts_with("field `registry` is "), "{error}");
    }
    assert!(!shelf.is_here());
}

#[test]
fn names_that_make_no_sense_reach_no_registry() {
    let agent = talkative(None);
    for image in [
        "",
        ":1",
        "Upper:1",
        "a b",
        "a:",
        "a:b:c",
        "../x",
        "https://127.0.0.1:1/a:1",
        "a@sha256:12",
        "-a",
        "127.0.0.1:port/a",
        &"a/".repeat(200),
    ] {
        let error = pull(&agent, image, &json!({})).expect(400).error();
        assert!(error.starts_with("field `image` is "), "{image}: {error}");
    }
    let error = pull(&agent, &"0".repeat(64), &json!({}))
        .expect(400)
        .error();
    assert!(error.contains("image id"), "{error}");
    agent.post("/images/pull", &json!({})).expect(400);
    agent.post_nothing("/images/pull").expect(400);
    let error = agent
        .post("/images/pull?stream=maybe", &json!({ "image": "a:1" }))
        .expect(400)
        .error();
    assert!(error.contains("`stream`"), "{error}");
}

#[test]
fn what_the_registry_does_not_have_is_told() {
    let shelf = Shelf::new();
    let agent = talkative(Some(&shelf.login));
    for name in ["team/app:2", "team/other:1", "unauthorized/denied:1"] {
        let image = shelf.registry.reference(name);
        for path in ["/images/pull", "/images/pull?stream=true"] {
            let answer = agent.post(path, &json!({ "image": image })).expect(404);
            assert_eq!(
                answer.error(),
                format!("the registry has no image `{image}`")
            );
            assert!(answer.json()["details"].as_str().is_some());
        }
    }
    agent.wait_for_log("status=404");
}

#[test]
fn progress_comes_as_lines_and_the_last_is_the_answer() {
    let (shelf, agent) = (Shelf::with_random(2 << 20), talkative(None));
    let mut body = credentials();
    body["image"] = json!(shelf.image());
    body["x"] = json!(1);
    let answer = agent.post("/images/pull?stream=true", &body).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let text = answer.text();
    assert!(text.ends_with('\n') && !text.contains('\r') && !text.contains(PASSWORD));
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (last, progress) = lines.split_last().unwrap();
    let tells = |what: &str| progress.iter().any(|line| line["status"] == what);
    assert!(tells("Pull complete") && tells("Downloading"), "{text}");
    assert!(progress.iter().all(|line| line.get("image").is_none()));
    assert_eq!(last["status"], "pulled");
    assert_eq!(
        (&last["id"], &last["digest"]),
        (&json!(shelf.id), &json!(shelf.digest))
    );
    assert_eq!(last["warnings"], json!(["unknown field: x"]));

    body["password"] = json!(WRONG);
    agent.post("/images/pull?stream=true", &body).expect(401);
    tells_no_password(&agent);
}

#[test]
fn it_needs_the_key() {
    let agent = Agent::start();
    let answer = Client::connect(agent.address()).request(
        "POST",
        "/images/pull",
        &[("Content-Type", "application/json")],
        b"{\"image\": \"a:1\"}",
    );
    answer.expect(401);
}
