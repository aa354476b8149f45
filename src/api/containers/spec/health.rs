//! `health_check`: the engine's Healthcheck. What is left out comes from the image.
#![forbid(unsafe_code)]

use serde_json::{Map, Value, json};

use super::body::HealthCheck;
use super::error::{SpecError, quote};
use super::words::{Seconds, Words};

const NANOS_PER_SECOND: f64 = 1e9;
/// The shortest duration that the engine takes.
const MIN_NANOS: f64 = 1e6;
/// The longest: the engine counts nanoseconds in 63 bits.
const MAX_SECONDS: f64 = 9.2e9;
/// More than anybody waits for.
const MAX_RETRIES: i64 = 2_147_483_647;

/// Reads the field; `None` when it says nothing.
pub(super) fn read(check: &HealthCheck) -> Result<Option<Value>, SpecError> {
    let mut json = Map::new();
    if let Some(test) = &check.test {
        json.insert("Test".into(), read_test(test)?.into());
    }
    for (field, key, given) in [
        ("interval", "Interval", check.interval),
        ("timeout", "Timeout", check.timeout),
        ("start_period", "StartPeriod", check.start_period),
    ] {
        if let Some(seconds) = given {
            let nanos = nanoseconds(seconds)
                .map_err(|what| SpecError::member("health_check", field, what))?;
            json.insert(key.into(), json!(nanos));
        }
    }
    if let Some(retries) = check.retries {
        if !(0..=MAX_RETRIES).contains(&retries) {
            let what = format!("is {retries}; expected a whole number, 0 or more");
            return Err(SpecError::field("health_check.retries", what));
        }
        json.insert("Retries".into(), json!(retries));
    }
    Ok((!json.is_empty()).then_some(Value::Object(json)))
}

fn read_test(words: &Words) -> Result<Vec<String>, SpecError> {
    let error = |what: &str| Err(SpecError::field("health_check.test", what));
    let words = match words {
        Words::One(text) if text.trim().is_empty() => return error("is empty; expected a command"),
        // A command of that name there is not; the container would be unhealthy for ever.
        Words::One(text) if text == "NONE" => {
            return error("is `NONE`; to switch the image's check off, write `[\"NONE\"]`");
        }
        Words::One(text) => vec!["CMD-SHELL".to_owned(), text.clone()],
        Words::List(words) => match words.first().map(String::as_str) {
            None | Some("") => return error("is empty; expected a command"),
            Some("CMD" | "CMD-SHELL") if words.len() == 1 => return error("names no command"),
            Some("CMD" | "CMD-SHELL" | "NONE") => words.clone(),
            Some(_) => std::iter::once("CMD".to_owned())
                .chain(words.iter().cloned())
                .collect(),
        },
    };
    if words.iter().any(|word| word.contains('\0')) {
        return error("has a NUL character, which no program can be given");
    }
    Ok(words)
}

/// 0 is the engine's own default.
fn nanoseconds(Seconds(seconds): Seconds) -> Result<i64, String> {
    let nanos = (seconds * NANOS_PER_SECOND).round();
    if nanos != 0.0 && nanos < MIN_NANOS || !(0.0..=MAX_SECONDS).contains(&seconds) {
        let given = quote(&seconds.to_string());
        return Err(format!(
            "is {given}; expected seconds, at least 0.001, or 0 for the default"
        ));
    }
    // Checked just above.
    #[allow(clippy::cast_possible_truncation)]
    Ok(nanos as i64)
}
