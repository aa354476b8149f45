//! `command` and `entrypoint`. A `command` string is a line for the shell, as in a Dockerfile and as for `exec`; an
//! `entrypoint` string is one program, as for `docker run --entrypoint`: run by a shell it would never see the command.
#![forbid(unsafe_code)]

use super::error::{SpecError, refuse_nul};
use super::words::Words;

/// Reads `command`: the engine's Cmd; `None` for the image's own.
pub(super) fn read_command(words: &Words) -> Result<Option<Vec<String>>, SpecError> {
    let argv = match words {
        Words::One(line) if line.trim().is_empty() => {
            return Err(SpecError::field(
                "command",
                "is empty; leave it out for the image's own command",
            ));
        }
        Words::One(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
        Words::List(argv) => argv.clone(),
    };
    argv.iter()
        .try_for_each(|word| refuse_nul("command", word))?;
    Ok((!argv.is_empty()).then_some(argv))
}

/// Reads `entrypoint`. An empty one takes the image's away, for which the engine wants one empty word.
pub(super) fn read_entrypoint(words: &Words) -> Result<Vec<String>, SpecError> {
    let argv = match words {
        Words::One(program) => vec![program.clone()],
        Words::List(argv) if argv.is_empty() => vec![String::new()],
        Words::List(argv) => argv.clone(),
    };
    argv.iter()
        .try_for_each(|word| refuse_nul("entrypoint", word))?;
    Ok(argv)
}
