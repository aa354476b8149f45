//! The lines of a `.dockerignore`, as moby's ignorefile.ReadAll makes patterns of them.
#![forbid(unsafe_code)]

use super::IgnoreError;
use super::text::{clean, trim};
use crate::limits;

/// The patterns in `text`, an exception with its `!` in front.
pub(super) fn patterns(text: &[u8]) -> Result<Vec<Vec<u8>>, IgnoreError> {
    if text.len() > limits::IGNORE_BYTES {
        return Err(IgnoreError::TooLong);
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut patterns = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        // Only in the very first column: ` #` begins a pattern.
        if line.starts_with(b"#") {
            continue;
        }
        let line = trim(line);
        if line.is_empty() {
            continue;
        }
        if line.len() > limits::IGNORE_PATTERN_BYTES || patterns.len() == limits::IGNORE_PATTERNS {
            return Err(IgnoreError::TooLong);
        }
        patterns.push(pattern(line));
    }
    Ok(patterns)
}

fn pattern(line: &[u8]) -> Vec<u8> {
    match line.strip_prefix(b"!") {
        None => relative(line),
        Some(rest) => [b"!", relative(trim(rest)).as_slice()].concat(),
    }
}

/// `/x` means `x`; `/` alone stays, and matches nothing.
fn relative(pattern: &[u8]) -> Vec<u8> {
    if pattern.is_empty() {
        return Vec::new();
    }
    let mut cleaned = clean(pattern);
    if cleaned.len() > 1 && cleaned[0] == b'/' {
        cleaned.remove(0);
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let patterns = patterns(text.as_bytes()).unwrap();
        patterns
            .into_iter()
            .map(|pattern| String::from_utf8(pattern).unwrap())
            .collect()
    }

    #[test]
    fn lines_become_patterns() {
        for (text, wanted) in [
            ("\u{feff}a\n\u{feff}b", vec!["a", "\u{feff}b"]),
            ("\u{feff}#a\r\n #b\r\n\r\n", vec!["#b"]),
            (
                "/a/\n//b\n/\n./c/../d\n../e",
                vec!["a", "b", "/", "d", "../e"],
            ),
            (
                "! /a/b\n!\n! \n!/\n!!c",
                vec!["!a/b", "!", "!", "!/", "!!c"],
            ),
            ("  spaces in it  \n\ttab", vec!["spaces in it", "tab"]),
        ] {
            assert_eq!(read(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        for text in [
            "x\n".repeat(limits::IGNORE_PATTERNS + 1),
            "x".repeat(limits::IGNORE_PATTERN_BYTES + 1),
            "#".repeat(limits::IGNORE_BYTES + 1),
        ] {
            assert!(matches!(
                patterns(text.as_bytes()),
                Err(IgnoreError::TooLong)
            ));
        }
    }
}
