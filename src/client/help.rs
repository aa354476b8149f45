//! Help for people, made of the table of commands.
#![forbid(unsafe_code)]

use std::ffi::OsString;

use super::arguments::command_of;
use super::commands::{COMMANDS, Command, group};
use super::options::{GLOBAL, Opt};
use super::paper::put;
use super::session::{print, tell};

/// What the exit codes mean; the man page has them too.
pub(super) const CODES: &[(&str, &str)] = &[
    ("0", "It is done."),
    (
        "1",
        "The agent said no; its sentence and details are on standard error. For the agent's own commands: it did not work.",
    ),
    ("2", "The command line makes no sense."),
    (
        "3",
        "No agent answered at this address, or it went away before it had answered.",
    ),
    (
        "4",
        "Something on this machine: a file that cannot be read or written, a key file that others can read.",
    ),
    (
        "125",
        "exec: the command was not run, for the reasons of 1 and 3. Any other code is the command's own.",
    ),
    ("130", "Ctrl-C."),
];

/// All commands.
pub fn overview() -> String {
    let mut text = String::from(
        "Usage: node-agent serve [--dev]\n       node-agent [--host HOST] [--key-file FILE] [--json] COMMAND …\n\n",
    );
    for (title, is_client) in [
        ("On the machine of the agent:", false),
        ("Asking an agent, here or elsewhere:", true),
    ] {
        text.push_str(title);
        text.push('\n');
        for command in COMMANDS
            .iter()
            .filter(|command| command.is_client() == is_client)
        {
            let summary = command.summary;
            put(
                &mut text,
                format_args!("  {:<12}  {summary}\n", command.name),
            );
        }
        text.push('\n');
    }
    text.push_str("`node-agent help COMMAND` says more about one. The agent's configuration comes from the environment\n(NODE_AGENT_*); see the README.\n");
    text
}

/// `help COMMAND`; without one it is the program's own help.
pub(super) fn of(words: &[OsString]) -> Option<u8> {
    if words.is_empty() {
        return None;
    }
    if let Some(command) = command_of(words) {
        return Some(u8::from(print(&full(command)).is_err()));
    }
    if let Some(code) = of_group(words) {
        return Some(code);
    }
    let word = words.first().map(|word| word.display().to_string());
    tell(&format!(
        "node-agent: there is no command `{}`",
        word.unwrap_or_default()
    ));
    Some(super::failure::USAGE)
}

/// What to say to the first word of a group alone, if there is such a group.
pub(super) fn of_group(words: &[OsString]) -> Option<u8> {
    let first = words
        .iter()
        .filter_map(|word| word.to_str())
        .find(|word| !group(word).is_empty())?;
    let names = group(first).join(", node-agent ");
    tell(&format!(
        "node-agent: {first} wants another word: node-agent {names}"
    ));
    Some(super::failure::USAGE)
}

/// How it is called.
pub(super) fn usage(command: &Command) -> String {
    let line = format!("Usage: node-agent {} {}", command.name, command.usage);
    let more = if command.is_client() || !command.options.is_empty() {
        format!("\n`node-agent help {}` says more.", command.name)
    } else {
        String::new()
    };
    format!("{}{more}", line.trim_end())
}

/// All there is to say about it.
pub(super) fn full(command: &Command) -> String {
    let usage = format!("Usage: node-agent {} {}", command.name, command.usage);
    let mut text = format!("{}\n\n{}.\n", usage.trim_end(), command.summary);
    if !command.options.is_empty() {
        text.push_str("\nOptions:\n");
        command
            .options
            .iter()
            .for_each(|option| text.push_str(&line(option)));
    }
    if command.is_client() {
        text.push_str("\nOptions of all commands that ask an agent:\n");
        for option in GLOBAL {
            text.push_str(&line(option));
        }
    }
    text
}

/// Its letter, name and value.
pub(super) fn spelled(option: &Opt) -> String {
    let mut text = match option.short {
        Some(letter) => format!("-{letter}, --{}", option.long),
        None => format!("--{}", option.long),
    };
    if let Some(value) = option.value {
        text.push(' ');
        text.push_str(value);
    }
    text
}

fn line(option: &Opt) -> String {
    let indent = if option.short.is_some() {
        "  "
    } else {
        "      "
    };
    format!("{indent}{}\n          {}\n", spelled(option), option.help)
}
