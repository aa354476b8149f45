//! `labels`: `name=value` texts or an object. A name alone has the empty value.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use super::error::{SpecError, quote};
use super::words::Pairs;

/// Reads the field.
pub(in crate::api) fn read(pairs: &Pairs) -> Result<BTreeMap<String, String>, SpecError> {
    let mut labels = BTreeMap::new();
    match pairs {
        Pairs::List(texts) => {
            for (index, text) in texts.iter().enumerate() {
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                check(name).map_err(|what| SpecError::item("labels", index, what))?;
                labels.insert(name.to_owned(), value.to_owned());
            }
        }
        Pairs::Object(members) => {
            for (name, value) in members {
                check(name).map_err(|what| SpecError::member("labels", name, what))?;
                labels.insert(name.clone(), value.clone().unwrap_or_default());
            }
        }
    }
    Ok(labels)
}

/// The CLI's rule; the engine takes anything, and filters then find nothing.
fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("has no name; expected `name=value`".to_owned());
    }
    if name.contains(char::is_whitespace) {
        return Err(format!("has white space in its name {}", quote(name)));
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
            (json!([]), Value::Null),
            (
                json!(["a=1", "b", "c=x=y", "d= e ", "a=2"]),
                json!({"a": "2", "b": "", "c": "x=y", "d": " e "}),
            ),
            (
                json!({"com.example/x": "y", "n": 5, "t": true, "z": null}),
                json!({"com.example/x": "y", "n": "5", "t": "true", "z": ""}),
            ),
        ] {
            let created = create(&json!({ "labels": given }));
            assert_eq!(
                created.get("Labels").unwrap_or(&Value::Null),
                &expected,
                "{given}"
            );
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        for (given, message) in [
            (
                json!(["a=1", "=x"]),
                "field `labels[1]` has no name; expected `name=value`",
            ),
            (
                json!(["a b=x"]),
                "field `labels[0]` has white space in its name `a b`",
            ),
            (
                json!({"": "x"}),
                "field `labels.` has no name; expected `name=value`",
            ),
            (
                json!({"a\n": "x"}),
                "field `labels.a\\n` has white space in its name `a\\n`",
            ),
        ] {
            assert_eq!(refusal(&json!({ "labels": given })), message);
        }
    }
}
