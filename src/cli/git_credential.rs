//! `node-agent git-credential get`: what git runs, in the agent's name, to be told a name and password.
#![forbid(unsafe_code)]

use std::io::{self, BufReader, Read};

use super::{Failure, say};
use crate::host::git::login;
use crate::limits;

/// Answers the question on stdin from the environment.
pub(super) fn answer(operation: &str) -> Result<(), Failure> {
    let question = BufReader::new(io::stdin().take(limits::GIT_QUESTION_BYTES));
    let answer = login::answer(operation, question, |name| std::env::var_os(name));
    say(&answer.map_err(Failure::run)?)
}
