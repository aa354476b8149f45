//! Which version of a language to build with: what the project pins, else what it requires, else the default.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::read::toml::Toml;
use super::Version;
use super::defaults::Line;
use super::range::{Range, Tilde};

/// A version, and the file that named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The tag of the base image.
    pub(crate) version: Version,
    /// The file that named it; `None` when it is the default.
    pub(crate) from: Option<&'static str>,
}

impl Choice {
    /// `Node 20 (.nvmrc)`, for the reason.
    pub(crate) fn reason(&self, language: &str) -> String {
        match self.from {
            Some(file) => format!("{language} {} ({file})", self.version),
            None => format!("{language} {} (default)", self.version),
        }
    }

    /// `text` in `file` as a requirement; `None` when it is none or cannot be met.
    pub(crate) fn of(text: &str, file: &'static str, tilde: Tilde, line: &Line) -> Option<Self> {
        let version = satisfying(&Range::parse(text.trim(), tilde)?, line)?;
        Some(Self {
            version,
            from: Some(file),
        })
    }

    /// What to take when the project names nothing.
    pub(crate) fn default(line: &Line) -> Self {
        Self {
            version: line.default(),
            from: None,
        }
    }
}

/// The best tag for a range: a pin as it is written; else the first allowed of our tags; else its lower end.
fn satisfying(range: &Range, line: &Line) -> Option<Version> {
    if let Some(exact) = range.exact().filter(|exact| exact.parts() >= line.parts()) {
        return Some(exact);
    }
    let ours = line.tags().find(|tag| range.allows(*tag));
    ours.or_else(|| range.floor().map(|floor| floor.cut(line.parts())))
}

/// A pin in a file of its own (`.nvmrc`, `.python-version`): the first line that is no comment.
pub(crate) fn pin_file(
    project: &Project,
    file: &'static str,
    prefix: &str,
    line: &Line,
) -> Result<Option<Choice>, DetectError> {
    let Some(text) = project.text(file)? else {
        return Ok(None);
    };
    let pinned = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or("").trim())
        .find(|line| !line.is_empty())
        .and_then(|pin| {
            Choice::of(
                pin.strip_prefix(prefix).unwrap_or(pin),
                file,
                Tilde::Patch,
                line,
            )
        });
    Ok(pinned)
}

/// A pin in a file that lists tools: asdf's `.tool-versions`, or mise's.
pub(crate) fn tool_pin(
    project: &Project,
    tools: &[&str],
    line: &Line,
) -> Result<Option<Choice>, DetectError> {
    if let Some(text) = project.text(".tool-versions")? {
        let pinned = text.lines().find_map(|entry| {
            let mut words = entry.split_whitespace();
            let tool = words.next()?;
            let version = words.next()?;
            tools.contains(&tool).then_some(version)
        });
        if let Some(choice) = pinned.and_then(|pin| tool_version(pin, ".tool-versions", line)) {
            return Ok(Some(choice));
        }
    }
    for file in ["mise.toml", ".mise.toml"] {
        let Some(text) = project.text(file)? else {
            continue;
        };
        let pinned = tools
            .iter()
            .find_map(|tool| Toml(&text).string(&format!("tools.{tool}")))
            .and_then(|pin| tool_version(pin, file, line));
        if pinned.is_some() {
            return Ok(pinned);
        }
    }
    Ok(None)
}

/// `temurin-21.0.2+13` and `1.18.1-otp-27` are pins too: the first word that is a version.
fn tool_version(pin: &str, file: &'static str, line: &Line) -> Option<Choice> {
    let number = pin.find(|c: char| c.is_ascii_digit())?;
    let end = pin[number..]
        .find(['-', '+', '_'])
        .map_or(pin.len(), |end| number + end);
    Choice::of(&pin[number..end], file, Tilde::Patch, line)
}

#[cfg(test)]
mod tests {
    use super::super::defaults::{NODE, PYTHON};
    use super::*;

    fn chosen(text: &str, line: &Line) -> Option<String> {
        Choice::of(text, "f", Tilde::Patch, line).map(|choice| choice.version.to_string())
    }

    #[test]
    fn pins_stay_and_ranges_take_the_best_tag() {
        for (text, tag) in [
            ("20.11.1", "20.11.1"),
            ("20", "20"),
            (">=18", "24"),
            ("^18 || ^20", "20"),
            (">=99", "99"),
        ] {
            assert_eq!(chosen(text, &NODE).as_deref(), Some(tag), "{text}");
        }
        for (text, tag) in [
            ("3.11.4", "3.11.4"),
            ("3", "3.13"),
            (">=3.9,<3.12", "3.11"),
            ("==3.10.*", "3.10"),
            ("<3", ""),
        ] {
            assert_eq!(
                chosen(text, &PYTHON).as_deref(),
                (!tag.is_empty()).then_some(tag),
                "{text}"
            );
        }
    }

    #[test]
    fn tool_versions_with_a_vendor_are_understood() {
        let version = |pin| tool_version(pin, "f", &NODE).map(|choice| choice.version.to_string());
        assert_eq!(version("temurin-21.0.2+13").as_deref(), Some("21.0.2"));
        assert_eq!(version("1.18.1-otp-27").as_deref(), Some("1.18.1"));
        assert_eq!(version("system"), None);
    }
}
