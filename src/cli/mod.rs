//! The command line. Each subcommand is a function that says what went wrong in one sentence.
#![forbid(unsafe_code)]

mod clean_up;
mod cron_run;
mod doctor;
mod git_credential;
mod own_path;
mod serve;
mod service;

use std::fmt::Display;
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value};

use crate::client;
use crate::config::keys::key_for_token;
use crate::config::{Config, Environment};
use crate::host::git::login::SUBCOMMAND as GIT_CREDENTIAL;
use crate::install::Upgrade;
use crate::log::journal;

/// Why the program ends.
enum Failure {
    /// The arguments make no sense: exit code 2.
    Usage(String),
    /// It did not work: exit code 1.
    Run(String),
    /// It ended with a code of its own, and has said why.
    Exit(u8),
}

impl Failure {
    fn run(error: impl Display) -> Self {
        Self::Run(error.to_string())
    }
}

/// Runs the program.
pub fn run() -> ExitCode {
    let line: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(code) = client::run(&line, &Environment::of_process()) {
        return ExitCode::from(code);
    }
    let result = parse().and_then(Command::run);
    let (code, message) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => (2, format!("{message}\n\n{}", client::overview())),
        Err(Failure::Run(message)) => (1, format!("{message}\n")),
        Err(Failure::Exit(code)) => return ExitCode::from(code),
    };
    // Nobody could be told that stderr is closed.
    let priority = journal::priority(log::Level::Error);
    let _ = write!(io::stderr(), "{priority}node-agent: {message}");
    ExitCode::from(code)
}

enum Command {
    Serve { dev: bool },
    Key,
    Config,
    GitCredential(String),
    CronRun { id: String },
    Install(service::Install),
    Uninstall(service::Uninstall),
    Upgrade(Upgrade),
    Doctor { is_json: bool },
    Say(String),
}

fn parse() -> Result<Command, Failure> {
    let usage = |error: lexopt::Error| Failure::Usage(error.to_string());
    let mut arguments = lexopt::Parser::from_env();
    let mut command = None;
    let mut operand = None;
    let mut is_dev = false;
    while let Some(argument) = arguments.next().map_err(usage)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::help()),
            Long("version") | Short('V') => {
                return Ok(Command::Say(format!(
                    "node-agent {}\n",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            Long("dev") => is_dev = true,
            Value(word) if command.is_none() && !is_dev && word == "install" => {
                return service::Install::parse(&mut arguments);
            }
            Value(word) if command.is_none() && !is_dev && word == "uninstall" => {
                return service::Uninstall::parse(&mut arguments);
            }
            Value(word) if command.is_none() && !is_dev && word == "doctor" => {
                return doctor::parse(&mut arguments);
            }
            Value(word) if command.is_none() && !is_dev && word == "upgrade" => {
                return service::parse_upgrade(&mut arguments);
            }
            Value(word) if command.is_none() => command = Some(word.to_string_lossy().into_owned()),
            // Not in the usage: git runs it, and nobody else.
            Value(word) if command.as_deref() == Some(GIT_CREDENTIAL) => {
                return Ok(Command::GitCredential(word.to_string_lossy().into_owned()));
            }
            Value(word) if operand.is_none() && command.as_deref() == Some("cron-run") => {
                operand = Some(word.to_string_lossy().into_owned());
            }
            other => return Err(usage(other.unexpected())),
        }
    }
    match command.as_deref() {
        Some("serve") => Ok(Command::Serve { dev: is_dev }),
        _ if is_dev => Err(Failure::Usage("--dev belongs to `serve`".to_owned())),
        Some("key") => Ok(Command::Key),
        Some("cron-run") => match operand {
            Some(id) => Ok(Command::CronRun { id }),
            None => Err(Failure::Usage(
                "`cron-run` needs the id of a job".to_owned(),
            )),
        },
        Some("config") => Ok(Command::Config),
        Some("help") => Ok(Command::help()),
        Some(other) => Err(Failure::Usage(format!("there is no command `{other}`"))),
        None => Err(Failure::Usage("a command is needed".to_owned())),
    }
}

impl Command {
    fn help() -> Self {
        Self::Say(client::overview())
    }

    fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve { dev } => serve::serve(dev),
            Self::Key => say(&format!(
                "{}\n",
                key_for_token(&token()?).map_err(Failure::run)?
            )),
            Self::Config => {
                let environment = Environment::of_process();
                let config = Config::from_environment(&environment).map_err(Failure::run)?;
                say(&config.to_string())
            }
            Self::GitCredential(operation) => git_credential::answer(&operation),
            Self::CronRun { id } => cron_run::cron_run(&id),
            Self::Install(install) => install.run(),
            Self::Uninstall(uninstall) => uninstall.run(),
            Self::Upgrade(wanted) => service::upgrade(&wanted),
            Self::Doctor { is_json } => doctor::run(is_json),
            Self::Say(text) => say(&text),
        }
    }
}

/// The DO token: of the environment, otherwise of stdin.
fn token() -> Result<String, Failure> {
    let environment = Environment::of_process();
    // In the order of `serve`: the file first.
    if let Some(path) = environment.text("DO_TOKEN_FILE") {
        return std::fs::read_to_string(path)
            .map_err(|error| Failure::Run(format!("DO_TOKEN_FILE: {path}: {error}")));
    }
    if let Some(token) = environment.text("DO_TOKEN") {
        return Ok(token.to_owned());
    }
    stdin_token()
}

/// The DO token on stdin.
fn stdin_token() -> Result<String, Failure> {
    let mut token = String::new();
    if io::stdin().is_terminal() {
        // Said on stderr, so that stdout has the key alone.
        let _ = writeln!(io::stderr(), "The DO token, then Enter and ctrl-D:");
    }
    io::stdin()
        .take(64 * 1024)
        .read_to_string(&mut token)
        .map_err(Failure::run)?;
    Ok(token)
}

fn say(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        // `node-agent config | head -1` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Failure::run),
    }
}
