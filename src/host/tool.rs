//! A program of the system: found when it is needed, so that one that is installed later is found without a restart.
#![forbid(unsafe_code)]

use std::fmt;
use std::time::Duration;

use crate::exec::{ExecError, Exit, Finished, Invocation, Output, Program};
use crate::limits;

/// A program of the system that an endpoint needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its name in the search path.
    pub name: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
}

/// Why a tool did not do its work.
#[derive(Debug)]
pub enum ToolError {
    /// It is not installed.
    Missing(Tool),
    /// It ran longer than it may.
    TooLong {
        /// Which.
        tool: Tool,
        /// The time it had.
        after: Duration,
        /// The end of what it printed.
        words: String,
    },
    /// It ended with something else than exit code 0.
    Failed {
        /// Which.
        tool: Tool,
        /// How it ended.
        exit: Exit,
        /// The end of what it printed.
        words: String,
    },
    /// The client for whom it ran went away.
    Abandoned,
    /// It could not be run.
    NotRun(ExecError),
}

impl Tool {
    /// Where it is.
    pub fn find(self) -> Result<Program, ToolError> {
        Program::find(self.name).map_err(|error| self.error(error))
    }

    /// Whether it is installed.
    pub fn is_installed(self) -> bool {
        self.find().is_ok()
    }

    /// Runs it with `arguments`; whatever exit code it ends with is an answer.
    pub fn ask(self, arguments: &[&str], deadline: Duration) -> Result<Finished, ToolError> {
        let program = self.find()?;
        Invocation::new(&program, deadline)
            .arguments(arguments)
            .run()
            .map_err(|error| self.error(error))
    }

    /// Runs it with `arguments`; anything but exit code 0 is a failure.
    pub fn run(self, arguments: &[&str], deadline: Duration) -> Result<Finished, ToolError> {
        let finished = self.ask(arguments, deadline)?;
        if finished.exit.is_success() {
            return Ok(finished);
        }
        Err(self.failed(&finished))
    }

    /// That it ended as it did.
    pub fn failed(self, finished: &Finished) -> ToolError {
        ToolError::Failed {
            tool: self,
            exit: finished.exit,
            words: words(finished),
        }
    }

    /// That it could not be run to its end.
    pub fn error(self, error: ExecError) -> ToolError {
        match error {
            ExecError::NotFound { .. } => ToolError::Missing(self),
            ExecError::Deadline { after, output, .. } => ToolError::TooLong {
                tool: self,
                after,
                words: last_words(&output.stderr.text(), &output.stdout.text()),
            },
            ExecError::Abandoned => ToolError::Abandoned,
            other => ToolError::NotRun(other),
        }
    }
}

/// The end of what a finished program said of itself: of stderr, and of stdout when that is silent.
pub fn words(finished: &Finished) -> String {
    words_of(&finished.output)
}

/// The same of what something printed.
pub fn words_of(output: &Output) -> String {
    last_words(&output.stderr.text(), &output.stdout.text())
}

/// At most [`limits::TOOL_WORDS_BYTES`] of the end, from the start of a line where one is there.
fn last_words(stderr: &str, stdout: &str) -> String {
    let said = match stderr.trim() {
        "" => stdout.trim(),
        said => said,
    };
    if said.len() <= limits::TOOL_WORDS_BYTES {
        return said.to_owned();
    }
    let earliest = said.len() - limits::TOOL_WORDS_BYTES;
    let tail = said
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= earliest)
        .map_or("", |at| &said[at..]);
    let line = tail.split_once('\n').map_or(tail, |(_, rest)| rest);
    format!("…\n{line}")
}

impl fmt::Display for ToolError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(tool) => write!(
                out,
                "{} is not installed on this machine (Debian package {})",
                tool.name, tool.package
            ),
            Self::TooLong { tool, after, .. } => {
                write!(
                    out,
                    "{} did not finish within {} s",
                    tool.name,
                    after.as_secs()
                )
            }
            Self::Failed { tool, exit, .. } => write!(out, "{} failed with {exit}", tool.name),
            Self::Abandoned => out.write_str("the client went away"),
            Self::NotRun(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for ToolError {}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: Tool = Tool {
        name: "sh",
        package: "dash",
    };

    #[test]
    fn a_missing_tool_is_named_with_its_package() {
        let tool = Tool {
            name: "no-such-tool",
            package: "some-package",
        };
        let error = tool.run(&[], Duration::from_secs(1)).unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.contains("no-such-tool") && sentence.contains("some-package"));
    }

    #[test]
    fn a_failure_has_its_code_and_words() {
        let script = ["-c", "echo out; echo err >&2; exit 3"];
        match SHELL.run(&script, Duration::from_secs(10)) {
            Err(ToolError::Failed { exit, words, .. }) => {
                assert_eq!((exit, words.as_str()), (Exit::Code(3), "err"));
            }
            other => panic!("{other:?}"),
        }
        let finished = SHELL.ask(&script, Duration::from_secs(10)).unwrap();
        assert_eq!(finished.exit, Exit::Code(3));
    }

    #[test]
    fn the_end_of_many_words_is_kept_from_a_line_on() {
        let said = "eine Zeile mit Umlauten: äöü\n".repeat(1000);
        let kept = last_words(&said, "");
        assert!(kept.len() <= limits::TOOL_WORDS_BYTES + "…\n".len());
        assert!(kept.starts_with("…\neine Zeile") && kept.ends_with("äöü"));
        assert_eq!(last_words(" \n", "only stdout\n"), "only stdout");
    }
}
