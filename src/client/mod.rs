//! The command-line client: the same binary on the operator's machine. It talks to an agent over plain HTTP (ureq,
//! without TLS) and to nothing else. May use store (build contexts, archives' headers), config's environment, sys,
//! limits and clock; knows neither the server nor the engine.
#![forbid(unsafe_code)]

mod arguments;
mod build;
mod call;
mod commands;
mod completions;
mod containers;
mod cron;
mod exec;
mod failure;
mod files;
mod help;
mod http;
mod images;
mod line;
mod manual;
mod metrics;
mod options;
mod paper;
mod path;
mod progress;
mod run;
mod session;
mod table;
mod target;
mod top;
mod upload;

use std::ffi::OsString;

pub use help::overview;

use crate::config::Environment;
use arguments::Arguments;
use commands::{Command, Work};
use failure::Failure;
use session::{Session, print, tell};

/// Does what `line` says, all behind the program's name, if it names a command of the client's. The exit code.
pub fn run(line: &[OsString], environment: &Environment) -> Option<u8> {
    let command = match line.first().and_then(|word| word.to_str()) {
        Some("help") => return help::of(line.get(1..).unwrap_or_default()),
        _ => match arguments::command_of(line) {
            Some(command) => command,
            None => return help::of_group(line),
        },
    };
    if matches!(command.work, Work::Program) {
        let asks_for_help = line.iter().any(|word| word == "--help" || word == "-h");
        return asks_for_help
            .then(|| print(&help::full(command)).map_or_else(|error| error.code(), |()| 0));
    }
    let failure = match work(command, line, environment) {
        Ok(code) => return Some(code),
        Err(failure) => failure,
    };
    if let Failure::Refused(refusal) = &failure {
        let wants_json = Arguments::parse(command, line).is_ok_and(|given| given.flag("json"));
        if wants_json {
            // Whoever reads it gets the agent's answer in any case.
            let _ = print(&format!("{}\n", refusal.body.trim_end()));
        }
    }
    let message = failure.message();
    if !message.is_empty() {
        tell(&format!("node-agent: {message}"));
    }
    if let Failure::Usage(_) = &failure {
        tell(&format!("\n{}", help::usage(command)));
    }
    let is_exec =
        command.name == "exec" && matches!(failure, Failure::Refused(_) | Failure::Unreachable(_));
    Some(if is_exec {
        failure::NOT_RUN
    } else {
        failure.code()
    })
}

fn work(
    command: &'static Command,
    line: &[OsString],
    environment: &Environment,
) -> Result<u8, Failure> {
    let arguments = Arguments::parse(command, line)?;
    if arguments.flag("help") {
        return print(&help::full(command)).map(|()| 0);
    }
    match command.work {
        Work::Client(work) => work(&mut Session::new(arguments, environment.clone())?),
        Work::Paper(write) => {
            let words = arguments.words_from(0)?;
            let words: Vec<_> = words.into_iter().map(str::to_owned).collect();
            print(&write(&words)?).map(|()| 0)
        }
        Work::Program => Ok(0),
    }
}
