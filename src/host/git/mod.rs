//! Cloning with the system's git: no shell, no prompt, no configuration but what is said here, no hook, no form of
//! address but those of [`address`], also in submodules and redirects. Credentials go by [`login`].
//!
//! git works in a directory that nobody but root can enter, by a path on which nobody but root can rename anything (see
//! [`Invocation::inside`]). What a repository brings (links that lead out, names like `.git`) git stores or refuses by
//! its own rules; nothing of it is run or followed here. `transfer.fsckObjects` stays off: it refuses many an old
//! repository for a sloppy date or mode, and git checks by itself what can be dangerous in a checkout.
#![forbid(unsafe_code)]

pub mod address;
pub mod branch;
mod error;
mod failure;
pub mod login;
mod reach;

use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

pub use error::{CloneFailure, GitError};
pub use failure::Failure;

use super::tool::{self, Tool};
use crate::exec::{ExecError, Finished, Invocation, Program};
use crate::limits;
use crate::store::fresh::Workplace;
use crate::store::space::NoRoom;
use crate::sys::process;
use address::{Address, Scheme};
use login::{Login, SUBCOMMAND};

/// The program.
pub const GIT: Tool = Tool {
    name: "git",
    package: "git",
};
/// The program for ssh addresses.
const SSH: Tool = Tool {
    name: "ssh",
    package: "openssh-client",
};

/// What git is to run for ssh; git hands this to a shell, so it is the same text for every address. Host keys: one that
/// was never seen is taken and remembered, one that differs from what is remembered is refused; asking is impossible,
/// and nobody logs in beforehand to answer. A silent server is given up after a minute. ssh_config(5)
const SSH_COMMAND: &str = "ssh -oBatchMode=yes -oStrictHostKeyChecking=accept-new -oConnectTimeout=10 \
                           -oServerAliveInterval=15 -oServerAliveCountMax=4";

/// What a clone is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Of what.
    pub address: &'a Address,
    /// With what name and password.
    pub login: &'a Login,
    /// The branch or tag that is checked out; the repository's own choice otherwise. One that [`branch::check`] passed.
    pub branch: Option<&'a str>,
    /// How many commits of history; all of them otherwise.
    pub depth: Option<NonZeroU32>,
    /// With its submodules, and theirs.
    pub is_recursive: bool,
}

/// What was checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The branch; none for a tag.
    pub branch: Option<String>,
    /// The full hash of its commit; none in an empty repository.
    pub commit: Option<String>,
}

/// Clones into `workplace`, which is empty. When the client goes away, git is ended.
pub fn clone(
    workplace: &Workplace<'_>,
    wish: &Wish<'_>,
    client: BorrowedFd<'_>,
) -> Result<Checkout, GitError> {
    let git = GIT.find().map_err(GitError::Tool)?;
    if wish.address.scheme == Scheme::Ssh {
        SSH.find().map_err(GitError::Tool)?;
    }
    reach::check(wish.address)?;
    let finished = run(&git, workplace, wish, client)?;
    if !finished.exit.is_success() {
        return Err(failed(workplace, wish, &finished));
    }
    Ok(Checkout {
        branch: branch_of(&git, workplace)?,
        commit: commit_of(&git, workplace)?,
    })
}

fn run(
    git: &Program,
    workplace: &Workplace<'_>,
    wish: &Wish<'_>,
    client: BorrowedFd<'_>,
) -> Result<Finished, GitError> {
    let mut invocation = prepared(git, workplace, limits::GIT_CLONE)?
        .arguments(settings(wish))
        .arguments(arguments(wish))
        .watching(Some(client));
    if !wish.login.is_empty() {
        for (name, value) in wish.login.variables(&wish.address.origin()) {
            invocation = invocation.variable(name, value);
        }
    }
    let mut check = || workplace.check_room().map_err(io::Error::other);
    let run = invocation
        .checking(limits::GIT_ROOM_CHECK, &mut check)
        .run();
    run.map_err(|error| not_run(wish, error))
}

/// A run of git that nothing on this machine has a say in.
fn prepared<'i>(
    git: &'i Program,
    workplace: &Workplace<'_>,
    deadline: Duration,
) -> Result<Invocation<'i>, GitError> {
    let directory = workplace.as_fd().try_clone_to_owned();
    let inside = directory
        .and_then(|directory| Invocation::new(git, deadline).inside(directory, workplace.state));
    let invocation = inside.map_err(GitError::Io)?;
    Ok([
        // Where nothing is. ssh does not look at it: root's own keys and known hosts are used.
        ("HOME", "/nonexistent"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        // Of submodules and redirects too; without it git takes `file` and, from the command line, `ext`.
        ("GIT_ALLOW_PROTOCOL", "http:https:ssh:git"),
        ("GIT_SSH_COMMAND", SSH_COMMAND),
        ("GIT_SSH_VARIANT", "ssh"),
    ]
    .into_iter()
    .fold(invocation, |invocation, (name, value)| {
        invocation.variable(name, value)
    }))
}

