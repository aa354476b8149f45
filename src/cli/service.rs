//! `install`, `uninstall` and `upgrade`: their arguments, and what they say.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value};

use super::{Command, Failure, say, stdin_token};
use crate::config::Allowlist;
use crate::install::{self, Given, Interruption, Key, Upgrade};

/// `install …`.
#[derive(Debug, Default)]
pub(super) struct Install {
    given: Given,
    key_file: Option<PathBuf>,
    is_token_on_stdin: bool,
}

impl Install {
    pub(super) fn parse(arguments: &mut lexopt::Parser) -> Result<Command, Failure> {
        let mut install = Self::default();
        while let Some(argument) = arguments.next().map_err(usage)? {
            match argument {
                Long("help") | Short('h') => return Ok(Command::help()),
                Long("token-stdin") => install.is_token_on_stdin = true,
                Long("key-file") => install.key_file = Some(value(arguments)?.into()),
                Long("bind") => {
                    let text = text(arguments)?;
                    let expected =
                        "--bind: expected an address and port like 10.0.0.5:9999 or [::]:9999";
                    let bind = text.parse();
                    install.given.bind = Some(
                        bind.map_err(|_| Failure::Usage(format!("{expected}, not `{text}`")))?,
                    );
                }
                Long("allow") => {
                    let allow = Allowlist::parse(&text(arguments)?);
                    let wrong = |error| Failure::Usage(format!("--allow: {error}"));
                    install.given.allow = Some(allow.map_err(wrong)?);
                }
                Long("allow-downgrade") => install.given.allow_downgrade = true,
                Long("dry-run") => install.given.is_dry = true,
                other => return Err(usage(other.unexpected())),
            }
        }
        if install.key_file.is_some() && install.is_token_on_stdin {
            let both = "either --key-file or --token-stdin";
            return Err(Failure::Usage(both.to_owned()));
        }
        Ok(Command::Install(install))
    }

    pub(super) fn run(mut self) -> Result<(), Failure> {
        install::check_rights().map_err(Failure::run)?;
        self.given.key = match &self.key_file {
            Some(path) => Some(Key::read(path).map_err(Failure::run)?),
            // Before ctrl-C is ours: here it may end the program.
            None if self.is_token_on_stdin => {
                Some(Key::for_token(&stdin_token()?).map_err(Failure::run)?)
            }
            None => None,
        };
        let mut interruption = watch()?;
        let installed = install::install(self.given, &mut interruption).map_err(Failure::run)?;
        say(&installed.to_string())
    }
}

/// `uninstall [--purge]`.
#[derive(Debug)]
pub(super) struct Uninstall {
    is_purge: bool,
}

impl Uninstall {
    pub(super) fn parse(arguments: &mut lexopt::Parser) -> Result<Command, Failure> {
        let mut is_purge = false;
        while let Some(argument) = arguments.next().map_err(usage)? {
            match argument {
                Long("help") | Short('h') => return Ok(Command::help()),
                Long("purge") => is_purge = true,
                other => return Err(usage(other.unexpected())),
            }
        }
        Ok(Command::Uninstall(Self { is_purge }))
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        install::check_rights().map_err(Failure::run)?;
        let done = install::uninstall(self.is_purge, &mut watch()?).map_err(Failure::run)?;
        say(&done.to_string())
    }
}

/// `upgrade FILE …`.
pub(super) fn parse_upgrade(arguments: &mut lexopt::Parser) -> Result<Command, Failure> {
    let (mut file, mut sha256, mut allow_downgrade) = (None, None, false);
    while let Some(argument) = arguments.next().map_err(usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::help()),
            Long("sha256") => sha256 = Some(text(arguments)?),
            Long("allow-downgrade") => allow_downgrade = true,
            Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            other => return Err(usage(other.unexpected())),
        }
    }
    let is_checksum =
        |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if sha256.as_ref().is_some_and(|text| !is_checksum(text)) {
        let expected = "--sha256: expected 64 hexadecimal digits";
        return Err(Failure::Usage(expected.to_owned()));
    }
    let file =
        file.ok_or_else(|| Failure::Usage("upgrade needs the new program's file".to_owned()))?;
    Ok(Command::Upgrade(Upgrade {
        file,
        sha256,
        allow_downgrade,
    }))
}

pub(super) fn upgrade(wanted: &Upgrade) -> Result<(), Failure> {
    install::check_rights().map_err(Failure::run)?;
    let done = install::upgrade(wanted, &mut watch()?).map_err(Failure::run)?;
    say(&done.to_string())
}

fn watch() -> Result<Interruption, Failure> {
    Interruption::watch().map_err(Failure::run)
}

fn value(arguments: &mut lexopt::Parser) -> Result<OsString, Failure> {
    arguments.value().map_err(usage)
}

fn text(arguments: &mut lexopt::Parser) -> Result<String, Failure> {
    use lexopt::ValueExt;
    value(arguments)?.string().map_err(usage)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "for map_err, which hands it over"
)]
fn usage(error: lexopt::Error) -> Failure {
    Failure::Usage(error.to_string())
}
