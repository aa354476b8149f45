//! What a detector hands back, and the pieces that several stacks share.
#![forbid(unsafe_code)]

use super::Stack;
use super::error::{DetectError, Unfinished};
use super::project::Project;
use super::text::Text;
use super::token::Token;

/// A detector's answer.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The project is of this stack.
    Match(Plan),
    /// It has the stack's manifest but nothing to run.
    Unfinished(Unfinished),
    /// It is not of this stack.
    No,
}

/// A Dockerfile and why it is this one.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The stack.
    pub(crate) stack: Stack,
    /// The file.
    pub(crate) dockerfile: Text,
    /// What decided, in the order in which it did.
    pub(crate) reasons: Vec<String>,
}

impl Verdict {
    /// The manifest is there, but not what would be run.
    pub(crate) fn unfinished(file: &'static str, missing: &'static str) -> Self {
        Self::Unfinished(Unfinished { file, missing })
    }
}

/// Directories that programs read at run time beside their binary.
const ASSET_DIRECTORIES: &[&str] = &[
    "assets",
    "config",
    "locales",
    "migrations",
    "public",
    "static",
    "templates",
    "views",
];

/// Lines that copy the run-time directories of a compiled program out of its build stage.
pub(crate) fn copy_asset_directories(project: &Project) -> Result<Text, DetectError> {
    let mut lines = Vec::new();
    for directory in ASSET_DIRECTORIES {
        if project.has_directory(directory)? {
            lines.push(Text::fill(
                "COPY --from=build /src/{{directory}} ./{{directory}}",
                &[("directory", (*directory).into())],
            ));
        }
    }
    Ok(Text::lines(lines))
}

/// `COPY` of those of these files that exist.
pub(crate) fn copy_existing(
    project: &Project,
    files: &[&'static str],
) -> Result<Text, DetectError> {
    let found = project.existing(files)?;
    Ok(Text::copy_here(found.into_iter().map(Text::from).collect()))
}

/// A line that installs Debian packages, or nothing.
pub(crate) fn debian_packages(packages: &[&'static str]) -> Text {
    if packages.is_empty() {
        return Text::default();
    }
    let names = Text::words(packages.iter().map(|name| Text::from(*name)));
    Text::fill(
        include_str!("templates/debian-packages"),
        &[("packages", names)],
    )
}

/// The words of a command, if every one of them may stand in a Dockerfile. Of several lines a shell would make several
/// commands, so those are none.
pub(crate) fn safe_words(command: &str) -> Option<Vec<Token>> {
    if command.trim().contains(char::is_control) {
        return None;
    }
    let words: Option<Vec<Token>> = command.split_whitespace().map(Token::word).collect();
    words.filter(|words| !words.is_empty())
}

/// A port as a project writes it.
pub(crate) fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}

/// A check that connects with bash, for images that surely have it (Debian's and Ubuntu's) and nothing better.
pub(crate) fn bash_healthcheck(port: u16) -> Text {
    Text::fill(
        include_str!("templates/healthcheck.bash"),
        &[("port", port.into())],
    )
}
