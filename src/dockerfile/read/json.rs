//! JSON by the key, without a tree: a value stays text until one of its fields is asked for.
//!
//! A `serde_json::Value` of a hostile manifest takes a hundred times the manifest's size. The text takes once.
#![forbid(unsafe_code)]

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::source::{Syntax, without_comments};

/// The most keys of an object that are returned.
const MOST: usize = 5_000;

/// A JSON value.
#[derive(Debug, Clone)]
pub(crate) struct Json(Box<RawValue>);

impl Json {
    /// A whole document.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }

    /// A whole document that may have comments and commas before closing brackets (`deno.jsonc`).
    pub(crate) fn parse_with_comments(text: &str) -> Result<Self, serde_json::Error> {
        let bare = without_comments(text, Syntax::Slashes);
        Self::parse(&without_trailing_commas(&bare))
    }

    /// The value of a key of this object.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_str(self.0.get());
        Pick(key).deserialize(&mut json).ok().flatten().map(Self)
    }

    /// The value at a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<Self> {
        path.iter()
            .try_fold(self.clone(), |value, key| value.get(key))
    }

    /// This value, if it is a string.
    pub(crate) fn string(&self) -> Option<String> {
        serde_json::from_str(self.0.get()).ok()
    }

    /// The string at a path of keys.
    pub(crate) fn string_at(&self, path: &[&str]) -> Option<String> {
        self.at(path)?.string()
    }

    /// The keys of this object.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut json = serde_json::Deserializer::from_str(self.0.get());
        json.deserialize_map(Keys).unwrap_or_default()
    }
}

struct Pick<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Option<Box<RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Option<Box<RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut keys = Vec::new();
        while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
            if keys.len() < MOST {
                keys.push(key);
            }
        }
        Ok(keys)
    }
}

/// Replaces each comma that only white space parts from a closing bracket.
fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut comma = None;
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if matches!(c, '}' | ']') {
            if let Some(at) = comma.take() {
                out.replace_range(at..=at, " ");
            }
        } else if c == ',' {
            comma = Some(out.len());
        } else if !c.is_whitespace() {
            comma = None;
            quoted = c == '"';
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_path_and_type() {
        let json = Json::parse(r#"{"a":{"b":"x","n":1},"l":["p",2,{"q":null}]}"#).unwrap();
        assert_eq!(json.string_at(&["a", "b"]).as_deref(), Some("x"));
        assert_eq!(json.string_at(&["a", "n"]), None);
        assert_eq!(json.string_at(&["l", "b"]), None);
        assert_eq!(json.get("a").unwrap().keys(), ["b", "n"]);
        assert!(json.get("l").unwrap().keys().is_empty());
        assert_eq!(json.string_at(&["l"]), None);
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let json = Json::parse(r#"{"a":"1","\u0061":"2"}"#).unwrap();
        assert_eq!(json.string_at(&["a"]).as_deref(), Some("2"));
    }

    #[test]
    fn comments_and_trailing_commas_are_taken_where_allowed() {
        let text =
            "// top\n{ \"a\": \"x // no /* comment */ ,]\", /* here */\n \"b\": [1, 2 , ], }\n";
        assert!(Json::parse(text).is_err());
        let json = Json::parse_with_comments(text).unwrap();
        assert_eq!(
            json.string_at(&["a"]).as_deref(),
            Some("x // no /* comment */ ,]")
        );
        assert!(json.get("b").is_some());
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!(
            "{{\"a\":{}{},\"b\":\"x\"}}",
            "[".repeat(50_000),
            "]".repeat(50_000)
        );
        let json = Json::parse(&deep).unwrap();
        assert_eq!(json.string_at(&["b"]).as_deref(), Some("x"));
    }

    #[test]
    fn an_error_names_a_place_and_not_the_text() {
        let error = Json::parse("{\"secret\": hunter2}")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 1") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
