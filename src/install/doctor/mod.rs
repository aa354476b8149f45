//! `node-agent doctor`: looks at everything that the agent needs, changes nothing, and says what each missing piece
//! disables.
#![forbid(unsafe_code)]

mod agent;
mod files;
mod machine;

use std::fmt;

use serde::Serialize;

use super::place::Places;
use super::settings::Settings;
use super::{InstallError, place};
use crate::config::{Config, Environment};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Some endpoints do not work.
    Warning,
    /// The agent does not work, or is not safe.
    Failed,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What: `engine`, `git`, `disk`.
    pub name: &'static str,
    /// How it is.
    pub state: State,
    /// What was found, in a sentence.
    pub found: String,
    /// What does not work for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disables: Option<&'static str>,
}

/// Everything that was looked at.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether nothing essential is wrong.
    pub healthy: bool,
    /// This program's version.
    pub version: &'static str,
    /// One by one.
    pub checks: Vec<Check>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            state: State::Ok,
            found: found.into(),
            disables: None,
        }
    }

    fn warning(name: &'static str, found: impl Into<String>, disables: &'static str) -> Self {
        Self {
            name,
            state: State::Warning,
            found: found.into(),
            disables: Some(disables),
        }
    }

    fn failed(name: &'static str, found: impl Into<String>, disables: &'static str) -> Self {
        Self {
            state: State::Failed,
            ..Self::warning(name, found, disables)
        }
    }
}

/// Looks at everything. The settings are those of the service where it is installed, with what this process' own
/// environment says on top.
pub fn examine(own: &Environment) -> Result<Report, InstallError> {
    let places = Places::of_machine();
    let config = config(&places, own)?;
    let mut checks = machine::checks(&config);
    checks.extend(files::checks(&places, &config));
    checks.extend(agent::checks(&places, &config));
    Ok(Report {
        healthy: checks.iter().all(|check| check.state != State::Failed),
        version: env!("CARGO_PKG_VERSION"),
        checks,
    })
}

fn config(places: &Places, own: &Environment) -> Result<Config, InstallError> {
    let settings = Settings::read(&places.settings)?.unwrap_or_else(Settings::delivered);
    let mut environment = settings.environment();
    for name in place::VARIABLES {
        if let Some(value) = own.text(name) {
            environment.set(name, value);
        }
    }
    Ok(Config::from_environment(&environment)?)
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let state = match check.state {
                State::Ok => "ok     ",
                State::Warning => "warning",
                State::Failed => "FAILED ",
            };
            writeln!(out, "{state}  {:<14} {}", check.name, check.found)?;
            if let Some(disables) = check.disables {
                writeln!(out, "{:24} without it: {disables}", "")?;
            }
        }
        let count = |state| {
            self.checks
                .iter()
                .filter(|check| check.state == state)
                .count()
        };
        match (count(State::Failed), count(State::Warning)) {
            (0, 0) => writeln!(out, "\nEverything is there."),
            (0, warnings) => writeln!(out, "\nThe agent works; {warnings} of its parts do not."),
            (failed, _) => writeln!(out, "\n{failed} essential things are wrong."),
        }
    }
}
