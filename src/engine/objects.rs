//! Cuts a JSON list of the engine's into its objects, so that one object is held at a time.
#![forbid(unsafe_code)]

use std::ops::Range;

use super::ahead::Ahead;
use super::{Answer, EngineError};
use crate::limits;

/// The objects of a list. One scan over the bytes that knows strings, escapes and braces; whether an object is valid
/// JSON is found out when it is parsed. serde's own reader takes the bytes one by one, copies every string, and has no
/// bound for one.
pub(super) struct Objects<'w> {
    ahead: Ahead<'w>,
    /// Whether the list's bracket was seen.
    is_open: bool,
}

impl<'w> Objects<'w> {
    /// The elements of the list that `answer` is.
    pub(super) fn new(answer: Answer<'w>) -> Self {
        let first = limits::STREAM_BUFFER_BYTES;
        Self {
            ahead: Ahead::new(answer, first, limits::ENGINE_JSON_BYTES),
            is_open: false,
        }
    }

    /// The text of the next object; `None` at the end.
    pub(super) fn next_object(&mut self) -> Result<Option<&[u8]>, EngineError> {
        let range = self.find()?;
        Ok(range.map(|range| self.ahead.taken(range)))
    }

    fn find(&mut self) -> Result<Option<Range<usize>>, EngineError> {
        loop {
            let Some(byte) = self.ahead.bytes().first() else {
                if self.ahead.fill(TOO_LONG)? {
                    continue;
                }
                return Err(self.ahead.nonsense("the list has no end"));
            };
            match byte {
                b'{' if self.is_open => return self.object().map(Some),
                b'[' if !self.is_open => self.is_open = true,
                b']' if self.is_open => return Ok(None),
                // Go writes a list that was never filled as null.
                b'n' if !self.is_open => return Ok(None),
                b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => return Err(self.ahead.nonsense("it is no list of objects")),
            }
            self.ahead.take(1);
        }
    }

    /// The object that comes next.
    fn object(&mut self) -> Result<Range<usize>, EngineError> {
        let mut scan = BraceScan::default();
        loop {
            if let Some(length) = scan.end(self.ahead.bytes()) {
                return Ok(self.ahead.take(length));
            }
            if !self.ahead.fill(TOO_LONG)? {
                return Err(self.ahead.nonsense("an object in the list has no end"));
            }
        }
    }
}

const TOO_LONG: &str = "an object in the list is too long";

/// Looks for the brace that closes an object, in a buffer that grows.
#[derive(Debug, Default)]
struct BraceScan {
    seen: usize,
    depth: usize,
    in_string: bool,
}

impl BraceScan {
    /// The length of the object that `text` starts with, when its end is there.
    fn end(&mut self, text: &[u8]) -> Option<usize> {
        while self.seen < text.len() {
            let rest = &text[self.seen..];
            let found = if self.in_string {
                memchr::memchr2(b'"', b'\\', rest)
            } else {
                memchr::memchr3(b'"', b'{', b'}', rest)
            };
            let Some(offset) = found else {
                self.seen = text.len();
                return None;
            };
            self.seen += offset + 1;
            match rest[offset] {
                b'"' => self.in_string = !self.in_string,
                // What is escaped is skipped; it may not be there yet, `seen` then stands beyond the text.
                b'\\' => self.seen += 1,
                b'{' => self.depth += 1,
                _ => self.depth -= 1,
            }
            if self.depth == 0 {
                return Some(self.seen);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Patience;
    use crate::engine::scripted::Scripted;
    use proptest::prelude::*;

    fn objects(list: &str) -> Result<Vec<String>, EngineError> {
        let scripted = Scripted::answering_json(list);
        let answer = scripted.engine().get("/x", Patience::default())?;
        let mut objects = Objects::new(answer);
        let mut found = Vec::new();
        while let Some(text) = objects.next_object()? {
            found.push(String::from_utf8(text.to_vec()).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn lists() {
        let two = [r#"{"a":"}\"{"}"#, r#"{"b":{"c":[{}]}}"#];
        let list = format!("[{},\n {}]\n", two[0], two[1]);
        assert_eq!(objects(&list).unwrap(), two);
        assert!(objects("[]").unwrap().is_empty());
        assert!(objects("null\n").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_list() {
        let long = format!("[{{\"a\":\"{}", "x".repeat(limits::ENGINE_JSON_BYTES));
        for bad in [
            "",
            "[",
            "[{}",
            "[{",
            "{}",
            "[1]",
            "x",
            "[{\"a\":\"}\"]",
            &long,
        ] {
            let start = &bad[..bad.len().min(20)];
            let failure = objects(bad).unwrap_err();
            assert!(matches!(failure, EngineError::Nonsense { .. }), "{start:?}");
        }
    }

    proptest! {
        #[test]
        fn objects_end_where_they_end_in_any_pieces(
            keys in proptest::collection::vec("[\\\\\"{}\\[\\]a-c]{0,6}", 1..6),
            step in 1usize..7,
        ) {
            let object = serde_json::json!({ "k": keys, "n": { "m": {} } }).to_string();
            let text = format!("{object}{object}");
            let mut scan = BraceScan::default();
            let mut end = None;
            for upto in (1..=text.len()).step_by(step) {
                end = scan.end(&text.as_bytes()[..upto]);
                if end.is_some() {
                    break;
                }
            }
            prop_assert_eq!(end, Some(object.len()));
        }
    }
}
