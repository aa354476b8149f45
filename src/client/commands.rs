//! Every command of the program on one screen. Help, the shells' completions and the man page are made of this table.
#![forbid(unsafe_code)]

use super::failure::Failure;
use super::options::{self as o, Opt};
use super::session::Session;
use super::{build, call, containers, cron, exec, files, images, metrics, run, top, upload};

/// Who does a command.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// The client: asks an agent. Gives the exit code.
    Client(fn(&mut Session) -> Result<u8, Failure>),
    /// Prints something that is made of this table.
    Paper(fn(&[String]) -> Result<String, Failure>),
    /// The program itself, without any agent: `cli`.
    Program,
}

/// A command.
pub(super) struct Command {
    /// Its name; one of two words belongs to a group.
    pub(super) name: &'static str,
    /// What stands behind it, for people.
    pub(super) usage: &'static str,
    /// What it does, without a full stop.
    pub(super) summary: &'static str,
    /// Its own options.
    pub(super) options: &'static [Opt],
    /// The fewest and the most words behind it.
    pub(super) words: (usize, usize),
    /// After so many words everything is taken as it stands, options too.
    pub(super) rest_after: Option<usize>,
    /// Who does it.
    pub(super) work: Work,
}

use Work::{Client, Paper, Program};

/// So many words as anybody likes.
const MANY: usize = usize::MAX;

const fn command(
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    options: &'static [Opt],
    words: (usize, usize),
    work: Work,
) -> Command {
    Command {
        name,
        usage,
        summary,
        options,
        words,
        rest_after: None,
        work,
    }
}

impl Command {
    const fn taking_all_after(mut self, words: usize) -> Self {
        self.rest_after = Some(words);
        self
    }

    /// Whether it talks to an agent.
    pub(super) fn is_client(&self) -> bool {
        matches!(self.work, Client(_))
    }
}

/// Every command.
#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    command("serve", "[--dev]", "Run the agent", o::SERVE, (0, 0), Program),
    command("install", "[OPTIONS]", "Make this program a service of systemd, or bring the one that is there up to date", o::INSTALL, (0, 0), Program),
    command("upgrade", "[OPTIONS] FILE", "Exchange the service's program; the one before comes back when the new one does not serve", o::UPGRADE, (1, 1), Program),
    command("uninstall", "[--purge]", "Remove the service and the program", o::UNINSTALL, (0, 0), Program),
    command("doctor", "[--json]", "Look at everything that the agent needs; exit code 1 when something essential is wrong", o::NONE, (0, 0), Program),
    command("key", "", "Print the API key for a DO token, read from stdin or DO_TOKEN[_FILE]", o::NONE, (0, 0), Program),
    command("cron-run", "JOB", "Run a scheduled job of this machine now, as cron does", o::NONE, (1, 1), Program),
    command("config", "", "Print the agent's effective configuration, secrets masked", o::NONE, (0, 0), Program),
    command("ping", "", "Ask whether the agent is there and its engine answers", o::NONE, (0, 0), Client(containers::ping)),
    command("ps", "", "List the containers, stopped ones too", o::NONE, (0, 0), Client(containers::list)),
    command("run", "[OPTIONS] IMAGE [COMMAND…]", "Run a container", o::RUN, (1, MANY), Client(run::run)).taking_all_after(1),
    command("logs", "[OPTIONS] CONTAINER", "Print what a container has written", o::LOGS, (1, 1), Client(containers::logs)),
    command("exec", "[OPTIONS] CONTAINER COMMAND…", "Run a command in a container, and end with its exit code", o::EXEC, (2, MANY), Client(exec::exec)).taking_all_after(1),
    command("stop", "[--time SECONDS] CONTAINER…", "Stop containers", o::STOP, (1, MANY), Client(containers::stop)),
    command("start", "CONTAINER…", "Start containers that are stopped", o::NONE, (1, MANY), Client(containers::start)),
    command("restart", "[--time SECONDS] CONTAINER…", "Stop and start containers", o::STOP, (1, MANY), Client(containers::restart)),
    command("rm", "[--force] [--volumes] CONTAINER…", "Remove containers", o::REMOVE, (1, MANY), Client(containers::remove)),
    command("images", "[PREFIX]", "List the images, perhaps those of which a name begins so", o::NONE, (0, 1), Client(images::list)),
    command("pull", "[OPTIONS] IMAGE", "Pull an image from its registry", o::PULL, (1, 1), Client(images::pull)),
    command("push-image", "FILE|-", "Give the engine images: what docker save has written, from a file or standard input", o::NONE, (1, 1), Client(images::push)),
    command("build", "[OPTIONS] DIR", "Build an image of a directory here, without what its .dockerignore names", o::BUILD, (1, 1), Client(build::build)),
    command("upload", "[OPTIONS] DIR|FILE TARGET", "Bring a directory, a file or what is in an archive into a directory there, in chunks; goes on where it was broken off", o::UPLOAD, (2, 2), Client(upload::upload)),
    command("get", "PATH [FILE|DIR|-]", "Fetch a file", o::NONE, (1, 2), Client(files::get)),
    command("put", "[--mode MODE] FILE|- PATH", "Bring a file there", o::PUT, (2, 2), Client(files::put)),
    command("metrics", "[--prometheus]", "Print the machine's and the containers' figures", o::METRICS, (0, 0), Client(metrics::metrics)),
    command("top", "[--interval SECONDS] [--once]", "Show the containers' figures, live", o::TOP, (0, 0), Client(top::top)),
    command("cron list", "", "List the scheduled jobs", o::NONE, (0, 0), Client(cron::list)),
    command("cron add", "[OPTIONS] SCHEDULE IMAGE [COMMAND…]", "Run a container at the times of a cron schedule", o::CRON_ADD, (2, MANY), Client(cron::add)).taking_all_after(2),
    command("cron rm", "JOB…", "Remove scheduled jobs", o::NONE, (1, MANY), Client(cron::remove)),
    command("call", "[OPTIONS] METHOD PATH", "Send any other request, and print the answer", o::CALL, (2, 2), Client(call::call)),
    command("completions", "bash|zsh|fish", "Print the completions for a shell", o::NONE, (1, 1), Paper(super::completions::completions)),
    command("man", "", "Print the manual page", o::NONE, (0, 0), Paper(|_| Ok(super::manual::manual()))),
];

