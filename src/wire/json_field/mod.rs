//! One long string of a JSON object, read as it arrives: an image or a file in base64, wherever in the object it
//! stands. One fixed buffer and 16 bytes for the nesting, whatever the document looks like. Uses memchr to search.
//!
//! Everything around the field is held to RFC 8259 and skipped; the names of the other fields are kept, for warnings.
//! Bytes above 0x7F are passed on or skipped as they are: whether they are UTF-8 is for the string's user to say.
#![forbid(unsafe_code)]

mod error;
mod field;
mod skip;
#[cfg(test)]
mod tests;
mod text;
mod tokens;

pub use error::{JsonFieldError, json_field_error};
pub use field::JsonField;
