//! Single values of the body, read so that a wrong type is answered with what was expected.
#![forbid(unsafe_code)]

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Integers up to here are exact as a JSON number that went through a float; a larger fraction or exponent has lost
/// digits already.
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// A string, or a number as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct Text(pub String);

/// A value in an object: a string, number, boolean or null.
pub(super) struct Value(pub Option<String>);

/// Whole or fractional seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seconds(pub f64);

/// A whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub i64);

/// Reads strings, numbers and what else is said here, all as text.
struct ScalarVisitor {
    expected: &'static str,
    others: bool,
}

impl ScalarVisitor {
    fn other<E: Error>(
        &self,
        text: Option<String>,
        found: Unexpected<'_>,
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
        self.other(text, Unexpected::Bool(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.other(None, Unexpected::Unit)
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

    #[expect(
        clippy::cast_precision_loss,
        reason = "what rounding can change is far beyond the longest duration"
    )]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Seconds, E> {
        Ok(Seconds(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "as above")]
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

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a whole number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
        // Whoever has a limit has one far below.
        Ok(Count(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Count, E> {
        Ok(Count(number))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CountVisitor)
    }
}
