//! JSON bodies: read under a limit, held to the type of each field, with a word about the fields nobody knows.
#![forbid(unsafe_code)]

mod fit;
mod json;

use std::io::Read;

use serde::de::DeserializeOwned;

use fit::{Misfit, fit};
use json::{Json, JsonError};

use super::{ApiError, Request};
use crate::limits;

/// A body that was understood.
#[derive(Debug)]
pub struct Parsed<T> {
    /// What it says.
    pub value: T,
    /// One sentence for each field that nobody knows.
    pub warnings: Vec<String>,
}

impl Request<'_> {
    /// The JSON body as `T`, at most [`limits::JSON_BYTES`]. No body at all is a 400, a wrong type a 400 that names the
    /// field, another content type a 415. curl's `-d` without a header announces a form; that is let pass.
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<Parsed<T>, ApiError> {
        self.check_content_type()?;
        let text = self.read_body(limits::JSON_BYTES)?;
        if text.trim_ascii().is_empty() {
            return Err(ApiError::bad_request("the request needs a JSON body"));
        }
        parse(&text)
    }

    /// The same where a body may be left out: an absent one is `T`'s default.
    pub fn optional_json<T: DeserializeOwned + Default>(&mut self) -> Result<Parsed<T>, ApiError> {
        if self.head.framing().has_body() {
            self.json()
        } else {
            Ok(Parsed {
                value: T::default(),
                warnings: Vec::new(),
            })
        }
    }

    fn check_content_type(&self) -> Result<(), ApiError> {
        let Some(given) = self.head.text("Content-Type") else {
            return Ok(());
        };
        let bare = given
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let fits =
            ["", "application/json", "application/x-www-form-urlencoded"].contains(&bare.as_str());
        if fits || bare.ends_with("+json") {
            return Ok(());
        }
        Err(ApiError::UnsupportedMediaType {
            given: given.to_owned(),
            expected: "application/json",
        })
    }

    /// The whole body, which may have `limit` bytes.
    fn read_body(&mut self, limit: u64) -> Result<Vec<u8>, ApiError> {
        if self
            .head
            .framing()
            .length()
            .is_some_and(|length| length > limit)
        {
            return Err(ApiError::TooLarge { limit });
        }
        let mut bytes = Vec::new();
        (&mut self.body)
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(ApiError::from_body)?;
        if bytes.len() as u64 > limit {
            return Err(ApiError::TooLarge { limit });
        }
        Ok(bytes)
    }
}

/// `text` as `T`.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<Parsed<T>, ApiError> {
    let json = read(text)?;
    let (value, unknown) = fit(&json).map_err(|misfit| describe(&misfit))?;
    let warning = |field| format!("unknown field: {field}");
    Ok(Parsed {
        value,
        warnings: unknown.into_iter().map(warning).collect(),
    })
}

/// `text` as an object.
fn read(text: &[u8]) -> Result<Json<'_>, ApiError> {
    // serde would take an array for a struct's fields in their order: `[]` would be a cleanup with all defaults.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(ApiError::NotAnObject);
    }
    Json::parse(text).map_err(|error| match error {
        JsonError::Syntax(error) => {
            ApiError::bad_request("the body is not valid JSON").with_details(error.to_string())
        }
        JsonError::TooMany => ApiError::TooMuch(format!(
            "the body has more than {} values",
            limits::JSON_VALUES
        )),
    })
}

fn describe(misfit: &Misfit) -> ApiError {
    let words = in_words(&misfit.message);
    match misfit.field.as_str() {
        "" => ApiError::bad_request(&format!("the JSON body does not fit: {words}")),
        field => ApiError::bad_request(&format!("field `{field}`: {words}")),
    }
}

