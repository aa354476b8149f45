//! Writing the papers that are made of the table of commands.
#![forbid(unsafe_code)]

use std::fmt::{Arguments, Write};

/// Appends `words` to `text`.
pub(super) fn put(text: &mut String, words: Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(words);
}
