//! Why a command of the client failed, and what the program's exit code says about it.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::io;

use serde_json::Value;

/// The agent said no.
pub(super) const REFUSED: u8 = 1;
/// The command line makes no sense.
pub(super) const USAGE: u8 = 2;
/// No agent answered, or its answer broke off.
pub(super) const UNREACHABLE: u8 = 3;
/// Something on this machine: a file that cannot be read, a full disk.
pub(super) const LOCAL: u8 = 4;
/// `exec` never came to run the command, as docker has it.
pub(super) const NOT_RUN: u8 = 125;
/// Ctrl-C: 128 and the number of SIGINT, as shells have it.
pub(super) const INTERRUPTED: u8 = 130;

/// A failure.
#[derive(Debug)]
pub(super) enum Failure {
    /// The arguments make no sense.
    Usage(String),
    /// The agent answered with an error.
    Refused(Refusal),
    /// It could not be reached, or broke off.
    Unreachable(String),
    /// Something here.
    Local(String),
    /// Whoever read our output does not any more: `node-agent ps | head -1` is no failure.
    OutputClosed,
    /// Ctrl-C.
    Interrupted,
}

/// The agent's error.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The answer as it came.
    pub(super) body: String,
    /// Seconds after which it may be tried again.
    pub(super) retry_after: Option<u64>,
}

impl Refusal {
    /// Its sentence, and below it the details.
    pub(super) fn message(&self) -> String {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let mut message = match json["error"].as_str() {
            Some(error) => error.to_owned(),
            // No agent of ours, or a proxy before it.
            None => format!("the answer is {} without a reason", self.status),
        };
        if let Some(details) = json["details"].as_str() {
            message.push('\n');
            message.push_str(details.trim_end());
        }
        if self.status == 401 && json["error"].is_string() && message.contains("X-API-Key") {
            message
                .push_str("\nthe key comes from --key-file, NODE_AGENT_KEY_FILE or NODE_AGENT_KEY");
        }
        message
    }
}

impl Failure {
    pub(super) fn usage(error: impl Display) -> Self {
        Self::Usage(error.to_string())
    }

    /// For `map_err`: `what` here could not be used.
    pub(super) fn local(what: impl Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Local(format!("{what}: {error}"))
    }

    /// For `map_err`: standard output.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "for map_err, which hands it over"
    )]
    pub(super) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Local(format!("the output cannot be written: {error}")),
        }
    }

    /// The exit code.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Refused(_) => REFUSED,
            Self::Unreachable(_) => UNREACHABLE,
            Self::Local(_) => LOCAL,
            Self::OutputClosed => 0,
            Self::Interrupted => INTERRUPTED,
        }
    }

    /// What is told on stderr; nothing to tell is empty.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.message(),
            Self::Usage(text) | Self::Unreachable(text) | Self::Local(text) => text.clone(),
            Self::OutputClosed => String::new(),
            Self::Interrupted => "interrupted".to_owned(),
        }
    }
}
