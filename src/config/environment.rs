//! The raw environment: texts by name, and the few shapes a value can have.
#![forbid(unsafe_code)]

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::ConfigError;

/// Variables that are ours alone: secrets, and what systemd tells a service about itself.
const OWN_PREFIXES: [&str; 2] = ["NODE_AGENT_", "DO_TOKEN"];
const OWN_NAMES: [&str; 9] = [
    "CREDENTIALS_DIRECTORY",
    "STATE_DIRECTORY",
    "NOTIFY_SOCKET",
    "JOURNAL_STREAM",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// What a program of the admin's may know of the environment. Its values may be secrets of other programs.
#[derive(Clone, Default)]
pub struct Surroundings(pub Vec<(String, String)>);

impl fmt::Debug for Surroundings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// A copy of the environment; values that are not UTF-8 are kept lossily, so that a check can show them.
#[derive(Clone, Debug, Default)]
pub struct Environment(Vec<(String, String)>);

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        Self(
            std::env::vars_os()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
        )
    }

    /// An environment of these variables.
    #[cfg(test)]
    pub fn from_pairs(pairs: &[(&str, &str)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// Sets a variable, for the defaults of `--dev`.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// All of it but our own variables and those of systemd.
    pub fn surroundings(&self) -> Surroundings {
        let is_own = |name: &str| {
            OWN_NAMES.contains(&name) || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        };
        let others = self.0.iter().filter(|(name, _)| !is_own(name));
        let mut others: Vec<_> = others.cloned().collect();
        if self.text("HOME").is_none() {
            // systemd gives a root service none, and most helpers keep their things there.
            others.push(("HOME".to_owned(), "/root".to_owned()));
        }
        Surroundings(others)
    }

    /// The value of `name`; an empty one counts as unset.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())?;
        Some(value)
    }

    /// The value of `name` as a `T`.
    pub fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        let parsed = value.trim().parse();
        parsed.map(Some).map_err(|_| ConfigError::Value {
            name,
            value: value.to_owned(),
            expected,
        })
    }

    /// The value of `name` as a number from `least` to `most`.
    pub fn number(
        &self,
        name: &'static str,
        least: usize,
        most: usize,
        expected: &'static str,
    ) -> Result<Option<usize>, ConfigError> {
        match self.parsed::<usize>(name, expected)? {
            Some(number) if !(least..=most).contains(&number) => Err(ConfigError::Value {
                name,
                value: number.to_string(),
                expected,
            }),
            number => Ok(number),
        }
    }

    /// The value of `name` as a boolean, as people write them.
    pub fn boolean(&self, name: &'static str) -> Result<Option<bool>, ConfigError> {
        self.choice(name, BOOLEANS, "true or false")
    }

    /// The value of `name` as one of `choices`, case ignored.
    pub fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&str, T)],
        expected: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        let found = choices
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(value.trim()));
        let wrong = || ConfigError::Value {
            name,
            value: value.to_owned(),
            expected,
        };
        found.map(|(_, choice)| Some(*choice)).ok_or_else(wrong)
    }

    /// The value of `name` as an absolute path.
    pub fn absolute_path(&self, name: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        match self.text(name) {
            Some(value) if !value.starts_with('/') => Err(ConfigError::Value {
                name,
                value: value.to_owned(),
                expected: "an absolute path",
            }),
            value => Ok(value.map(PathBuf::from)),
        }
    }
}

const BOOLEANS: &[(&str, bool)] = &[
    ("true", true),
    ("1", true),
    ("yes", true),
    ("on", true),
    ("false", false),
    ("0", false),
    ("no", false),
    ("off", false),
];
