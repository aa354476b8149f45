//! The last lines that a build printed.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::limits;

/// Keeps the last [`limits::BUILD_OUTPUT_LINES`] of a text that comes in pieces, each line cut at
/// [`limits::BUILD_LINE_BYTES`], without the escapes that colour a terminal.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    lines: VecDeque<String>,
    current: String,
}

impl Transcript {
    /// Takes the next piece.
    pub(super) fn take(&mut self, text: &str) {
        for part in text.split_inclusive('\n') {
            let room = limits::BUILD_LINE_BYTES.saturating_sub(self.current.len());
            let bare = part.trim_end_matches(['\n', '\r']);
            self.current.push_str(&bare[..floor(bare, room)]);
            if part.ends_with('\n') {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = without_colours(&std::mem::take(&mut self.current));
        if line.trim().is_empty() {
            return;
        }
        if self.lines.len() == limits::BUILD_OUTPUT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The lines.
    pub(super) fn into_lines(mut self) -> Vec<String> {
        self.end_line();
        self.lines.into()
    }
}

/// The largest number of bytes up to `most` at which `text` can be cut.
fn floor(text: &str, most: usize) -> usize {
    let most = most.min(text.len());
    (0..=most)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// `text` without `ESC [ … m`.
fn without_colours(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        bare.push_str(before);
        let end = escape.find(|character: char| !character.is_ascii_digit() && character != ';');
        rest = match end {
            Some(end) if escape[end..].starts_with('m') => &escape[end + 1..],
            _ => escape,
        };
    }
    bare.push_str(rest);
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_of_any_pieces() {
        let mut transcript = Transcript::default();
        for number in 0..limits::BUILD_OUTPUT_LINES + 5 {
            transcript.take("line ");
            transcript.take(&format!("{number}\r\n\n"));
        }
        transcript.take("no end");
        let lines = transcript.into_lines();
        assert_eq!(lines.len(), limits::BUILD_OUTPUT_LINES);
        assert_eq!(
            (lines[0].as_str(), lines[49].as_str()),
            ("line 6", "no end")
        );
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let mut transcript = Transcript::default();
        for _ in 0..10 {
            transcript.take(&"xé".repeat(limits::BUILD_LINE_BYTES / 4));
        }
        let lines = transcript.into_lines();
        assert!(lines.len() == 1 && lines[0].len() <= limits::BUILD_LINE_BYTES);
    }

    #[test]
    fn colours_are_left_out() {
        assert_eq!(
            without_colours("\u{1b}[91mred\u{1b}[0;1m x\u{1b}[2Ky"),
            "red x2Ky"
        );
        assert_eq!(without_colours("\u{1b}["), "");
    }
}
