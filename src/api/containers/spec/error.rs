//! What is wrong with a field, in words for the person who wrote it.
#![forbid(unsafe_code)]

use std::fmt;

/// Characters of somebody's text that a message quotes.
const QUOTED_CHARS: usize = 60;

/// A field that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// Where: `ports[1]`.
    pub field: String,
    /// The rest of the sentence: "is `80:abc`: the container port must be …".
    pub what: String,
}

impl SpecError {
    /// The field `name` is wrong.
    pub(super) fn field(name: &str, what: impl Into<String>) -> Self {
        Self {
            field: name.to_owned(),
            what: what.into(),
        }
    }

    /// The item at `index` of the list `name` is wrong.
    pub(super) fn item(name: &str, index: usize, what: impl Into<String>) -> Self {
        Self {
            field: format!("{name}[{index}]"),
            what: what.into(),
        }
    }

    /// The value of `key` in the object `name` is wrong.
    pub(super) fn member(name: &str, key: &str, what: impl Into<String>) -> Self {
        Self {
            field: format!("{name}.{}", shorten(key)),
            what: what.into(),
        }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "field `{}` {}", self.field, self.what)
    }
}

impl std::error::Error for SpecError {}

/// `text` between backticks: on one line, and shortened when it is long.
pub(super) fn quote(text: &str) -> String {
    format!("`{}`", shorten(text))
}

fn shorten(text: &str) -> String {
    let mut short = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == QUOTED_CHARS {
            short.push('…');
            break;
        }
        if character.is_control() {
            short.extend(character.escape_default());
        } else {
            short.push(character);
        }
    }
    short
}

/// Fails for a text that no C string can hold: the kernel would see the half before the NUL, or nothing.
pub(super) fn refuse_nul(field: &str, text: &str) -> Result<(), SpecError> {
    if text.contains('\0') {
        return Err(SpecError::field(
            field,
            "has a NUL character, which no program can be given",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_sentence() {
        let error = SpecError::item("ports", 1, format!("is {}: too large", quote("99999")));
        assert_eq!(error.to_string(), "field `ports[1]` is `99999`: too large");
        assert_eq!(SpecError::member("labels", "a b", "x").field, "labels.a b");
    }

    #[test]
    fn quotes_are_short_and_on_one_line() {
        assert_eq!(quote("a\nb\u{1b}[2J"), "`a\\nb\\u{1b}[2J`");
        assert_eq!(quote(&"é".repeat(60)).chars().count(), 62);
        assert_eq!(quote(&"é".repeat(61)).chars().count(), 63);
        assert!(quote(&"x".repeat(100_000)).len() < 100);
    }
}
