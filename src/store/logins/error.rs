//! Why a login could not be had or saved.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::exec::Exit;

/// A login that could not be had or saved. That there is none is no error.
#[derive(Debug)]
pub enum LoginError {
    /// config.json cannot be read, or makes no sense.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// One registry's entry in config.json makes no sense.
    Entry {
        /// The file.
        file: PathBuf,
        /// The registry.
        address: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// config.json cannot be replaced.
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A credential helper did not do it.
    Helper {
        /// The program.
        helper: String,
        /// Why not.
        failure: HelperFailure,
    },
    /// The client for whom it was done went away.
    Abandoned,
}

/// Why a credential helper did not do it.
#[derive(Debug)]
pub enum HelperFailure {
    /// Nothing of a sensible name can be called that.
    BadName,
    /// It is not in the agent's PATH.
    NotInstalled,
    /// It could not be run.
    NotRun(String),
    /// It took too long.
    TimedOut(Duration),
    /// It failed.
    Failed {
        /// How it ended.
        exit: Exit,
        /// Its own words, without what may be a secret.
        words: String,
    },
    /// It says that all is well, with an answer that is none.
    Nonsense,
}

impl LoginError {
    /// The helper's or the system's own words, if there are any.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Helper { failure, .. } => match failure {
                HelperFailure::Failed { words, .. } | HelperFailure::NotRun(words) => {
                    Some(words.clone())
                }
                _ => None,
            },
            Self::Unreadable { problem, .. } => Some(problem.clone()),
            Self::Unwritable { source, .. } => Some(source.to_string()),
            Self::Entry { .. } | Self::Abandoned => None,
        }
        .filter(|words| !words.is_empty())
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, .. } => {
                write!(
                    out,
                    "the registry logins in {} cannot be read",
                    file.display()
                )
            }
            Self::Entry {
                file,
                address,
                problem,
            } => {
                let file = file.display();
                write!(out, "the login for {address} in {file} {problem}")
            }
            Self::Unwritable { file, .. } => {
                write!(
                    out,
                    "the registry login cannot be saved in {}",
                    file.display()
                )
            }
            Self::Helper { helper, failure } => {
                write!(out, "the credential helper `{helper}` {failure}")
            }
            Self::Abandoned => out.write_str("the client went away"),
        }
    }
}

impl fmt::Display for HelperFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName => out.write_str("has a name that no program should have"),
            Self::NotInstalled => out.write_str("is not in the agent's PATH"),
            Self::NotRun(_) => out.write_str("could not be run"),
            Self::TimedOut(after) => write!(out, "did not answer within {} s", after.as_secs()),
            Self::Failed { exit, .. } => write!(out, "failed with {exit}"),
            Self::Nonsense => out.write_str("answered something that is no answer"),
        }
    }
}

impl std::error::Error for LoginError {}
