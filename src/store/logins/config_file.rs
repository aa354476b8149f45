//! The docker CLI's config.json, as far as it is about logins.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::value::RawValue;

use super::address::best_key;
use super::members::{Member, Members};
use super::{Login, LoginError};
use crate::limits;

/// The text of the file, empty when there is none. No Debug: it holds secrets.
pub(super) struct ConfigText {
    pub(super) file: PathBuf,
    text: String,
}

impl ConfigText {
    /// Reads `file`.
    pub(super) fn read(file: PathBuf) -> Result<Self, LoginError> {
        let mut text = String::new();
        let most = limits::DOCKER_CONFIG_BYTES;
        let read =
            File::open(&file).and_then(|opened| opened.take(most + 1).read_to_string(&mut text));
        match read {
            Ok(count) if count as u64 > most => {
                Err(unreadable(&file, &format!("it has more than {most} bytes")))
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(unreadable(&file, &error.to_string()))
            }
            _ => Ok(Self { file, text }),
        }
    }

    /// Takes it apart. An empty file is one without logins.
    pub(super) fn parse(&self) -> Result<ConfigFile<'_>, LoginError> {
        let top = match self.text.trim_ascii() {
            "" => Members::default(),
            text => parse(&self.file, text)?,
        };
        let part = |name: &str| match top.spelled(name).and_then(|name| top.get(name)) {
            Some(raw) => parse::<Option<Members<'_>>>(&self.file, raw.get()),
            None => Ok(None),
        };
        Ok(ConfigFile {
            file: &self.file,
            auths: part("auths")?.unwrap_or_default(),
            helpers: part("credHelpers")?.unwrap_or_default(),
            top,
        })
    }
}

/// The file, taken apart.
pub(super) struct ConfigFile<'t> {
    file: &'t Path,
    top: Members<'t>,
    auths: Members<'t>,
    helpers: Members<'t>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Saved {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl<'t> ConfigFile<'t> {
    /// The helper for `address`: its own, otherwise the one for all. An empty name of its own means none.
    pub(super) fn helper_for(&self, address: &str) -> Option<String> {
        let own = best_key(self.helpers.names(), address)
            .and_then(|key| self.helpers.get(key))
            .and_then(text_of);
        own.map_or_else(|| self.default_helper(), Some)
            .filter(|name| !name.is_empty())
    }

    /// The helper for all registries that have none of their own.
    pub(super) fn default_helper(&self) -> Option<String> {
        let name = self.top.spelled("credsStore")?;
        let helper = self.top.get(name).and_then(text_of);
        helper.filter(|name| !name.is_empty())
    }

    /// The registries that have a helper of their own.
    pub(super) fn helped(&self) -> impl Iterator<Item = &str> {
        self.helpers.names()
    }

    /// The registries that stand in the file itself.
    pub(super) fn listed(&self) -> impl Iterator<Item = &str> {
        self.auths.names()
    }

    /// The login for `address` that stands in the file itself.
    pub(super) fn saved(&self, address: &str) -> Result<Option<Login>, LoginError> {
        let Some(key) = best_key(self.auths.names(), address) else {
            return Ok(None);
        };
        let entry = |problem| LoginError::Entry {
            file: self.file.to_owned(),
            address: key.to_owned(),
            problem,
        };
        let raw = self.auths.get(key).map_or("null", RawValue::get);
        // serde would take an array for a struct's members in order.
        if raw.starts_with('[') {
            return Err(entry("is not an object of texts"));
        }
        let saved = serde_json::from_str::<Option<Saved>>(raw)
            .map_err(|_| entry("is not an object of texts"))?
            .unwrap_or_default();
        let (username, password) = match saved.auth.filter(|auth| !auth.is_empty()) {
            Some(auth) => decode(&auth)
                .ok_or_else(|| entry("has an `auth` that is not base64 of user:password"))?,
            None => (
                saved.username.unwrap_or_default(),
                saved.password.unwrap_or_default(),
            ),
        };
        let login = Login {
            username,
            password,
            identity_token: saved.identitytoken.unwrap_or_default(),
            registry_token: saved.registrytoken.unwrap_or_default(),
            server_address: key.to_owned(),
        };
        Ok(login.unless_empty())
    }

    /// The file's new text, with `login` in it.
    pub(super) fn with_login(self, login: &Login) -> Option<Vec<u8>> {
        let mut entry = Members::default();
        if !login.username.is_empty() || !login.password.is_empty() {
            let pair = [login.username.as_str(), ":", &login.password].concat();
            entry.set("auth", Member::Text(STANDARD.encode(pair)));
        }
        for (name, token) in [
            ("identitytoken", &login.identity_token),
            ("registrytoken", &login.registry_token),
        ] {
            if !token.is_empty() {
                entry.set(name, Member::Text(token.clone()));
            }
        }
        self.with_entry(&login.server_address, entry)
    }

    /// The file's new text, with an empty entry for `address`; `None` when it has one.
    pub(super) fn with_mark(self, address: &str) -> Option<Vec<u8>> {
        let is_marked = |raw: &RawValue| {
            let entry = serde_json::from_str::<Members<'_>>(raw.get());
            entry.is_ok_and(|entry| entry.names().next().is_none())
        };
        match self.auths.get(address) {
            Some(raw) if is_marked(raw) => None,
            _ => self.with_entry(address, Members::default()),
        }
    }

    fn with_entry(mut self, address: &str, entry: Members<'t>) -> Option<Vec<u8>> {
        self.auths.set(address, Member::Object(entry));
        let auths = self.top.spelled("auths").unwrap_or("auths").to_owned();
        self.top.set(&auths, Member::Object(self.auths));
        // Tabs and no newline at the end, as the CLI writes it.
        let mut bytes = Vec::new();
        let formatter = PrettyFormatter::with_indent(b"\t");
        let written = self
            .top
            .serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
        // Texts and what was valid before always serialize.
        written.is_ok().then_some(bytes)
    }
}

/// User and password of an `auth`: the first colon separates, and some programs pad with NULs.
fn decode(auth: &str) -> Option<(String, String)> {
    let pair = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
    let (username, password) = pair.split_once(':')?;
    let is_valid = !username.is_empty();
    is_valid.then(|| (username.to_owned(), password.trim_matches('\0').to_owned()))
}

fn text_of(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<Option<String>>(raw.get())
        .ok()
        .flatten()
}

fn parse<'t, T: Deserialize<'t>>(file: &Path, text: &'t str) -> Result<T, LoginError> {
    // serde's own sentence may quote the file, and with it a password.
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        unreadable(
            file,
            &format!("it makes no sense at line {line}, column {column}"),
        )
    })
}

fn unreadable(file: &Path, problem: &str) -> LoginError {
    LoginError::Unreadable {
        file: file.to_owned(),
        problem: problem.to_owned(),
    }
}
