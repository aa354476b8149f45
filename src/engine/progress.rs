//! The engine's progress streams: a JSON object a line, while an image is pulled, loaded or built. An error inside the
//! stream, which has begun with 200, is an error here.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ahead::Ahead;
use super::{Answer, EngineError};
use crate::limits;

/// The lines of a progress stream.
pub struct Progress<'w>(Ahead<'w>);

/// One line, as far as it is understood. Borrowed from the stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Line<'l> {
    /// Text for a person: a step of a build and what it prints, or the result of a load.
    #[serde(borrow)]
    pub stream: Option<Cow<'l, str>>,
    /// A result for programs: a build's image, as `{"ID": …}`.
    #[serde(borrow)]
    pub aux: Option<&'l RawValue>,
    #[serde(borrow)]
    error: Option<Cow<'l, str>>,
    #[serde(rename = "errorDetail", borrow)]
    detail: Option<Detail<'l>>,
    /// The line as the engine wrote it; nothing when that was no JSON.
    #[serde(skip)]
    pub text: &'l [u8],
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail<'l> {
    #[serde(borrow)]
    message: Option<Cow<'l, str>>,
    code: Option<i64>,
}

impl<'w> Progress<'w> {
    /// The lines of `answer`.
    pub(super) fn new(answer: Answer<'w>) -> Self {
        Self(Ahead::new(answer, 8 * 1024, limits::PROGRESS_LINE_BYTES))
    }

    /// The next line; `None` at the end. One that reports an error is an error; one that is no JSON is empty.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, EngineError> {
        let range = self.find()?;
        range.map(|range| parse(self.0.taken(range))).transpose()
    }

    /// Whether another line is there, or comes `within` this time.
    pub fn is_at_hand(&mut self, within: Duration) -> bool {
        memchr::memchr(b'\n', self.0.bytes()).is_some() || self.0.is_at_hand(within)
    }

    /// Reads to the end.
    pub fn wait(mut self) -> Result<(), EngineError> {
        while self.next_line()?.is_some() {}
        Ok(())
    }

    /// Where the next line that is not empty stands.
    fn find(&mut self) -> Result<Option<Range<usize>>, EngineError> {
        let mut looked_at = 0;
        loop {
            let found = memchr::memchr(b'\n', &self.0.bytes()[looked_at..]);
            if let Some(offset) = found {
                let range = self.0.take(looked_at + offset + 1);
                if !self.0.taken(range.clone()).trim_ascii().is_empty() {
                    return Ok(Some(range));
                }
                looked_at = 0;
                continue;
            }
            looked_at = self.0.bytes().len();
            if !self.0.fill("a progress line is too long")? {
                let rest = self.0.take(looked_at);
                return Ok((!rest.is_empty()).then_some(rest));
            }
        }
    }
}

fn parse(text: &[u8]) -> Result<Line<'_>, EngineError> {
    let Ok(mut line) = serde_json::from_slice::<Line<'_>>(text) else {
        return Ok(Line::default());
    };
    line.text = text.trim_ascii_end();
    let detail = line.detail.take().unwrap_or_default();
    match detail.message.or(line.error.take()) {
        Some(message) => Err(EngineError::InStream {
            message: message.into_owned(),
            code: detail.code,
        }),
        None => Ok(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Patience;
    use crate::engine::scripted::Scripted;

    fn lines(stream: &str) -> Result<Vec<String>, EngineError> {
        let scripted = Scripted::answering_json(stream);
        let mut progress = Progress::new(scripted.engine().get("/x", Patience::default())?);
        let mut lines = Vec::new();
        while let Some(line) = progress.next_line()? {
            assert!(stream.contains(std::str::from_utf8(line.text).unwrap()));
            lines.push(line.stream.unwrap_or_default().into_owned());
        }
        Ok(lines)
    }

    #[test]
    fn lines_come_whole_whatever_their_length() {
        let long = "x\\u001b".repeat(20_000);
        let stream = format!(
            "{{\"stream\":\"a\\n\"}}\r\n\r\n{{\"stream\":\"{long}\"}}\nno json\n{{\"status\":\"s\",\"aux\":null}}\n{{\"stream\":\"end\"}}"
        );
        let found = lines(&stream).unwrap();
        assert_eq!((found.len(), found[0].as_str()), (5, "a\n"));
        assert_eq!(found[1].len(), 40_000);
        assert_eq!(found[2..], ["", "", "end"]);
        assert!(lines("").unwrap().is_empty());
    }

    #[test]
    fn an_error_in_the_stream_is_an_error() {
        let stream = "{\"status\":\"Pulling\"}\n{\"errorDetail\":{\"code\":7,\"message\":\"no\"},\"error\":\"no\"}\n";
        let failure = lines(stream).unwrap_err();
        assert!(
            matches!(&failure, EngineError::InStream { message, code: Some(7) } if message == "no"),
            "{failure:?}"
        );
        assert!(matches!(
            lines("{\"error\":\"old\"}"),
            Err(EngineError::InStream { code: None, .. })
        ));
    }

    #[test]
    fn a_line_without_an_end_is_nonsense() {
        let stream = format!(
            "{{\"stream\":\"{}\"}}",
            "x".repeat(limits::PROGRESS_LINE_BYTES)
        );
        assert!(matches!(lines(&stream), Err(EngineError::Nonsense { .. })));
    }
}
