//! Why nginx was not tested or reloaded.
#![forbid(unsafe_code)]

use std::fmt;
use std::time::Duration;

use super::Target;
use crate::engine::EngineError;
use crate::host::tool::ToolError;

/// A failed test or reload. `Display` makes one sentence for a person.
#[derive(Debug)]
pub enum NginxError {
    /// There is none: not installed on the machine, and no container runs one.
    None {
        /// Why containers could not be looked at, if they could not.
        engine: Option<EngineError>,
    },
    /// The container that `NODE_AGENT_NGINX_CONTAINER` names does not exist.
    NamedMissing {
        /// The variable's value.
        name: String,
    },
    /// That container is there, and not running.
    NamedNotRunning {
        /// The variable's value.
        name: String,
        /// The engine's word for its state.
        state: String,
    },
    /// Several containers run one, and nothing says which is meant.
    Several {
        /// Their names.
        names: Vec<String>,
    },
    /// The container has no program `nginx`.
    NotInside {
        /// Which.
        target: Target,
        /// What was said about it.
        words: String,
    },
    /// There is nothing to reload: it does not run, or as a single process, which keeps its configuration whatever it is
    /// told.
    NoMaster {
        /// Which.
        target: Target,
    },
    /// The configuration is not valid; nothing was reloaded.
    Invalid {
        /// Which nginx.
        target: Target,
        /// nginx's own words.
        words: String,
    },
    /// nginx could not be told to reload.
    NotTold {
        /// Which.
        target: Target,
        /// Its own words.
        words: String,
    },
    /// It was told, and goes on with the configuration that it had.
    Kept {
        /// Which.
        target: Target,
        /// How long it had to start workers with the new one.
        after: Duration,
        /// What it wrote to its log meanwhile, where that can be seen.
        words: String,
    },
    /// A command in the container did not end in time.
    TooLong {
        /// Which.
        target: Target,
        /// The time it had.
        after: Duration,
        /// What it printed until then.
        words: String,
    },
    /// Another reload went on for too long.
    NoTurn,
    /// A program of the machine failed.
    Tool(ToolError),
    /// The engine failed.
    Engine(EngineError),
}

/// The variable that decides.
const VARIABLE: &str = "NODE_AGENT_NGINX_CONTAINER";

impl NginxError {
    /// The words of nginx, of a tool or of the engine, if there are any.
    pub fn words(&self) -> Option<String> {
        let words = match self {
            Self::Invalid { words, .. }
            | Self::NotTold { words, .. }
            | Self::Kept { words, .. }
            | Self::TooLong { words, .. }
            | Self::NotInside { words, .. } => Some(words.clone()),
            Self::None { engine } => engine.as_ref().map(ToString::to_string),
            _ => None,
        };
        words.filter(|words| !words.is_empty())
    }
}

impl From<ToolError> for NginxError {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

impl From<EngineError> for NginxError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl fmt::Display for NginxError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None { engine: None } => out.write_str(
                "there is no nginx: it is not installed on this machine (Debian package nginx), and no container runs it",
            ),
            Self::None { engine: Some(_) } => out.write_str(
                "there is no nginx: it is not installed on this machine (Debian package nginx), and containers cannot be looked at",
            ),
            Self::NamedMissing { name } => {
                write!(out, "there is no container `{name}`, which {VARIABLE} names as the one that runs nginx")
            }
            Self::NamedNotRunning { name, state } => {
                write!(out, "container `{name}`, which {VARIABLE} names as the one that runs nginx, is {state}")
            }
            Self::Several { names } => write!(
                out,
                "several containers run nginx ({}): {VARIABLE} must name the one that is meant",
                names.join(", ")
            ),
            Self::NotInside { target, .. } => write!(out, "there is no program `nginx` for {}", target.in_words()),
            Self::NoMaster { target } => write!(
                out,
                "{} does not run, or runs without a master process (`master_process off`): there is nothing to reload; start or restart it",
                target.in_words()
            ),
            Self::Invalid { target, .. } => {
                write!(out, "the configuration of {} is not valid; nothing was reloaded", target.in_words())
            }
            Self::NotTold { target, .. } => write!(out, "{} could not be told to reload", target.in_words()),
            Self::Kept { target, after, .. } => write!(
                out,
                "{} goes on with its old configuration: told to reload, it started no workers with the new one within {} s",
                target.in_words(),
                after.as_secs()
            ),
            Self::TooLong { target, after, .. } => {
                write!(out, "{} did not answer within {} s", target.in_words(), after.as_secs())
            }
            Self::NoTurn => out.write_str("nginx is being reloaded by another request"),
            Self::Tool(error) => error.fmt(out),
            Self::Engine(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for NginxError {}
