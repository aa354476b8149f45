//! The lists and objects that a field of the body may have, read so that a wrong one is answered with what was expected. Written
//! as visitors: an untagged enum can only say that no variant fits.
#![forbid(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::scalars::Value;

/// A string or an array of strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum Words {
    /// One string.
    One(String),
    /// An array.
    List(Vec<String>),
}

/// An array of `NAME=value`, or an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum Pairs {
    /// The array, as it came.
    List(Vec<String>),
    /// The object in the order of its text; `None` for null.
    Object(Vec<(String, Option<String>)>),
}

impl Default for Pairs {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

/// An array of `T`; null is an empty one, as in the bodies that Python writes.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    from.deserialize_any(ListVisitor(PhantomData))
}

/// An object of strings, numbers and booleans; null is an empty one.
pub(in crate::api) fn object<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<(String, Option<String>)>, D::Error> {
    match from.deserialize_any(PairsVisitor { lists: false })? {
        Pairs::Object(members) => Ok(members),
        Pairs::List(_) => Ok(Vec::new()),
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array of strings")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(list)
    }
}

struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string or an array of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Words, E> {
        Ok(Words::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Words, A::Error> {
        ListVisitor(PhantomData).visit_seq(items).map(Words::List)
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(WordsVisitor)
    }
}

struct PairsVisitor {
    lists: bool,
}

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.lists {
            "an array of strings (`NAME=value`) or an object"
        } else {
            "an object"
        })
    }

    fn visit_unit<E: Error>(self) -> Result<Pairs, E> {
        Ok(Pairs::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Pairs, A::Error> {
        if self.lists {
            return ListVisitor(PhantomData).visit_seq(items).map(Pairs::List);
        }
        Err(Error::invalid_type(serde::de::Unexpected::Seq, &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Pairs, A::Error> {
        let mut object = Vec::new();
        while let Some((name, Value(value))) = members.next_entry()? {
            object.push((name, value));
        }
        Ok(Pairs::Object(object))
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PairsVisitor { lists: true })
    }
}
