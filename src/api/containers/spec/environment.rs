//! `environment`: `NAME=value` texts or an object. A name without a value is handed on as it is, and the engine then
//! takes the variable away that the image may have; it is never filled from the agent's own environment, as the CLI does
//! from its caller's. Messages quote names only: values are often secrets.
#![forbid(unsafe_code)]

use super::error::{SpecError, quote};
use super::words::Pairs;

/// Reads the field.
pub(super) fn read(pairs: &Pairs) -> Result<Vec<String>, SpecError> {
    match pairs {
        Pairs::List(texts) => texts
            .iter()
            .enumerate()
            .map(|(index, text)| {
                check(text)
                    .map(|()| text.clone())
                    .map_err(|what| SpecError::item("environment", index, what))
            })
            .collect(),
        Pairs::Object(members) => members
            .iter()
            .map(|(name, value)| {
                member(name, value.as_deref())
                    .map_err(|what| SpecError::member("environment", name, what))
            })
            .collect(),
    }
}

fn member(name: &str, value: Option<&str>) -> Result<String, String> {
    if name.contains('=') {
        return Err("has a `=` in its name".to_owned());
    }
    let text = value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"));
    check(&text).map(|()| text)
}

fn check(text: &str) -> Result<(), String> {
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    if name.is_empty() {
        return Err("has no name; expected `NAME=value`".to_owned());
    }
    if text.contains('\0') {
        return Err(format!("has a NUL character in {}", quote(name)));
    }
    Ok(())
}
