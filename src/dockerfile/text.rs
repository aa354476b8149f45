//! The only way into a Dockerfile: [`Text`], and the filling of templates.
//!
//! A project's own words (versions, names, paths, scripts) are written by whoever wrote the project. [`Text`] cannot be
//! made from them: only from text of this program (`&'static str`), from numbers, from a [`Version`] and from a
//! [`Token`], whose characters were checked. So no newline, quote or `${}` of a project can start an instruction.
//!
//! Templates have one construct, `{{name}}`. A line that holds nothing else takes a value of several lines, and is left
//! out when the value is empty.
#![forbid(unsafe_code)]

use std::fmt::Write as _;

use super::token::Token;
use super::versions::Version;

/// Text that may stand in a Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    /// Parts side by side.
    pub(crate) fn concat<const N: usize>(parts: [Self; N]) -> Self {
        Self::join(parts, "")
    }

    /// Parts in one line, a space between them; empty ones are left out.
    pub(crate) fn words(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::join(parts, " ")
    }

    /// Parts in a line each; empty ones are left out.
    pub(crate) fn lines(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::join(parts, "\n")
    }

    fn join(parts: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut all = String::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            if !all.is_empty() {
                all.push_str(between);
            }
            all.push_str(&part.0);
        }
        Self(all)
    }

    /// The text if `holds`, else nothing.
    pub(crate) fn when(holds: bool, text: &'static str) -> Self {
        Self::from(text).only_if(holds)
    }

    /// This text if `holds`, else nothing.
    pub(crate) fn only_if(self, holds: bool) -> Self {
        if holds { self } else { Self::default() }
    }

    /// The words of a command of ours.
    pub(crate) fn split(command: &'static str) -> impl Iterator<Item = Self> {
        command.split(' ').map(Self::from)
    }

    /// `["a", "b"]`: the exec form of a command.
    pub(crate) fn exec(arguments: impl IntoIterator<Item = Self>) -> Self {
        let quoted: Vec<String> = arguments
            .into_iter()
            .map(|argument| serde_json::Value::String(argument.0).to_string())
            .collect();
        Self(format!("[{}]", quoted.join(", ")))
    }

    /// `COPY a b ./`, or nothing when there is nothing to copy.
    pub(crate) fn copy_here(files: Vec<Self>) -> Self {
        if files.is_empty() {
            return Self::default();
        }
        Self::words(
            [Self::from("COPY")]
                .into_iter()
                .chain(files)
                .chain([Self::from("./")]),
        )
    }

    /// The template with each `{{name}}` replaced by its value.
    pub(crate) fn fill(template: &'static str, values: &[(&str, Self)]) -> Self {
        let mut filled = String::with_capacity(template.len() * 2);
        for line in template.lines() {
            let whole = line
                .strip_prefix("{{")
                .and_then(|rest| rest.strip_suffix("}}"))
                .and_then(|name| value_of(values, name));
            match whole {
                Some(value) if value.is_empty() => continue,
                Some(value) => filled.push_str(&value.0),
                None => fill_line(&mut filled, line, values),
            }
            filled.push('\n');
        }
        filled.truncate(filled.trim_end().len());
        Self(filled)
    }

    /// The finished file: no blank line at either end, never two in a row, one newline at the end.
    pub(crate) fn into_file(self) -> String {
        let mut file = String::with_capacity(self.0.len() + 1);
        let mut blank = true;
        for line in self.0.lines().map(str::trim_end) {
            if !(line.is_empty() && blank) {
                let _ = writeln!(file, "{line}");
            }
            blank = line.is_empty();
        }
        file.truncate(file.trim_end().len());
        file.push('\n');
        file
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself, for messages and tests.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn value_of<'v>(values: &'v [(&str, Text)], name: &str) -> Option<&'v Text> {
    values
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// A placeholder without a value stays as it is; the tests look for `{{` in everything that is generated.
fn fill_line(filled: &mut String, line: &str, values: &[(&str, Text)]) {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let value = after
            .split_once("}}")
            .and_then(|(name, tail)| Some((value_of(values, name)?, tail)));
        if let Some((value, tail)) = value {
            filled.push_str(&value.0);
            rest = tail;
        } else {
            filled.push_str("{{");
            rest = after;
        }
    }
    filled.push_str(rest);
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl From<u16> for Text {
    fn from(number: u16) -> Self {
        Self(number.to_string())
    }
}

impl From<Version> for Text {
    fn from(version: Version) -> Self {
        Self(version.to_string())
    }
}

impl From<&Token> for Text {
    fn from(token: &Token) -> Self {
        Self(token.as_str().to_owned())
    }
}

impl From<Token> for Text {
    fn from(token: Token) -> Self {
        Self::from(&token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_inside_a_line_and_as_a_line() {
        let values = [
            ("image", Text::from("a:1")),
            ("none", Text::default()),
            (
                "two",
                Text::lines([Text::from("RUN x"), Text::from("RUN y")]),
            ),
        ];
        let text = Text::fill(
            "FROM {{image}} AS b{{none}}\n{{none}}\n{{two}}\nEND\n",
            &values,
        );
        assert_eq!(text.as_str(), "FROM a:1 AS b\nRUN x\nRUN y\nEND");
    }

    #[test]
    fn an_unknown_placeholder_stays_visible() {
        let text = Text::fill("a {{nope}} {{ b", &[]);
        assert_eq!(text.as_str(), "a {{nope}} {{ b");
    }

    #[test]
    fn a_value_is_not_filled_again() {
        let values = [("a", Text::from("{{b}}")), ("b", Text::from("no"))];
        assert_eq!(Text::fill("x {{a}}", &values).as_str(), "x {{b}}");
    }

    #[test]
    fn exec_form_escapes_quotes() {
        let command = Text::exec([Text::from("sh"), Text::from("say \"hi\" \\")]);
        assert_eq!(command.as_str(), r#"["sh", "say \"hi\" \\"]"#);
    }

    #[test]
    fn a_finished_file_has_single_blank_lines() {
        let text = Text::from("\n\nA  \n\n\nB\n\n");
        assert_eq!(text.into_file(), "A\n\nB\n");
    }
}