/// For this run and those of its submodules; none of it is written into the repository's configuration.
fn settings(wish: &Wish<'_>) -> Vec<String> {
    let (bytes, seconds) = (limits::GIT_SLOW_BYTES, limits::GIT_SLOW.as_secs());
    let mut settings = vec![
        "core.hooksPath=/dev/null".to_owned(),
        "init.templateDir=".to_owned(),
        "credential.helper=".to_owned(),
        // The fetch of a submodule's commit would start `git maintenance` in a session of its own, which is ended by
        // nobody: a repository can be made so that it runs, and works on the clone after the answer (2.47, seen).
        "maintenance.auto=false".to_owned(),
        "http.followRedirects=initial".to_owned(),
        format!("http.lowSpeedLimit={bytes}"),
        format!("http.lowSpeedTime={seconds}"),
    ];
    if !wish.login.is_empty() {
        // The running program, also when its file was replaced or removed meanwhile. git runs it through a shell, and
        // so it is this text and nothing else.
        let helper = format!("/proc/{}/exe {SUBCOMMAND}", process::id());
        settings.push(format!("credential.helper={helper}"));
    }
    let pairs = settings.into_iter();
    pairs
        .flat_map(|setting| ["-c".to_owned(), setting])
        .collect()
}

fn arguments(wish: &Wish<'_>) -> Vec<String> {
    let mut arguments = vec![
        "clone".to_owned(),
        "--quiet".to_owned(),
        "--no-local".to_owned(),
        "--template=".to_owned(),
    ];
    if let Some(branch) = wish.branch {
        arguments.push(format!("--branch={branch}"));
    }
    if let Some(depth) = wish.depth {
        arguments.push(format!("--depth={depth}"));
    }
    if wish.is_recursive {
        arguments.push("--recurse-submodules".to_owned());
    }
    arguments.extend(["--".to_owned(), wish.address.to_string(), ".".to_owned()]);
    arguments
}

fn not_run(wish: &Wish<'_>, error: ExecError) -> GitError {
    match error {
        ExecError::Check(error) => match error.downcast::<NoRoom>() {
            Ok(shortage) => GitError::NoRoom(shortage),
            Err(error) => GitError::Io(error),
        },
        ExecError::Deadline { after, output, .. } => GitError::TooLong {
            after,
            words: wish.login.hide_in(output.stderr.text().trim()),
        },
        error => GitError::Tool(GIT.error(error)),
    }
}

fn failed(workplace: &Workplace<'_>, wish: &Wish<'_>, finished: &Finished) -> GitError {
    // ssh ends its lines as terminals want it.
    let said = tool::words(finished).replace("\r\n", "\n");
    // Before anything is hidden: a short password is a part of many a word.
    let failure = failure::classify(&said);
    let words = wish.login.hide_in(&said);
    // A checkout for which there is no room fails without a word of why.
    if let (Failure::Other, Err(shortage)) = (failure, workplace.check_room()) {
        return GitError::NoRoom(shortage);
    }
    GitError::Clone(CloneFailure {
        address: wish.address.to_string(),
        branch: wish.branch.map(str::to_owned),
        has_login: !wish.login.is_empty(),
        is_of_a_submodule: failure::is_of_a_submodule(&said),
        failure,
        exit: finished.exit,
        words,
    })
}

/// The branch that HEAD names.
fn branch_of(git: &Program, workplace: &Workplace<'_>) -> Result<Option<String>, GitError> {
    let name = ask(git, workplace, &["symbolic-ref", "--quiet", "HEAD"])?;
    Ok(name.map(|name| {
        let short = name.strip_prefix("refs/heads/");
        short.map_or(name.clone(), str::to_owned)
    }))
}

fn commit_of(git: &Program, workplace: &Workplace<'_>) -> Result<Option<String>, GitError> {
    let question = ["rev-parse", "--quiet", "--verify", "HEAD^{commit}"];
    ask(git, workplace, &question)
}

/// What git answers about the clone; nothing, when it says by exit code 1 that there is no such thing.
fn ask(
    git: &Program,
    workplace: &Workplace<'_>,
    question: &[&str],
) -> Result<Option<String>, GitError> {
    let asked = prepared(git, workplace, limits::GIT_QUESTION)?
        .arguments(question)
        .run();
    let finished = asked.map_err(|error| GitError::Tool(GIT.error(error)))?;
    match finished.exit {
        crate::exec::Exit::Code(0) => {
            let answer = finished.output.stdout.text();
            Ok(Some(answer.trim_end().to_owned()))
        }
        crate::exec::Exit::Code(1) => Ok(None),
        _ => Err(GitError::Tool(GIT.failed(&finished))),
    }
}
