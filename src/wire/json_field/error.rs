//! What can be wrong with the object around the field, and how it travels through `io::Error`.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use crate::limits;

/// Why the field cannot be read. Positions are bytes from the body's start, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFieldError {
    /// The body is something else than an object.
    NotAnObject,
    /// The object has no such field.
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// It has it twice.
    Repeated {
        /// Its name.
        field: &'static str,
    },
    /// It is no string.
    NotAString {
        /// Its name.
        field: &'static str,
        /// What it is: `a number`.
        found: &'static str,
    },
    /// A field that is kept is longer than any that makes sense.
    TooLong {
        /// Its name.
        field: &'static str,
    },
    /// No JSON: what should stand there.
    Expected {
        /// What should stand there.
        what: &'static str,
        /// Where.
        at: u64,
    },
    /// A control character in a string that is not escaped.
    ControlCharacter {
        /// Where.
        at: u64,
    },
    /// More than [`limits::JSON_DEPTH`] objects and arrays within each other.
    TooDeep,
    /// The body ended before the object did.
    Truncated,
    /// Something stands behind the object.
    Trailing {
        /// Where.
        at: u64,
    },
    /// Reading went on after an error.
    Broken,
}

/// The error of the object inside `error`, if it is one. Anything else is the source's own.
pub fn json_field_error(error: &io::Error) -> Option<JsonFieldError> {
    error.get_ref()?.downcast_ref::<JsonFieldError>().copied()
}

impl From<JsonFieldError> for io::Error {
    fn from(error: JsonFieldError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

impl fmt::Display for JsonFieldError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => out.write_str("the body must be a JSON object"),
            Self::Missing { field } => write!(out, "field `{field}` is required"),
            Self::Repeated { field } => write!(out, "field `{field}` is given twice"),
            Self::NotAString { field, found } => {
                write!(out, "field `{field}` must be a string, not {found}")
            }
            Self::TooLong { field } => write!(out, "field `{field}` is too long"),
            Self::Expected { what, at } => {
                write!(
                    out,
                    "the body is not valid JSON: {what} expected at byte {at}"
                )
            }
            Self::ControlCharacter { at } => write!(
                out,
                "the body is not valid JSON: a control character in a string at byte {at}"
            ),
            Self::TooDeep => write!(
                out,
                "the JSON body is nested deeper than {} levels",
                limits::JSON_DEPTH
            ),
            Self::Truncated => out.write_str("the JSON body ended before it was complete"),
            Self::Trailing { at } => {
                write!(out, "the body goes on after its JSON object, at byte {at}")
            }
            Self::Broken => out.write_str("the JSON body was given up after an error"),
        }
    }
}

impl std::error::Error for JsonFieldError {}
