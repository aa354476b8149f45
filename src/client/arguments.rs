//! The command line, read by the table of commands.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};

use lexopt::Arg;

use super::commands::{self, Command};
use super::failure::Failure;
use super::options::{GLOBAL, Opt};

/// What was given.
pub(super) struct Arguments {
    pub(super) command: &'static Command,
    words: Vec<OsString>,
    options: Vec<(&'static str, OsString)>,
}

/// The command that `line` names, if it is one of the table.
pub(super) fn command_of(line: &[OsString]) -> Option<&'static Command> {
    let mut words = Vec::new();
    let mut parser = lexopt::Parser::from_args(line);
    while words.len() < 2 {
        match parser.next() {
            Ok(Some(Arg::Value(word))) => words.push(word),
            Ok(Some(Arg::Long(name))) => {
                let takes = GLOBAL
                    .iter()
                    .any(|option| option.long == name && option.value.is_some());
                if takes {
                    parser.value().ok()?;
                }
            }
            Ok(Some(Arg::Short(_))) => {}
            Ok(None) | Err(_) => break,
        }
    }
    let texts: Vec<_> = words.iter().filter_map(|word| word.to_str()).collect();
    commands::find(&texts).map(|(command, _)| command)
}

impl Arguments {
    /// Reads `line`, all behind the program's name.
    pub(super) fn parse(command: &'static Command, line: &[OsString]) -> Result<Self, Failure> {
        let mut arguments = Self {
            command,
            words: Vec::new(),
            options: Vec::new(),
        };
        let mut names = command.name.split(' ').count();
        let mut parser = lexopt::Parser::from_args(line);
        while let Some(argument) = parser.next().map_err(Failure::usage)? {
            let option = match argument {
                Arg::Value(_) if names > 0 => {
                    names -= 1;
                    continue;
                }
                Arg::Value(word) => {
                    arguments.words.push(word);
                    if command.rest_after == Some(arguments.words.len()) {
                        let mut rest = parser.raw_args().map_err(Failure::usage)?.peekable();
                        // For those used to it: `exec web -- ls -l`.
                        rest.next_if(|word| word == "--");
                        arguments.words.extend(rest);
                        break;
                    }
                    continue;
                }
                Arg::Long(name) => option(command, |option| option.long == name),
                Arg::Short(letter) => option(command, |option| option.short == Some(letter)),
            };
            let Some(option) = option else {
                return Err(Failure::usage(argument.unexpected()));
            };
            let value = match option.value {
                Some(_) => parser.value().map_err(Failure::usage)?,
                None => OsString::new(),
            };
            arguments.options.push((option.long, value));
        }
        if arguments.flag("help") {
            return Ok(arguments);
        }
        arguments.checked()
    }

    fn checked(self) -> Result<Self, Failure> {
        let (least, most) = self.command.words;
        if self.words.len() < least {
            return Err(Failure::Usage(format!(
                "`{}` wants more words behind it",
                self.command.name
            )));
        }
        match self.words.get(most) {
            Some(word) => Err(Failure::Usage(format!(
                "`{}` is one word too many",
                word.display()
            ))),
            None => Ok(self),
        }
    }

    /// How many words there are.
    pub(super) fn count(&self) -> usize {
        self.words.len()
    }

    /// Word `index`, as a path.
    pub(super) fn path(&self, index: usize) -> Option<&OsStr> {
        self.words.get(index).map(OsString::as_os_str)
    }

    /// Word `index`; empty where there is none.
    pub(super) fn word(&self, index: usize) -> Result<&str, Failure> {
        self.path(index).map_or(Ok(""), text)
    }

    /// All words from `index` on.
    pub(super) fn words_from(&self, index: usize) -> Result<Vec<&str>, Failure> {
        self.words
            .iter()
            .skip(index)
            .map(|word| text(word))
            .collect()
    }

    /// Whether the flag is there.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.options.iter().any(|(known, _)| *known == name)
    }

    /// The value of an option, as a path; the last one counts.
    pub(super) fn os_value(&self, name: &str) -> Option<&OsStr> {
        let mut from_the_end = self.options.iter().rev();
        let (_, value) = from_the_end.find(|(known, _)| *known == name)?;
        Some(value)
    }

    /// The value of an option.
    pub(super) fn value(&self, name: &str) -> Result<Option<&str>, Failure> {
        self.os_value(name).map(text).transpose()
    }

    /// All values of an option.
    pub(super) fn values(&self, name: &str) -> Result<Vec<&str>, Failure> {
        let own = self.options.iter().filter(|(known, _)| *known == name);
        own.map(|(_, value)| text(value)).collect()
    }

    /// The value of an option as a whole number.
    pub(super) fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Failure> {
        let Some(value) = self.value(name)? else {
            return Ok(None);
        };
        match value.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Failure::Usage(format!(
                "--{name} is a whole number from {least} to {most}, not {value:?}"
            ))),
        }
    }
}

fn option(command: &Command, is_it: impl Fn(&Opt) -> bool) -> Option<&'static Opt> {
    let own = command.options.iter().chain(GLOBAL);
    let mut own = own.filter(|option| {
        command.is_client()
            || option.long == "help"
            || !GLOBAL.iter().any(|global| std::ptr::eq(global, *option))
    });
    own.find(|option| is_it(option))
}

fn text(value: &OsStr) -> Result<&str, Failure> {
    let not_text = || Failure::Usage(format!("{} is no text", value.display()));
    value.to_str().ok_or_else(not_text)
}
