//! A directory of the docker CLI and one of helpers, for tests.
#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::{Login, LoginError, Logins};
use crate::exec::{Invocation, Program, Stdin};

/// Everything in one temporary directory.
pub(super) struct Fixture {
    directory: tempfile::TempDir,
    pub(super) logins: Logins,
}

impl Fixture {
    /// With this config.json.
    pub(super) fn new(config: &str) -> Self {
        let fixture = Self::empty();
        fs::create_dir(fixture.path("docker")).unwrap();
        fs::write(fixture.file(), config).unwrap();
        fixture
    }

    /// Without a config.json, or a directory for it.
    pub(super) fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bin = directory.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let search = format!("{}:/usr/bin:/bin", bin.display());
        let kept = directory.path().display().to_string();
        let variables = [("PATH", search), ("KEPT", kept)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let logins = Logins::new(directory.path().join("docker"), variables.into());
        Self { directory, logins }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.path("docker/config.json")
    }

    pub(super) fn config(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Installs `docker-credential-NAME`, a shell script. By another process: a program that is open for writing here
    /// while some other test forks cannot be started.
    pub(super) fn helper(self, name: &str, script: &str) -> Self {
        let text = format!("#!/bin/sh\n{script}\n");
        let path = self.path("bin").join(format!("docker-credential-{name}"));
        let install = Program::find("install").unwrap();
        let finished = Invocation::new(&install, Duration::from_secs(60))
            .arguments(["-m", "755", "/dev/stdin"])
            .arguments([path])
            .stdin(Stdin::Bytes(text.as_bytes()))
            .run()
            .unwrap();
        assert!(
            finished.exit.is_success(),
            "{}",
            finished.output.stderr.text()
        );
        self
    }

    pub(super) fn find(&self, registry: &str) -> Result<Option<Login>, LoginError> {
        self.logins.find(Some(registry), None)
    }

    /// User and password, or token, as `user:password:token`.
    pub(super) fn found(&self, registry: &str) -> Option<String> {
        self.find(registry).unwrap().map(|login| {
            let parts = [login.username, login.password, login.identity_token];
            parts.join(":")
        })
    }
}

/// A login to be saved.
pub(super) fn login(registry: &str, username: &str, password: &str) -> Login {
    Login::new(
        Some(registry),
        username.to_owned(),
        password.to_owned(),
        None,
    )
}
