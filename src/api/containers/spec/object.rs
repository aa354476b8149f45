//! Building the engine's JSON.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The engine's way of writing a set.
pub(super) fn keys<'a>(
    names: impl IntoIterator<Item = &'a String>,
) -> BTreeMap<&'a str, Map<String, Value>> {
    names
        .into_iter()
        .map(|name| (name.as_str(), Map::new()))
        .collect()
}

/// A JSON object without what nobody said: for the engine that means its own or the image's default.
#[derive(Debug, Default, Serialize)]
pub(super) struct Object(Map<String, Value>);

impl Object {
    /// Adds what there is.
    pub(super) fn put(&mut self, key: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put_if_any(key, value);
        }
    }

    /// Adds text, numbers, lists and maps of them, which always serialize; empty lists and maps are left out.
    pub(super) fn put_if_any(&mut self, key: &str, value: impl Serialize) {
        let value = json!(value);
        let is_empty = match &value {
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !is_empty {
            self.0.insert(key.to_owned(), value);
        }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}
