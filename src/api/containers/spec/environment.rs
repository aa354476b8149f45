//! `environment`: `NAME=value` texts or an object. A name without a value is handed on as it is, and the engine then
//! takes the variable away that the image may have; it is never filled from the agent's own environment, as the CLI does
//! from its caller's. Messages quote names only: values are often secrets.
#![forbid(unsafe_code)]

use std::collections::HashMap;

use super::error::{SpecError, quote};
use super::words::Pairs;

/// Reads the field, which is `environment` for `run` and `env` for `exec`.
pub(in crate::api) fn read(field: &'static str, pairs: &Pairs) -> Result<Vec<String>, SpecError> {
    let texts: Vec<String> = match pairs {
        Pairs::List(texts) => texts
            .iter()
            .enumerate()
            .map(|(index, text)| {
                check(text)
                    .map(|()| text.clone())
                    .map_err(|what| SpecError::item(field, index, what))
            })
            .collect::<Result<_, _>>()?,
        Pairs::Object(members) => members
            .iter()
            .map(|(name, value)| {
                member(name, value.as_deref()).map_err(|what| SpecError::member(field, name, what))
            })
            .collect::<Result<_, _>>()?,
    };
    Ok(last_of_each_name(texts))
}

/// The CLI sends the last of one name only; the engine would keep all, and which counts would be the program's choice.
fn last_of_each_name(texts: Vec<String>) -> Vec<String> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        let place = *places
            .entry(name_of(&text).to_owned())
            .or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => *earlier = text,
            None => kept.push(text),
        }
    }
    kept
}

fn name_of(text: &str) -> &str {
    text.split_once('=').map_or(text, |(name, _)| name)
}

fn member(name: &str, value: Option<&str>) -> Result<String, String> {
    if name.contains('=') {
        return Err("has a `=` in its name".to_owned());
    }
    let text = value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"));
    check(&text).map(|()| text)
}

fn check(text: &str) -> Result<(), String> {
    let name = name_of(text);
    if name.is_empty() {
        return Err("has no name; expected `NAME=value`".to_owned());
    }
    if text.contains('\0') {
        return Err(format!("has a NUL character in {}", quote(name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{create, refusal};

    #[test]
    fn takes_lists_and_objects() {
        for (given, expected) in [
            (json!(null), Value::Null),
            (json!([]), Value::Null),
            (json!({}), Value::Null),
            (
                json!(["A=1", "B=", "C", "D=a=b", "e f= g "]),
                json!(["A=1", "B=", "C", "D=a=b", "e f= g "]),
            ),
            (
                json!({"S": "text", "N": 8080, "M": -5, "F": 0.5, "G": 5.0, "T": true, "O": false, "Z": null, "E": ""}),
                json!([
                    "E=", "F=0.5", "G=5.0", "M=-5", "N=8080", "O=false", "S=text", "T=true", "Z"
                ]),
            ),
            (
                json!({"BIG": u64::MAX}),
                json!(["BIG=18446744073709551615"]),
            ),
        ] {
            let created = create(&json!({ "environment": given }));
            assert_eq!(
                created.get("Env").unwrap_or(&Value::Null),
                &expected,
                "{given}"
            );
        }
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let created = create(&json!({"environment": ["A=1", "B=1", "A=2", "B", "A=3", "AB=1"]}));
        assert_eq!(created["Env"], json!(["A=3", "B", "AB=1"]));
    }

    #[test]
    fn a_name_alone_is_not_filled_from_the_agent() {
        // Every process has one.
        assert!(std::env::var_os("PATH").is_some());
        assert_eq!(
            create(&json!({"environment": ["PATH"]}))["Env"],
            json!(["PATH"])
        );
    }

    #[test]
    fn refuses_with_a_reason_and_without_the_value() {
        for (given, message) in [
            (
                json!(["A=1", "=secret"]),
                "field `environment[1]` has no name; expected `NAME=value`",
            ),
            (
                json!([""]),
                "field `environment[0]` has no name; expected `NAME=value`",
            ),
            (
                json!(["A=secret\0"]),
                "field `environment[0]` has a NUL character in `A`",
            ),
            (
                json!({"": "secret"}),
                "field `environment.` has no name; expected `NAME=value`",
            ),
            (
                json!({"A=B": "secret"}),
                "field `environment.A=B` has a `=` in its name",
            ),
        ] {
            assert_eq!(refusal(&json!({ "environment": given })), message);
        }
    }

    #[test]
    fn a_wrong_type_is_named() {
        for (given, message) in [
            (
                json!(5),
                "field `environment`: invalid type: integer `5`, expected an array of strings (`NAME=value`) or an object",
            ),
            (
                json!([5]),
                "field `environment[0]`: invalid type: integer `5`, expected a string",
            ),
            (
                json!({"A": ["x"]}),
                "field `environment.A`: invalid type: sequence, expected a string, a number, a boolean or null",
            ),
            (
                json!({"A": {}}),
                "field `environment.A`: invalid type: map, expected a string, a number, a boolean or null",
            ),
            (
                json!({"A": 1e300}),
                "field `environment.A`: a number this large must be written as a string",
            ),
        ] {
            let refusal = refusal(&json!({ "environment": given }));
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }
}