/// The command that `words` begin with, and how many of them name it.
pub(super) fn find(words: &[&str]) -> Option<(&'static Command, usize)> {
    let first = words.first()?;
    let named = |name: &str, parts: usize| {
        let mut given = words.iter().take(parts);
        name.split(' ').count() == parts && name.split(' ').all(|part| given.next() == Some(&part))
    };
    let find = |parts| COMMANDS.iter().find(|command| named(command.name, parts));
    let of_two = find(2).map(|command| (command, 2));
    of_two
        .or_else(|| Some((find(1)?, 1)))
        .filter(|_| !first.is_empty())
}

/// The full names of the group `first`.
pub(super) fn group(first: &str) -> Vec<&'static str> {
    let names = COMMANDS.iter().map(|command| command.name);
    let of_group = |name: &&str| {
        name.split_once(' ')
            .is_some_and(|(group, _)| group == first)
    };
    names.filter(of_group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_and_no_option_stands_twice() {
        for command in COMMANDS {
            let same = COMMANDS.iter().filter(|other| other.name == command.name);
            assert_eq!(same.count(), 1, "{}", command.name);
            let global = if command.is_client() { o::GLOBAL } else { &[] };
            let options = || command.options.iter().chain(global);
            for option in options() {
                assert_eq!(
                    options().filter(|other| other.long == option.long).count(),
                    1
                );
                let letters =
                    options().filter(|other| option.short.is_some() && other.short == option.short);
                assert!(
                    letters.count() <= 1,
                    "-{:?} of {}",
                    option.short,
                    command.name
                );
            }
        }
    }

    #[test]
    fn groups_take_two_words() {
        let name = |words: &[&str]| find(words).map(|(command, count)| (command.name, count));
        assert_eq!(name(&["cron", "list"]), Some(("cron list", 2)));
        assert_eq!(name(&["ps", "list"]), Some(("ps", 1)));
        assert_eq!(name(&["cron"]), None);
        assert_eq!(name(&[""]), None);
        assert_eq!(group("cron"), ["cron list", "cron add", "cron rm"]);
        assert!(group("ps").is_empty());
    }
}
