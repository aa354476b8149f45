//! Fits JSON values to the fields of a body's struct: knows at which field something does not fit, and which fields
//! nobody asked for. serde_path_to_error and serde_ignored do the same by wrapping the parser, which puts both, and the
//! parser, into the program once for each body: 160 kB of a binary that is to be small.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::iter::Enumerate;
use std::slice;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::json::Json;
use crate::limits;

/// What does not fit, and where.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The field, as `health_check.interval` or `ports[1]`; empty: the body itself.
    pub field: String,
    /// What is wrong with it, in serde's words.
    pub message: String,
    is_placed: bool,
}

/// `json` as a `T`, and the fields in it that `T` does not know.
pub(super) fn fit<'j, T: Deserialize<'j>>(json: &'j Json<'j>) -> Result<(T, Vec<String>), Misfit> {
    let unknown = RefCell::default();
    let at = At {
        json,
        trail: &Trail::Body,
        unknown: &unknown,
    };
    let value = T::deserialize(at)?;
    Ok((value, unknown.into_inner()))
}

/// How one came to a value.
#[derive(Clone, Copy)]
enum Trail<'p> {
    Body,
    Member(&'p Trail<'p>, &'p str),
    Item(&'p Trail<'p>, usize),
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => Ok(()),
            Self::Member(Trail::Body, name) => out.write_str(name),
            Self::Member(parent, name) => write!(out, "{parent}.{name}"),
            Self::Item(parent, index) => write!(out, "{parent}[{index}]"),
        }
    }
}

/// A value, where it is, and where to note fields that nobody knows.
#[derive(Clone, Copy)]
struct At<'j, 'p> {
    json: &'j Json<'j>,
    trail: &'p Trail<'p>,
    unknown: &'p RefCell<Vec<String>>,
}

impl<'j> At<'j, '_> {
    fn give<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.json {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(number) => number
                .deserialize_any(visitor)
                // The messages of a number alone have no position.
                .map_err(Misfit::custom),
            Json::Text(text) => visitor.visit_borrowed_str(text),
            Json::Array(items) => visitor.visit_seq(Items {
                items: items.iter().enumerate(),
                at: self,
            }),
            Json::Object(members) => visitor.visit_map(Members {
                members: members.iter(),
                value: None,
                at: self,
            }),
        }
    }

    /// The same failure, with its place if it has none yet: the innermost one counts.
    fn placed(self, mut misfit: Misfit) -> Misfit {
        if !misfit.is_placed {
            misfit.field = self.trail.to_string();
            misfit.is_placed = true;
        }
        misfit
    }
}

impl<'j> Deserializer<'j> for At<'j, '_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.give(visitor).map_err(|misfit| self.placed(misfit))
    }

    fn deserialize_option<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.json {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
        .map_err(|misfit| self.placed(misfit))
    }

    fn deserialize_newtype_struct<V: Visitor<'j>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor
            .visit_newtype_struct(self)
            .map_err(|misfit| self.placed(misfit))
    }

    /// A word out of several; bodies have no other enums.
    fn deserialize_enum<V: Visitor<'j>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.json {
            Json::Text(text) => {
                let word: StrDeserializer<'_, Misfit> = text.as_ref().into_deserializer();
                visitor.visit_enum(word)
            }
            _ => self.give(visitor),
        }
        .map_err(|misfit| self.placed(misfit))
    }

    /// Asked for by whoever does not want the value.
    fn deserialize_ignored_any<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.unknown.borrow_mut().push(self.trail.to_string());
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'j>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// The items of an array.
struct Items<'j, 'p> {
    items: Enumerate<slice::Iter<'j, Json<'j>>>,
    at: At<'j, 'p>,
}

impl<'j> SeqAccess<'j> for Items<'j, '_> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'j>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        let Some((index, json)) = self.items.next() else {
            return Ok(None);
        };
        let trail = Trail::Item(self.at.trail, index);
        seed.deserialize(At {
            json,
            trail: &trail,
            ..self.at
        })
        .map(Some)
    }
}

/// The members of an object.
struct Members<'j, 'p> {
    members: slice::Iter<'j, (Cow<'j, str>, Json<'j>)>,
    value: Option<(&'j str, &'j Json<'j>)>,
    at: At<'j, 'p>,
}

impl<'j> MapAccess<'j> for Members<'j, '_> {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'j>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        let Some((name, json)) = self.members.next() else {
            return Ok(None);
        };
        self.value = Some((name, json));
        let trail = Trail::Member(self.at.trail, name);
        let key = BorrowedStrDeserializer::<Misfit>::new(name);
        seed.deserialize(key).map(Some).map_err(|misfit| {
            At {
                json,
                trail: &trail,
                ..self.at
            }
            .placed(misfit)
        })
    }

    fn next_value_seed<S: DeserializeSeed<'j>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        let (name, json) = self
            .value
            .take()
            .ok_or_else(|| Misfit::custom("a value without a name"))?;
        let trail = Trail::Member(self.at.trail, name);
        seed.deserialize(At {
            json,
            trail: &trail,
            ..self.at
        })
    }
}

impl Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            field: String::new(),
            message: message.to_string(),
            is_placed: false,
        }
    }

    /// serde says `unit value` where JSON says `null`.
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        match unexpected {
            Unexpected::Unit => {
                Self::custom(format_args!("invalid type: null, expected {expected}"))
            }
            Unexpected::Str(text) => Self::custom(format_args!(
                "invalid type: string {:?}, expected {expected}",
                beginning(text)
            )),
            other => Self::custom(format_args!("invalid type: {other}, expected {expected}")),
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let words: Vec<_> = expected.iter().map(|word| format!("`{word}`")).collect();
        Self::custom(format_args!(
            "unknown variant `{}`, expected {}",
            beginning(variant),
            words.join(" or ")
        ))
    }
}

/// As much of `text` as is told to a person and the log; it may be nearly the whole body.
fn beginning(text: &str) -> Cow<'_, str> {
    let end = text
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= limits::TOLD_NAME_BYTES);
    match end {
        Some(end) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            out.write_str(&self.message)
        } else {
            write!(out, "{}: {}", self.field, self.message)
        }
    }
}

impl std::error::Error for Misfit {}