/// serde names Rust's types, which nobody knows who only has curl.
fn in_words(message: &str) -> String {
    let Some((before, expected)) = message.rsplit_once("expected ") else {
        return message.to_owned();
    };
    let words = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        structure if structure.starts_with("struct ") => "an object",
        words if words.starts_with("enum ") => "a string",
        other => other,
    };
    format!("{before}expected {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Outer {
        name: String,
        inner: Option<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Inner {
        count: u32,
    }

    fn message(text: &str) -> String {
        parse::<Outer>(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn unknown_fields_are_warned_about() {
        let text = br#"{"name": "a", "nmae": 1, "inner": {"count": 2, "cuont": [1, {"x": 2}]}}"#;
        let parsed = parse::<Outer>(text).unwrap();
        assert_eq!(
            (
                parsed.value.name.as_str(),
                parsed.value.inner.unwrap().count
            ),
            ("a", 2)
        );
        assert_eq!(
            parsed.warnings,
            ["unknown field: nmae", "unknown field: inner.cuont"]
        );
    }

    #[test]
    fn a_wrong_type_names_field_and_expectation() {
        assert_eq!(
            message(r#"{"name": 5}"#),
            "field `name`: invalid type: integer `5`, expected a string"
        );
        let inner = message(r#"{"name": "a", "inner": {"count": "many"}}"#);
        assert_eq!(
            inner,
            "field `inner.count`: invalid type: string \"many\", expected a whole number, 0 or more"
        );
        assert_eq!(
            message(r#"{"name": "a", "inner": 5}"#),
            "field `inner`: invalid type: integer `5`, expected an object"
        );
        assert_eq!(
            message("{}"),
            "the JSON body does not fit: missing field `name`"
        );
    }

    #[derive(Debug, serde::Deserialize)]
    struct Kinds {
        word: Option<Word>,
        list: Option<Vec<Inner>>,
        map: Option<std::collections::BTreeMap<String, u8>>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Always,
        Never,
    }

    #[test]
    fn the_innermost_field_is_named() {
        for (text, expected) in [
            (
                r#"{"list": [{"count": 1}, {"count": null}]}"#,
                "field `list[1].count`: invalid type: null, expected a whole number, 0 or more",
            ),
            (
                r#"{"list": [{"count": 1}, {}]}"#,
                "field `list[1]`: missing field `count`",
            ),
            (
                r#"{"map": {"a": 1, "b": 256}}"#,
                "field `map.b`: invalid value: integer `256`, expected a whole number, 0 or more",
            ),
            (
                r#"{"word": "Never"}"#,
                "field `word`: unknown variant `Never`, expected `always` or `never`",
            ),
            (
                r#"{"word": 5}"#,
                "field `word`: invalid type: integer `5`, expected a string",
            ),
            (
                r#"{"word": "never", "word": "always"}"#,
                "the JSON body does not fit: duplicate field `word`",
            ),
        ] {
            let message = parse::<Kinds>(text.as_bytes()).unwrap_err().to_string();
            assert_eq!(message, expected, "{text}");
        }
        let text =
            r#"{"word": "n\u0065ver", "list": null, "map": {"\u0061": 255}, "l\u0069st": null}"#;
        let duplicate = parse::<Kinds>(text.as_bytes()).unwrap_err().to_string();
        assert!(duplicate.contains("duplicate field `list`"), "{duplicate}");
        let text = text.replace(r#", "l\u0069st": null"#, "");
        let kinds = parse::<Kinds>(text.as_bytes()).unwrap().value;
        assert_eq!(kinds.word, Some(Word::Never));
        assert!(kinds.list.is_none());
        assert_eq!(kinds.map.unwrap()["a"], 255);
    }

    #[test]
    fn no_message_repeats_the_whole_body() {
        let long = "é\\n".repeat(100_000);
        for text in [
            format!("{{\"word\": \"{long}\"}}"),
            format!("{{\"list\": \"{long}\"}}"),
            format!("{{\"map\": {{\"a\": \"{long}\"}}}}"),
        ] {
            let message = parse::<Kinds>(text.as_bytes()).unwrap_err().to_string();
            assert!(message.len() < 2000, "{} bytes", message.len());
            assert!(message.contains("é") && message.contains("…"), "{message}");
            assert!(message.contains("expected"), "{message}");
        }
    }

    #[test]
    fn there_is_a_most_of_values() {
        let body =
            |count: usize| format!("{{\"name\": \"a\", \"x\": [[]{}]}}", ",[]".repeat(count));
        let most = limits::JSON_VALUES as usize;
        // The object, the name, the list and its first item stand before the repeated ones.
        assert!(parse::<Outer>(body(most - 4).as_bytes()).is_ok());
        let error = parse::<Outer>(body(most - 3).as_bytes()).unwrap_err();
        assert_eq!(error.status(), 413);
        assert_eq!(error.to_string(), "the body has more than 100000 values");
    }

    #[test]
    fn what_is_not_json_is_said_to_be() {
        for text in ["{", "{\"name\": \"a\"} x", "{nope"] {
            assert_eq!(message(text), "the body is not valid JSON", "{text:?}");
        }
        for text in ["[]", "[\"a\", null]", "null", "5", "nope", "\u{0}"] {
            assert_eq!(message(text), "the body must be a JSON object", "{text:?}");
        }
        let deep = format!("{{\"name\": \"a\", \"x\": {}", "[".repeat(100_000));
        assert_eq!(message(&deep), "the body is not valid JSON");
    }
}
