//! The shapes that a field of the body may have, read so that a wrong one is answered with what was expected. Written
//! as visitors: an untagged enum can only say that no variant fits.
#![forbid(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Integers up to here are exact as a JSON number that went through a float; a larger fraction or exponent has lost
/// digits already.
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// A string or an array of strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Words {
    /// One string.
    One(String),
    /// An array.
    List(Vec<String>),
}

/// An array of `NAME=value`, or an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pairs {
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

/// A string, or a number as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub String);

/// A value in an object: a string, number, boolean or null.
struct Value(Option<String>);

/// Whole or fractional seconds, 0 or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seconds(pub f64);

/// An array of `T`; null is an empty one, as in the bodies that Python writes.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    from.deserialize_any(ListVisitor(PhantomData))
}

/// An object of strings, numbers and booleans; null is an empty one.
pub(super) fn object<'de, D: Deserializer<'de>>(
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

/// Reads strings, numbers and what else is said here, all as text.
struct ScalarVisitor {
    expected: &'static str,
    others: bool,
}

impl ScalarVisitor {
    fn other<E: Error>(
        &self,
        text: Option<String>,
        found: serde::de::Unexpected<'_>,
    ) -> Result<Option<String>, E> {
        if self.others {
            return Ok(text);
        }
        Err(Error::invalid_type(found, self))
    }
}

impl Visitor<'_> for ScalarVisitor {
    type Value = Option<String>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        if number.abs() >= EXACT_FLOAT {
            return Err(Error::custom(
                "a number this large must be written as a string",
            ));
        }
        // 5.0 stays 5.0, as it is written.
        Ok(Some(format!("{number:?}")))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        let text = Some(value.to_string());
        self.other(text, serde::de::Unexpected::Bool(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.other(None, serde::de::Unexpected::Unit)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let visitor = ScalarVisitor {
            expected: "a string or a number",
            others: false,
        };
        let text = from.deserialize_any(visitor)?;
        Ok(Self(text.unwrap_or_default()))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let visitor = ScalarVisitor {
            expected: "a string, a number, a boolean or null",
            others: true,
        };
        from.deserialize_any(visitor).map(Self)
    }
}

struct SecondsVisitor;

impl Visitor<'_> for SecondsVisitor {
    type Value = Seconds;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number of seconds")
    }

    // Beyond 2^53 seconds nothing is accepted anyway, so rounding is no loss.
    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Seconds, E> {
        Ok(Seconds(number as f64))
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Seconds, E> {
        Ok(Seconds(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Seconds, E> {
        Ok(Seconds(number))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SecondsVisitor)
    }
}
