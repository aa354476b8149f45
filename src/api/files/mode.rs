//! Permissions as people write them: the digits of `chmod 644`, as a JSON number or as a string.
#![forbid(unsafe_code)]

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::api::ApiError;

/// All of it that a request may set: no setuid, no setgid, no sticky.
const MOST: u32 = 0o777;
/// Digits of a mode with more leading zeros than anybody writes.
const DIGITS: usize = 8;
/// What was expected.
const EXPECTED: &str =
    "must be permissions from 0 to 777, in octal digits: 644, \"0644\" or \"0o644\"";

/// Permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode(pub(super) u32);

impl Mode {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let is_octal = |byte: u8| (b'0'..=b'7').contains(&byte);
        if digits.is_empty() || digits.len() > DIGITS || !digits.bytes().all(is_octal) {
            return None;
        }
        let mode = u32::from_str_radix(digits, 8).ok()?;
        (mode <= MOST).then_some(Self(mode))
    }

    /// The mode in a query parameter.
    pub(super) fn of_parameter(text: &str) -> Result<Self, ApiError> {
        Self::parse(text).ok_or_else(|| ApiError::parameter("mode", EXPECTED))
    }
}

struct ModeVisitor;

impl Visitor<'_> for ModeVisitor {
    type Value = Mode;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("permissions such as 644 or \"0644\"")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Mode, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Mode, E> {
        Mode::parse(text).ok_or_else(|| E::custom(EXPECTED))
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ModeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_what_people_write() {
        let read = |json: &str| serde_json::from_str::<Mode>(json).ok().map(|mode| mode.0);
        for (json, mode) in [
            ("644", 0o644),
            ("0", 0),
            ("777", 0o777),
            ("\"0644\"", 0o644),
            ("\"644\"", 0o644),
            ("\"0o644\"", 0o644),
        ] {
            assert_eq!(read(json), Some(mode), "{json}");
        }
        let bad = "1644 888 0.5 644.0 -1 1e2 true null [] \"\" \"0x1\" \"+644\" \"1777\" \"0o\" \"6 4\" \"000000644\"";
        for json in bad.split(' ').chain(["18446744073709551616"]) {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
