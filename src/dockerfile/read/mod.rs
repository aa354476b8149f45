//! Tiny tolerant readers for the few keys that the detectors need: JSON, TOML, XML, and source text.
//!
//! They are no parsers of those languages: what they do not understand they skip, and a wrong answer costs a default.
//! None of them keeps more than a small multiple of the text it was given, and none recurses with its nesting.
#![forbid(unsafe_code)]

pub(crate) mod json;
pub(crate) mod source;
pub(crate) mod toml;
pub(crate) mod xml;
