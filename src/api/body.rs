//! JSON bodies: read under a limit, held to the type of each field, with a word about the fields nobody knows.
#![forbid(unsafe_code)]

use std::io::Read;

use serde::de::DeserializeOwned;

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
    // serde would take an array for a struct's fields in their order: `[]` would be a cleanup with all defaults.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(ApiError::NotAnObject);
    }
    let mut warnings = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let value = serde_ignored::deserialize(tracked, |path| {
        // serde_ignored writes `?` for the step into an Option; a person knows no such step.
        warnings.push(format!(
            "unknown field: {}",
            path.to_string().replace(".?", "")
        ));
    });
    match value.and_then(|value| json.end().map(|()| value)) {
        Ok(value) => Ok(Parsed { value, warnings }),
        Err(error) => Err(describe(&track.path().to_string(), &error)),
    }
}

/// serde's message ends with a position that helps nobody when the field is named.
fn describe(path: &str, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let bare = text
        .rfind(" at line ")
        .map_or(text.as_str(), |end| &text[..end]);
    match error.classify() {
        serde_json::error::Category::Data if path != "." => {
            ApiError::bad_request(&format!("field `{path}`: {}", in_words(bare)))
        }
        serde_json::error::Category::Data => {
            ApiError::bad_request(&format!("the JSON body does not fit: {}", in_words(bare)))
        }
        _ => ApiError::bad_request("the body is not valid JSON").with_details(text),
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
