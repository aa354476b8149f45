//! `POST /docker/login` where config.json names a credential helper: it keeps the password, and nothing else does.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::login_api::Clerk;
use crate::support::agent::Setup;
use crate::support::registry::{PASSWORD, Registry, USER};

/// A directory of the docker CLI with this config.json and the helper `test`.
struct Helped {
    directory: tempfile::TempDir,
}

impl Helped {
    fn new(config: &Value, script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let helped = Self { directory };
        fs::write(helped.path().join("config.json"), config.to_string()).unwrap();
        let source = helped.path().join("source");
        fs::write(&source, format!("#!/bin/sh\nhere=${{0%/*}}\n{script}\n")).unwrap();
        // By another process: what is open for writing here while another test forks cannot be started.
        let installed = Command::new("install")
            .args(["-m", "755"])
            .args([source, helped.path().join("docker-credential-test")])
            .status()
            .unwrap();
        assert!(installed.success());
        helped
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn clerk(&self) -> Clerk {
        let search = [self.path(), Path::new("/usr/bin"), Path::new("/bin")];
        let search = std::env::join_paths(search).unwrap();
        Clerk::started(self.path(), Setup::new().env("PATH", search))
    }
}

#[test]
fn a_helper_keeps_the_password() {
    let registry = Registry::start();
    let address = registry.address().to_string();
    let old = json!({ "auth": "b2xkOm9sZA==" });
    for config in [
        json!({ "credsStore": "test" }),
        json!({ "credHelpers": { &address: "test" }, "auths": { "r.example": &old } }),
        // What stood there in the clear goes.
        json!({ "credsStore": "test", "auths": { &address: &old, "r.example": &old } }),
    ] {
        let helped = Helped::new(&config, "echo \"$*\" > $here/action; cat > $here/told");
        let clerk = helped.clerk();
        clerk.login(&address, PASSWORD).expect(200);
        let action = fs::read_to_string(helped.path().join("action")).unwrap();
        assert_eq!(action, "store\n");
        let told = fs::read_to_string(helped.path().join("told")).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&told).unwrap(),
            json!({ "ServerURL": address, "Username": USER, "Secret": PASSWORD })
        );
        let mut expected = config.clone();
        expected["auths"][&address] = json!({});
        assert_eq!(clerk.saved(), expected);
    }
}

#[test]
fn a_helper_that_fails_is_named_with_its_words() {
    let registry = Registry::start();
    let address = registry.address().to_string();
    let config = json!({ "credsStore": "test" });
    // It repeats all it was told, as a careless one does.
    let helped = Helped::new(
        &config,
        "cat > $here/told; echo the keychain is locked; cat $here/told >&2; exit 3",
    );
    let clerk = helped.clerk();
    let refused = clerk.login(&address, PASSWORD).expect(503);
    let error = refused.error();
    assert!(
        error.starts_with("the credential helper `docker-credential-test` failed with"),
        "{error}"
    );
    assert_eq!(refused.json()["details"], "the keychain is locked");
    assert_eq!(clerk.saved(), config);
    // A wrong password does not get as far as that.
    fs::remove_file(helped.path().join("told")).unwrap();
    clerk.login(&address, "not-this-one").expect(401);
    assert!(!helped.path().join("told").exists());

    let repeats = Helped::new(&config, "echo \"cannot store $(cat)\"; exit 1");
    let refused = repeats.clerk().login(&address, PASSWORD).expect(503);
    assert!(!refused.text().contains(PASSWORD));
}

#[test]
fn a_helper_that_is_not_there_is_named() {
    let registry = Registry::start();
    let address = registry.address().to_string();
    for (name, sentence) in [
        ("nowhere", "is not in the agent's PATH"),
        ("../test", "has a name that no program should have"),
    ] {
        let config = json!({ "credHelpers": { &address: name } });
        let helped = Helped::new(&config, "exit 0");
        let clerk = helped.clerk();
        let error = clerk.login(&address, PASSWORD).expect(503).error();
        assert_eq!(
            error,
            format!("the credential helper `docker-credential-{name}` {sentence}")
        );
        assert_eq!(clerk.saved(), config);
    }
}
