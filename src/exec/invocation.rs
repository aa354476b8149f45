//! One run of a program: what it gets, how long it may take, for whom it runs.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::feed::Producer;
use super::group::Group;
use super::pump::{Checking, Pump, Stop};
use super::{ExecError, Exit, Output, Program, Stdin, Stream};
use crate::sys::child;

/// Takes output as it comes. An error ends the program.
pub type Taker<'t> = dyn FnMut(Stream, &[u8]) -> io::Result<()> + 't;

/// Looks whether a program may go on. An error ends it.
pub type Check<'c> = dyn FnMut() -> io::Result<()> + 'c;

/// A program that ran to its end.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub exit: Exit,
    /// What it printed.
    pub output: Output,
}

/// A run to be made. Without further words: no arguments, no input, `/` as the directory, and an environment of `PATH`
/// and `LANG=C` alone.
pub struct Invocation<'i> {
    program: &'i Program,
    command: Command,
    stdin: Stdin<'i>,
    deadline: Duration,
    client: Option<BorrowedFd<'i>>,
    check: Option<(Duration, &'i mut Check<'i>)>,
}

impl<'i> Invocation<'i> {
    /// A run of `program` that may take as long as `deadline`.
    pub fn new(program: &'i Program, deadline: Duration) -> Self {
        let mut command = Command::new(program.file());
        command
            .env_clear()
            .env("PATH", program.search())
            .env("LANG", "C")
            .current_dir("/")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            program,
            command,
            stdin: Stdin::Nothing,
            deadline,
            client: None,
            check: None,
        }
    }

    /// The same, with these arguments. Whoever can look at /proc sees them: no secrets.
    #[must_use]
    pub fn arguments<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// The same, with this variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The same, in this directory.
    #[must_use]
    pub fn in_directory(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// The same, in the directory behind this descriptor, which it sees as `stand_in` where the system lets it: see
    /// [`child::start_in`]. It ends when the agent does, however that ends, and before the agent when memory runs out.
    pub fn inside(mut self, directory: OwnedFd, stand_in: &Path) -> io::Result<Self> {
        child::start_in(&mut self.command, directory, stand_in)?;
        child::end_with_parent(&mut self.command);
        child::offer_to_oom_killer(&mut self.command);
        Ok(self)
    }

    /// The same, ended when `check`, asked every `pause`, fails.
    #[must_use]
    pub fn checking(mut self, pause: Duration, check: &'i mut Check<'i>) -> Self {
        self.check = Some((pause, check));
        self
    }

    /// The same, with this to read.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin<'i>) -> Self {
        self.stdin = stdin;
        self
    }

    /// The same, given up when the client behind this socket goes away.
    #[must_use]
    pub fn watching(mut self, client: Option<BorrowedFd<'i>>) -> Self {
        self.client = client;
        self
    }

    /// Runs it and keeps the beginning and the end of what it prints.
    pub fn run(self) -> Result<Finished, ExecError> {
        let mut kept = Output::default();
        let mut keep = |stream, bytes: &[u8]| {
            kept.take(stream, bytes);
            Ok(())
        };
        match self.stream(&mut keep) {
            Ok(exit) => Ok(Finished { exit, output: kept }),
            Err(ExecError::Deadline { program, after, .. }) => Err(ExecError::Deadline {
                program,
                after,
                output: Box::new(kept),
            }),
            Err(error) => Err(error),
        }
    }

    /// Runs it and hands on what it prints as it comes. `take` must not block for ever: the deadline waits for it.
    pub fn stream(mut self, take: &mut Taker<'_>) -> Result<Exit, ExecError> {
        let (program, after) = (self.program.name().to_owned(), self.deadline);
        let until = Instant::now() + after;
        self.command.stdin(match &self.stdin {
            Stdin::Nothing => Stdio::null(),
            Stdin::Bytes(_) | Stdin::Producer(_) => Stdio::piped(),
        });
        let group = match Group::start(&mut self.command) {
            Ok(group) => group,
            // Removed since it was found. A missing directory looks the same.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && !self.program.file().exists() =>
            {
                return Err(ExecError::NotFound { program });
            }
            Err(source) => return Err(ExecError::Spawn { program, source }),
        };
        self.work(group, until, take).map_err(|stop| match stop {
            Stop::Deadline => ExecError::Deadline {
                program,
                after,
                output: Box::default(),
            },
            Stop::Abandoned => ExecError::Abandoned,
            // The group is gone by now, and the pipe may be closed.
            Stop::Producer(error, _pipe) => ExecError::Producer(error),
            Stop::Taker(error) => ExecError::Taker(error),
            Stop::Check(error) => ExecError::Check(error),
            Stop::Io(source) => ExecError::Io { program, source },
        })
    }

    fn work(self, mut group: Group, until: Instant, take: &mut Taker<'_>) -> Result<Exit, Stop> {
        let pipe = group.leader().stdin.take();
        thread::scope(|scope| {
            let mut pump = Pump::new(group, until)?;
            pump.client = self.client;
            pump.check = self.check.map(|(pause, check)| Checking::new(pause, check));
            match (self.stdin, pipe) {
                (Stdin::Bytes(bytes), Some(pipe)) => pump.feed(pipe, bytes)?,
                (Stdin::Producer(produce), Some(pipe)) => {
                    let producer = Producer::start(scope, produce, pipe, self.deadline)?;
                    pump.producer = Some(producer);
                }
                _ => {}
            }
            pump.run(take)
        })
    }
}
