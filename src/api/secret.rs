//! A text of a request that may stand neither in an answer nor in the log.
#![forbid(unsafe_code)]

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A password. No Debug.
pub(super) struct Secret(pub(super) String);

/// serde's own sentence quotes what came instead of a string: a password of digits that somebody forgot to quote.
struct Unquoted;

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unquoted).map(Self)
    }
}

impl Visitor<'_> for Unquoted {
    type Value = String;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<String, E> {
        Err(E::invalid_type(Unexpected::Other("number"), &self))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<String, E> {
        self.visit_u64(0)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<String, E> {
        self.visit_u64(0)
    }
}
