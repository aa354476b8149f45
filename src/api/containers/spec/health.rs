//! `health_check`: the engine's Healthcheck. What is left out comes from the image.
#![forbid(unsafe_code)]

use serde_json::{Map, Value, json};

use super::body::HealthCheck;
use super::error::{SpecError, quote};
use super::scalars::{Count, Seconds};
use super::words::Words;

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
    if let Some(Count(retries)) = check.retries {
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
    #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
    Ok(nanos as i64)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{create, refusal};
    use super::*;

    #[test]
    fn becomes_a_healthcheck() {
        for (given, expected) in [
            (json!(null), Value::Null),
            (json!({}), Value::Null),
            (
                json!({"test": "exit 0"}),
                json!({"Test": ["CMD-SHELL", "exit 0"]}),
            ),
            (
                json!({"test": ["CMD", "a", "b"]}),
                json!({"Test": ["CMD", "a", "b"]}),
            ),
            (
                json!({"test": ["CMD-SHELL", "a"]}),
                json!({"Test": ["CMD-SHELL", "a"]}),
            ),
            (json!({"test": ["NONE"]}), json!({"Test": ["NONE"]})),
            (
                json!({"test": ["curl", "-f", "x"]}),
                json!({"Test": ["CMD", "curl", "-f", "x"]}),
            ),
            (
                json!({"interval": 1.5, "timeout": 0, "start_period": 0.1, "retries": 0}),
                json!({"Interval": 1_500_000_000, "Timeout": 0, "StartPeriod": 100_000_000, "Retries": 0}),
            ),
            (json!({"interval": 0.001}), json!({"Interval": 1_000_000})),
            (
                json!({"interval": 86_400}),
                json!({"Interval": 86_400_000_000_000_u64}),
            ),
        ] {
            let created = create(&json!({ "health_check": given }));
            assert_eq!(
                created.get("Healthcheck").unwrap_or(&Value::Null),
                &expected,
                "{given}"
            );
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        let seconds = "expected seconds, at least 0.001, or 0 for the default";
        for (given, message) in [
            (json!({"test": " "}), "field `health_check.test` is empty; expected a command".to_owned()),
            (json!({"test": []}), "field `health_check.test` is empty; expected a command".to_owned()),
            (json!({"test": ["", "a"]}), "field `health_check.test` is empty; expected a command".to_owned()),
            (json!({"test": ["CMD"]}), "field `health_check.test` names no command".to_owned()),
            (json!({"test": "NONE"}), "field `health_check.test` is `NONE`; to switch the image's check off, write `[\"NONE\"]`".to_owned()),
            (json!({"test": "a\0"}), "field `health_check.test` has a NUL character, which no program can be given".to_owned()),
            (json!({"interval": -1}), format!("field `health_check.interval` is `-1`; {seconds}")),
            (json!({"interval": 1e300}), format!("field `health_check.interval` is {}; {seconds}", quote(&1e300.to_string()))),
            (json!({"timeout": 0.0005}), format!("field `health_check.timeout` is `0.0005`; {seconds}")),
            (json!({"start_period": -0.5}), format!("field `health_check.start_period` is `-0.5`; {seconds}")),
            (json!({"retries": -1}), "field `health_check.retries` is -1; expected a whole number, 0 or more".to_owned()),
        ] {
            assert_eq!(refusal(&json!({ "health_check": given })), message);
        }
    }

    #[test]
    fn a_wrong_type_is_named() {
        for (given, message) in [
            (
                json!("exit 0"),
                "field `health_check`: invalid type: string \"exit 0\", expected an object",
            ),
            (
                json!({"test": 5}),
                "field `health_check.test`: invalid type: integer `5`, expected a string or an array of strings",
            ),
            (
                json!({"test": ["CMD", 5]}),
                "field `health_check.test[1]`: invalid type: integer `5`, expected a string",
            ),
            (
                json!({"interval": "30s"}),
                "field `health_check.interval`: invalid type: string \"30s\", expected a number of seconds",
            ),
            (
                json!({"retries": 1.5}),
                "field `health_check.retries`: invalid type: floating point `1.5`, expected a whole number",
            ),
        ] {
            let refusal = refusal(&json!({ "health_check": given }));
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }
}
