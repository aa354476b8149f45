//! A credential helper: `docker-credential-NAME get|store|list`, one run each. What it prints may be a secret, and is
//! told only where it cannot be one.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Asker, HelperFailure, Login, LoginError, Surroundings};
use crate::exec::{ExecError, Finished, Invocation, Output, Program, Stdin};
use crate::limits;

/// What all helpers say, on stdout and with exit code 1, when there is no login.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The user name of an identity token.
const TOKEN: &str = "<token>";

/// A helper that was found.
pub(super) struct Helper<'h> {
    program: Program,
    surroundings: &'h Surroundings,
    asker: Asker<'h>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, rename = "Username")]
    username: String,
    #[serde(default, rename = "Secret")]
    secret: String,
}

#[derive(Serialize)]
struct Question<'l> {
    #[serde(rename = "ServerURL")]
    server: &'l str,
    #[serde(rename = "Username")]
    username: &'l str,
    #[serde(rename = "Secret")]
    secret: &'l str,
}

impl<'h> Helper<'h> {
    /// The helper called `name` in config.json.
    pub(super) fn new(
        name: &str,
        surroundings: &'h Surroundings,
        asker: Asker<'h>,
    ) -> Result<Self, LoginError> {
        let full = ["docker-credential-", name].concat();
        let is_sane = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(is_sane) {
            return Err(LoginError::Helper {
                helper: full,
                failure: HelperFailure::BadName,
            });
        }
        match Program::find_in(&full, &surroundings.search) {
            Ok(program) => Ok(Self {
                program,
                surroundings,
                asker,
            }),
            Err(_) => Err(LoginError::Helper {
                helper: full,
                failure: HelperFailure::NotInstalled,
            }),
        }
    }

    /// Its login for `address`.
    pub(super) fn get(&self, address: &str) -> Result<Option<Login>, LoginError> {
        let finished = self.run("get", address.as_bytes())?;
        if !finished.exit.is_success() && finished.output.stdout.text().trim() == NOT_FOUND {
            return Ok(None);
        }
        let answer: Answer = self.answer(finished)?;
        let mut login = Login {
            server_address: address.to_owned(),
            ..Login::default()
        };
        if answer.username == TOKEN {
            login.identity_token = answer.secret;
        } else {
            login.username = answer.username;
            login.password = answer.secret;
        }
        Ok(login.unless_empty())
    }

    /// The registries it has logins for.
    pub(super) fn list(&self) -> Result<Vec<String>, LoginError> {
        let listed: BTreeMap<String, String> = self.answer(self.run("list", b"")?)?;
        Ok(listed.into_keys().collect())
    }

    /// Gives it `login` to keep.
    pub(super) fn store(&self, login: &Login) -> Result<(), LoginError> {
        let (username, secret) = if login.identity_token.is_empty() {
            (login.username.as_str(), login.password.as_str())
        } else {
            (TOKEN, login.identity_token.as_str())
        };
        let question = Question {
            server: &login.server_address,
            username,
            secret,
        };
        // Three texts always serialize.
        let bytes = serde_json::to_vec(&question).unwrap_or_default();
        let finished = self.run("store", &bytes)?;
        if finished.exit.is_success() {
            return Ok(());
        }
        Err(self.failed(&finished, Some(secret)))
    }

    fn run(&self, action: &str, stdin: &[u8]) -> Result<Finished, LoginError> {
        let mut invocation = Invocation::new(&self.program, self.asker.patience)
            .arguments([action])
            .watching(self.asker.client)
            .stdin(Stdin::Bytes(stdin));
        for (name, value) in &self.surroundings.variables {
            invocation = invocation.variable(name, value);
        }
        invocation.run().map_err(|error| match error {
            ExecError::Abandoned => LoginError::Abandoned,
            ExecError::NotFound { .. } => self.failure(HelperFailure::NotInstalled),
            ExecError::Deadline { after, .. } => self.failure(HelperFailure::TimedOut(after)),
            other => self.failure(HelperFailure::NotRun(other.to_string())),
        })
    }

    fn answer<T: DeserializeOwned>(&self, finished: Finished) -> Result<T, LoginError> {
        if !finished.exit.is_success() {
            return Err(self.failed(&finished, None));
        }
        // Neither its words nor serde's: both may quote the secret.
        let nonsense = || self.failure(HelperFailure::Nonsense);
        let bytes = finished.output.stdout.whole().ok_or_else(nonsense)?;
        // serde would take an array for a struct's members in order.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(nonsense());
        }
        serde_json::from_slice(&bytes).map_err(|_| nonsense())
    }

    fn failed(&self, finished: &Finished, secret: Option<&str>) -> LoginError {
        self.failure(HelperFailure::Failed {
            exit: finished.exit,
            words: words(&finished.output, secret),
        })
    }

    fn failure(&self, failure: HelperFailure) -> LoginError {
        LoginError::Helper {
            helper: self.program.name().to_owned(),
            failure,
        }
    }
}

/// What a failed helper said, errors on stdout as is their way. `secret` was given to it and is taken out; what looks
/// like an answer with one stays out as a whole.
fn words(output: &Output, secret: Option<&str>) -> String {
    let told = [&output.stdout, &output.stderr]
        .map(|kept| kept.text().trim().to_owned())
        .into_iter()
        .filter(|text| !text.is_empty() && !looks_like_answer(text))
        .collect::<Vec<_>>()
        .join("\n");
    let mut told = match secret.filter(|secret| !secret.is_empty()) {
        Some(secret) => without(&told, secret),
        None => told,
    };
    let most = limits::HELPER_WORDS_BYTES.min(told.len());
    let end = (0..=most).rfind(|at| told.is_char_boundary(*at));
    told.truncate(end.unwrap_or(0));
    told
}

fn looks_like_answer(text: &str) -> bool {
    text.starts_with('{') || text.to_ascii_lowercase().contains("\"secret\"")
}

/// `text` without `secret`, neither as it is nor as it stands in JSON.
fn without(text: &str, secret: &str) -> String {
    let in_json = serde_json::to_string(secret).unwrap_or_default();
    let in_json = in_json.trim_matches('"');
    text.replace(secret, "***").replace(in_json, "***")
}
