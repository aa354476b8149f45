//! The manual page, made of the table of commands. man(7)
#![forbid(unsafe_code)]

use super::commands::COMMANDS;
use super::help::{CODES, spelled};
use super::options::{GLOBAL, Opt};
use super::paper::put;

/// What stands before the commands.
const HEAD: &str = r#".\" made by `node-agent man`
.TH NODE-AGENT 1 2026-11-25 "node-agent VERSION"
.SH NAME
node-agent \- drive the containers, images and files of a machine over HTTP
.SH SYNOPSIS
.B node-agent
.RI [ "OPTION\fR...\fI" ]
.I COMMAND
.RI [ ARGUMENT ...]
.SH DESCRIPTION
One program: on a machine with Docker it is the agent
.RB ( "node-agent serve" ),
which waits for requests; anywhere else it is a client that sends them. The client prints for people, or with
.B \-\-json
what the agent answered. How far something is, it shows on a terminal only.
.PP
The client speaks plain HTTP: between networks put a tunnel or a proxy with TLS before the agent.
"#;

/// The variables that the client reads.
const VARIABLES: &[(&str, &str)] = &[
    ("NODE_AGENT_HOST", "The agent, where --host names none."),
    (
        "NODE_AGENT_KEY_FILE",
        "The file with its key, where --key-file names none. One that others can read or write is refused.",
    ),
    (
        "NODE_AGENT_KEY",
        "The key itself. It is never taken from the command line, which everybody on the machine can see.",
    ),
];

/// Prints it.
pub(super) fn manual() -> String {
    let mut text = HEAD.replace("VERSION", env!("CARGO_PKG_VERSION"));
    text.push_str(".SH OPTIONS\n");
    for option in GLOBAL {
        item(&mut text, option);
    }
    text.push_str(".SH COMMANDS\n");
    for command in COMMANDS {
        let line = format!("node-agent {} {}", command.name, command.usage);
        put(
            &mut text,
            format_args!(
                ".SS {}\n{}.\n",
                escaped(line.trim_end()),
                escaped(command.summary)
            ),
        );
        for option in command.options {
            item(&mut text, option);
        }
    }
    text.push_str(".SH EXIT STATUS\n");
    for (code, meaning) in CODES {
        put(
            &mut text,
            format_args!(".TP\n.B {code}\n{}\n", escaped(meaning)),
        );
    }
    text.push_str(".SH ENVIRONMENT\n");
    for (name, meaning) in VARIABLES {
        put(
            &mut text,
            format_args!(".TP\n.B {name}\n{}\n", escaped(meaning)),
        );
    }
    text.push_str("The agent's own variables are described in its README.\n");
    text
}

fn item(text: &mut String, option: &Opt) {
    put(
        text,
        format_args!(
            ".TP\n.B {}\n{}.\n",
            escaped(&spelled(option)),
            escaped(option.help)
        ),
    );
}

/// Hyphens are to stay what they are, and nothing is to be a request. groff_char(7)
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq")
        .replace('…', "...")
}
