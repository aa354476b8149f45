//! `POST /docker/login` with a real registry: what is checked, what is saved and how, and what is told of a failure.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::agent::{Agent, Setup};
use crate::support::docker;
use crate::support::peer::Peer;
use crate::support::registry::{PASSWORD, Registry, USER};
use crate::support::shelf::Shelf;
use crate::support::tmpfs::Tmpfs;
use crate::support::{Client, Response};

/// An agent that says all it can, and the directory of its logins.
pub struct Clerk {
    pub agent: Agent,
    directory: PathBuf,
}

impl Clerk {
    /// With its logins there.
    pub fn at(directory: &Path) -> Self {
        Self::started(directory, Setup::new())
    }

    /// The same with more in its environment.
    pub fn started(directory: &Path, setup: Setup) -> Self {
        let setup = setup
            .env("DOCKER_CONFIG", directory)
            .env("NODE_AGENT_LOG", "debug");
        Self {
            agent: setup.start(),
            directory: directory.to_owned(),
        }
    }

    pub fn config(&self) -> PathBuf {
        self.directory.join("config.json")
    }

    pub fn saved(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.config()).unwrap()).unwrap()
    }

    /// Logs in; the password is in neither answer nor log.
    pub fn login(&self, registry: &str, password: &str) -> Response {
        let body = json!({ "registry": registry, "username": USER, "password": password });
        let answer = self.agent.post("/docker/login", &body);
        let encoded = STANDARD.encode(format!("{USER}:{password}"));
        let is_told = |text: &str| text.contains(password) || text.contains(&encoded);
        assert!(!is_told(&answer.text()), "{}", answer.text());
        self.agent.wait_for_log("path=/docker/login");
        let told = self.agent.log().into_iter().find(|line| is_told(line));
        assert_eq!(told, None);
        answer
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn auth(password: &str) -> String {
    STANDARD.encode(format!("{USER}:{password}"))
}

#[test]
fn a_right_login_is_saved_and_the_docker_cli_uses_it() {
    let shelf = Shelf::new();
    let home = tempfile::tempdir().unwrap();
    // Neither it nor the one above it is there yet.
    let directory = home.path().join("a/docker");
    let clerk = Clerk::at(&directory);
    let address = shelf.registry.address().to_string();
    let answer = clerk.login(&address, PASSWORD).expect(200).json();
    assert_eq!(
        answer,
        json!({ "status": "logged_in", "registry": address, "username": USER })
    );
    assert_eq!((mode(&directory), mode(&clerk.config())), (0o700, 0o600));
    assert_eq!(
        clerk.saved(),
        json!({ "auths": { address: { "auth": auth(PASSWORD) } } })
    );
    assert_eq!(directory.read_dir().unwrap().count(), 1);
    let by_cli = [
        "--config",
        directory.to_str().unwrap(),
        "pull",
        &shelf.image(),
    ];
    docker::run(&by_cli).unwrap();
    docker::run(&["rmi", &shelf.image()]).unwrap();
    let body = json!({ "image": shelf.image() });
    clerk.agent.post("/images/pull", &body).expect(200);
}

#[test]
fn other_entries_stay_as_they_are() {
    let registry = Registry::start();
    let address = registry.address().to_string();
    let directory = tempfile::tempdir().unwrap();
    let clerk = Clerk::at(directory.path());
    let other = r#"{"auth": "b3RoZXI6eA==", "unknown": [1, 2.50]}"#;
    let text = format!(
        "{{\"HttpHeaders\": {{\"X\": \"y\"}}, \"auths\": {{\"r.example\": {other}, \"{address}\": {{\"auth\": \"b2xkOm9sZA==\"}}}}, \"psFormat\": \"table\"}}"
    );
    fs::write(clerk.config(), &text).unwrap();
    fs::set_permissions(clerk.config(), fs::Permissions::from_mode(0o644)).unwrap();
    clerk.login(&address, PASSWORD).expect(200);
    let mut expected: Value = serde_json::from_str(&text).unwrap();
    expected["auths"][&address] = json!({ "auth": auth(PASSWORD) });
    assert_eq!(clerk.saved(), expected);
    // Numbers too are as they were written.
    let written = fs::read_to_string(clerk.config()).unwrap();
    assert!(written.contains("2.50"), "{written}");
    assert_eq!(mode(&clerk.config()), 0o600);
    assert_eq!(directory.path().read_dir().unwrap().count(), 1);
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_saved() {
    let registry = Registry::start();
    let address = registry.address().to_string();
    let directory = tempfile::tempdir().unwrap();
    let clerk = Clerk::at(directory.path());
    let refused = clerk.login(&address, "not-this-one").expect(401);
    assert_eq!(
        refused.error(),
        format!("registry `{address}` does not accept this user and password")
    );
    let gone = Peer::answering("").address().to_string();
    let unreachable = format!("registry `{gone}` cannot be reached, or failed");
    assert_eq!(
        clerk.login(&gone, PASSWORD).expect(502).error(),
        unreachable
    );
    let broken = "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    for answer in [broken, "\0\u{1}garbage\r\n\r\n", ""] {
        let peer = Peer::answering(answer);
        clerk
            .login(&peer.address().to_string(), PASSWORD)
            .expect(502);
    }
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    // An older login is not lost by a wrong one.
    clerk.login(&address, PASSWORD).expect(200);
    let before = clerk.saved();
    clerk.login(&address, "not-this-one").expect(401);
    assert_eq!(clerk.saved(), before);
}

#[test]
fn without_a_registry_docker_hub_is_meant() {
    // There is no way to it from here.
    let directory = tempfile::tempdir().unwrap();
    let clerk = Clerk::at(directory.path());
    for body in [
        json!({ "username": USER, "password": PASSWORD }),
        json!({ "registry": "", "username": USER, "password": PASSWORD }),
        json!({ "registry": null, "username": USER, "password": PASSWORD }),
    ] {
        let error = clerk.agent.post("/docker/login", &body).expect(502).error();
        assert_eq!(error, "registry `docker.io` cannot be reached, or failed");
    }
    let hub = clerk
        .login("https://index.docker.io/v1/", PASSWORD)
        .expect(502);
    let details = hub.json()["details"].as_str().unwrap().to_owned();
    assert!(details.contains("registry-1.docker.io"), "{details}");
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn the_registry_may_be_written_as_a_url() {
    let registry = Registry::start();
    let address = registry.address().to_string();
    let directory = tempfile::tempdir().unwrap();
    let clerk = Clerk::at(directory.path());
    for form in [
        format!("http://{address}"),
        format!("https://{address}/"),
        format!("https://{address}/v2/"),
        format!("{address}/team"),
    ] {
        let answer = clerk.login(&form, PASSWORD).expect(200).json();
        assert_eq!(answer["registry"], address, "{form}");
        assert_eq!(
            clerk.saved(),
            json!({ "auths": { &address: { "auth": auth(PASSWORD) } } })
        );
    }
    for form in [
        "https://",
        "a b",
        "a:port",
        "/v2",
        "user@host",
        "-a",
        "http://a..b/",
    ] {
        let error = clerk.login(form, PASSWORD).expect(400).error();
        assert!(
            error.starts_with("field `registry` must be a host"),
            "{form}: {error}"
        );
    }
}

#[test]
fn fields_that_make_no_sense_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Clerk::at(directory.path()).agent;
    for (body, sentence) in [
        (
            json!({ "username": "", "password": PASSWORD }),
            "field `username` is empty",
        ),
        (
            json!({ "username": USER, "password": "" }),
            "field `password` is empty",
        ),
        (
            json!({ "username": "a:b", "password": PASSWORD }),
            "field `username` has a `:`",
        ),
        (
            json!({ "username": USER }),
            "the JSON body does not fit: missing field `password`",
        ),
        (
            json!({ "password": PASSWORD }),
            "the JSON body does not fit: missing field `username`",
        ),
        (
            json!({ "username": USER, "password": -12_345_678.5 }),
            "field `password`: invalid type: number, expected a string",
        ),
        (
            json!({ "username": USER, "password": 12_345_678 }),
            "field `password`: invalid type: number, expected a string",
        ),
        (
            json!({ "username": [USER], "password": PASSWORD }),
            "field `username`: invalid type",
        ),
        (
            json!([null, USER, PASSWORD]),
            "the body must be a JSON object",
        ),
    ] {
        let refused = agent.post("/docker/login", &body).expect(400);
        assert!(refused.error().starts_with(sentence), "{}", refused.text());
        for secret in [PASSWORD, "12345678"] {
            assert!(!refused.text().contains(secret), "{}", refused.text());
            assert!(!agent.log().iter().any(|line| line.contains(secret)));
        }
    }
    let headers = [("Content-Type", "application/json")];
    let mut stranger = Client::connect(agent.address());
    stranger
        .request("POST", "/docker/login", &headers, b"{}")
        .expect(401);
}

#[test]
fn a_config_that_makes_no_sense_is_told_and_left_alone() {
    let registry = Registry::start();
    let address = registry.address().to_string();
    let directory = tempfile::tempdir().unwrap();
    let clerk = Clerk::at(directory.path());
    for text in [
        "{\"auths\": {\"r\": {\"auth\": \"c2VjcmV0OnNlY3JldA==\"},}}",
        "[]",
        "{\"auths\": \"c2VjcmV0OnNlY3JldA==\"}",
        "\u{0}\u{1}",
    ] {
        fs::write(clerk.config(), text).unwrap();
        let refused = clerk.login(&address, PASSWORD).expect(500);
        let expected = format!(
            "the registry logins in {} cannot be read",
            clerk.config().display()
        );
        assert_eq!(refused.error(), expected);
        assert!(!refused.text().contains("c2VjcmV0"), "{}", refused.text());
        assert_eq!(fs::read_to_string(clerk.config()).unwrap(), text);
    }
    // Empty is as good as none.
    fs::write(clerk.config(), "").unwrap();
    clerk.login(&address, PASSWORD).expect(200);
}

#[test]
fn a_directory_that_cannot_be_written_is_told() {
    let registry = Registry::start();
    let address = registry.address().to_string();
    let disk = Tmpfs::new(1 << 20);
    let clerk = Clerk::at(&disk.path().join("docker"));
    let sentence = format!(
        "the registry login cannot be saved in {}",
        clerk.config().display()
    );
    disk.fill();
    let refused = clerk.login(&address, PASSWORD).expect(507);
    assert_eq!(refused.error(), "the disk has no room for it");
    disk.empty();
    disk.make_read_only();
    let refused = clerk.login(&address, PASSWORD).expect(500);
    assert_eq!(refused.error(), sentence);
    let details = refused.json()["details"].as_str().unwrap().to_owned();
    assert!(details.contains("Read-only file system"), "{details}");
    assert!(!clerk.config().exists());
}
