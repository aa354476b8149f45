//! What a command has at hand: its arguments, the agent, and the ways to show an answer.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::arguments::Arguments;
use super::failure::Failure;
use super::http::{Answer, Client};
use super::target::Target;
use crate::config::Environment;

/// One run of a command.
pub(super) struct Session {
    pub(super) arguments: Arguments,
    pub(super) client: Client,
    pub(super) environment: Environment,
    /// The agent's answers are printed as they are.
    pub(super) is_json: bool,
}

impl Session {
    pub(super) fn new(arguments: Arguments, environment: Environment) -> Result<Self, Failure> {
        let host = arguments.value("host")?;
        let target = Target::new(host, arguments.os_value("key-file"), &environment)?;
        Ok(Self {
            client: Client::new(Arc::new(target)),
            is_json: arguments.flag("json"),
            arguments,
            environment,
        })
    }

    /// From now on the agent may be silent for so long.
    pub(super) fn wait_for(&mut self, silence: Duration) {
        self.client.set_silence(silence);
    }

    /// Prints an answer: as it is, or as `shown` puts it. Warnings go to stderr.
    pub(super) fn show(
        &self,
        answer: Answer<'_>,
        shown: &dyn Fn(&Value) -> String,
    ) -> Result<u8, Failure> {
        let text = answer.text()?;
        if self.is_json {
            print(text.trim_end())?;
            return print("\n").map(|()| 0);
        }
        let value = parsed(&text)?;
        warn(&value);
        print(&shown(&value)).map(|()| 0)
    }

    /// `NAME=VALUE` as it stands; of a bare name the value in this shell, as docker does it.
    pub(super) fn variable(&self, given: &str) -> String {
        match self.environment.text(given) {
            Some(value) if !given.contains('=') => format!("{given}={value}"),
            _ => given.to_owned(),
        }
    }

    /// All values of the option as an array of variables.
    pub(super) fn variables(&self, option: &str) -> Result<Vec<Value>, Failure> {
        let given = self.arguments.values(option)?;
        Ok(given
            .iter()
            .map(|text| self.variable(text).into())
            .collect())
    }
}

/// Puts `value` into the object `body`, unless it is nothing.
pub(super) fn set(body: &mut Value, name: &str, value: impl Into<Value>) {
    let value = value.into();
    let is_nothing = match &value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    if !is_nothing {
        body[name] = value;
    }
}

/// The JSON that `text` is.
pub(super) fn parsed(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::Unreachable(format!("the answer is no JSON: {error}")))
}

/// The text at `name`, or nothing.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// Prints to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(Failure::output)
}

/// Says something to the person, beside the output. Nobody could be told that stderr is closed.
pub(super) fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Tells the warnings of an answer.
pub(super) fn warn(value: &Value) {
    for warning in value["warnings"].as_array().into_iter().flatten() {
        tell(&format!(
            "warning: {}",
            warning.as_str().unwrap_or_default()
        ));
    }
}
