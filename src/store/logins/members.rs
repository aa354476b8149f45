//! A JSON object whose members keep their order and their text. serde_json's `preserve_order` would make every map of
//! the agent an ordered one, and would still rewrite numbers and white space of what is none of our business.
#![forbid(unsafe_code)]

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The members of an object, in order.
#[derive(Default)]
pub(super) struct Members<'t>(Vec<(String, Member<'t>)>);

/// A value: as it was written, or ours.
pub(super) enum Member<'t> {
    AsWritten(&'t RawValue),
    Text(String),
    Object(Members<'t>),
}

impl<'t> Members<'t> {
    /// The names, in order.
    pub(super) fn names(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The text of the member with exactly this name; of several the last.
    pub(super) fn get(&self, name: &str) -> Option<&'t RawValue> {
        match self.0.iter().rfind(|(known, _)| known == name) {
            Some((_, Member::AsWritten(raw))) => Some(raw),
            _ => None,
        }
    }

    /// The name under which `name` stands here: Go does not tell cases apart in the names it knows.
    pub(super) fn spelled(&self, name: &str) -> Option<&str> {
        self.names().rfind(|known| known.eq_ignore_ascii_case(name))
    }

    /// Replaces the member in its place, or appends it.
    pub(super) fn set(&mut self, name: &str, value: Member<'t>) {
        match self.0.iter_mut().rfind(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, raw)) = map.next_entry()? {
                    members.push((name, Member::AsWritten(raw)));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AsWritten(raw) => raw.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Object(members) => members.serialize(serializer),
        }
    }
}
