//! A JSON text as values, texts without escapes borrowed from it. One type for all bodies, so that the parser is in the
//! program once and not once for each body. Duplicate members and their order are kept: what to make of them is for
//! whoever reads the object.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::limits;

/// Any JSON value.
#[derive(Debug)]
pub(super) enum Json<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'t, str>),
    Array(Vec<Self>),
    Object(Vec<(Cow<'t, str>, Self)>),
}

/// Why a text is no body.
#[derive(Debug)]
pub(super) enum JsonError {
    /// It is not JSON; the parser's words.
    Syntax(serde_json::Error),
    /// It has more than [`limits::JSON_VALUES`] values.
    TooMany,
}

impl<'t> Json<'t> {
    /// The one value that `text` is.
    pub(super) fn parse(text: &'t [u8]) -> Result<Self, JsonError> {
        let left = Cell::new(limits::JSON_VALUES);
        let mut json = serde_json::Deserializer::from_slice(text);
        Values { left: &left }
            .deserialize(&mut json)
            .and_then(|value| json.end().map(|()| value))
            .map_err(|error| {
                // The only thing that Values itself objects to.
                if error.is_data() && left.get() == 0 {
                    JsonError::TooMany
                } else {
                    JsonError::Syntax(error)
                }
            })
    }
}

/// Reads values, as many as are left.
#[derive(Clone, Copy)]
struct Values<'c> {
    left: &'c Cell<u32>,
}

impl Values<'_> {
    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| E::custom("too many values"))
    }
}

impl<'t> DeserializeSeed<'t> for Values<'_> {
    type Value = Json<'t>;

    fn deserialize<D: serde::Deserializer<'t>>(self, from: D) -> Result<Json<'t>, D::Error> {
        self.count()?;
        from.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Values<'_> {
    type Value = Json<'t>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'t>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'t>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'t>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'t>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'t>, E> {
        // The parser yields finite numbers only.
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Json<'t>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'t>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut from: A) -> Result<Json<'t>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut from: A) -> Result<Json<'t>, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = from.next_key_seed(Name)? {
            members.push((name, from.next_value_seed(self)?));
        }
        Ok(Json::Object(members))
    }
}

/// Reads a member's name.
struct Name;

impl<'t> DeserializeSeed<'t> for Name {
    type Value = Cow<'t, str>;

    fn deserialize<D: serde::Deserializer<'t>>(self, from: D) -> Result<Cow<'t, str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Name {
    type Value = Cow<'t, str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
