//! Moves bytes between a running program and us until it ends, or has to. One poll for all of it: a program that writes
//! while it does not read, or the other way round, cannot block us.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use super::feed::Producer;
use super::group::Group;
use super::{Check, Exit, Stream, Taker};
use crate::limits;
use crate::sys::child::set_nonblocking;
use crate::sys::poll::{Interest, wait_any};

/// Why a program has to end before it does so by itself.
pub(super) enum Stop {
    Deadline,
    Abandoned,
    /// With the pipe, to be closed after the program's end.
    Producer(io::Error, Option<ChildStdin>),
    Taker(io::Error),
    Check(io::Error),
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What is asked now and then while a program runs.
pub(super) struct Checking<'c> {
    pause: Duration,
    next: Instant,
    check: &'c mut Check<'c>,
}

impl<'c> Checking<'c> {
    /// Asks `check` every `pause`.
    pub(super) fn new(pause: Duration, check: &'c mut Check<'c>) -> Self {
        let next = Instant::now() + pause;
        Self { pause, next, check }
    }

    fn ask(&mut self) -> Result<(), Stop> {
        if Instant::now() < self.next {
            return Ok(());
        }
        self.next = Instant::now() + self.pause;
        (self.check)().map_err(Stop::Check)
    }
}

/// A running program and what is to be done with it.
pub(super) struct Pump<'p, 'scope> {
    pub(super) group: Group,
    pub(super) input: Option<(ChildStdin, &'p [u8])>,
    pub(super) producer: Option<Producer<'scope>>,
    pub(super) client: Option<BorrowedFd<'p>>,
    pub(super) check: Option<Checking<'p>>,
    pub(super) until: Instant,
    out: Pipes,
    buffer: Vec<u8>,
}

struct Pipes {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl<'p> Pump<'p, '_> {
    pub(super) fn new(mut group: Group, until: Instant) -> io::Result<Self> {
        let out = Pipes {
            stdout: group.leader().stdout.take(),
            stderr: group.leader().stderr.take(),
        };
        for pipe in out.descriptors().into_iter().flatten() {
            set_nonblocking(pipe)?;
        }
        Ok(Self {
            group,
            input: None,
            producer: None,
            client: None,
            check: None,
            until,
            out,
            buffer: vec![0; limits::STREAM_BUFFER_BYTES],
        })
    }

    /// Feeds it with `bytes`.
    pub(super) fn feed(&mut self, pipe: ChildStdin, bytes: &'p [u8]) -> io::Result<()> {
        set_nonblocking(pipe.as_fd())?;
        self.input = Some((pipe, bytes));
        Ok(())
    }

    /// Works until the program has ended, and all that it left behind.
    pub(super) fn run(mut self, take: &mut Taker<'_>) -> Result<Exit, Stop> {
        if let Err(stop) = self.until_end(take) {
            self.stop(matches!(stop, Stop::Deadline), take);
            return Err(stop);
        }
        self.group.kill();
        let rest = self.rest(take);
        let exit = self.group.reap()?;
        rest.map(|()| exit)
    }

    fn until_end(&mut self, take: &mut Taker<'_>) -> Result<(), Stop> {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Stop::Deadline);
            }
            if let Some(checking) = &mut self.check {
                checking.ask()?;
            }
            let ready = self.wait(self.until_check(left))?;
            if ready.client {
                return Err(Stop::Abandoned);
            }
            self.read(ready.stdout, ready.stderr, take)?;
            if ready.input {
                self.write()?;
            }
            if ready.producer {
                self.end_producer()?;
            }
            if ready.ended {
                return Ok(());
            }
        }
    }

    /// How long to wait, of the time that is left.
    fn until_check(&self, left: Duration) -> Duration {
        self.check.as_ref().map_or(left, |checking| {
            left.min(checking.next.saturating_duration_since(Instant::now()))
        })
    }

    fn wait(&self, timeout: Duration) -> io::Result<Ready> {
        let [stdout, stderr] = self.out.descriptors();
        let input = self.input.as_ref().map(|(pipe, _)| pipe.as_fd());
        let producer = self.producer.as_ref().map(|one| one.finished().as_fd());
        let ready = wait_any(
            [
                stdout.map(|fd| (fd, Interest::Read)),
                stderr.map(|fd| (fd, Interest::Read)),
                input.map(|fd| (fd, Interest::Write)),
                producer.map(|fd| (fd, Interest::Hangup)),
                self.client.map(|fd| (fd, Interest::Hangup)),
                Some((self.group.ended(), Interest::Read)),
            ],
            timeout,
        )?;
        let [stdout, stderr, input, producer, client, ended] = ready;
        Ok(Ready {
            stdout,
            stderr,
            input,
            producer,
            client,
            ended,
        })
    }

    /// Reads once from each stream that is ready; how many bytes came.
    fn read(&mut self, stdout: bool, stderr: bool, take: &mut Taker<'_>) -> Result<usize, Stop> {
        let mut count = 0;
        if stdout {
            let from = &mut self.out.stdout;
            count += read_once(from, &mut self.buffer, Stream::Stdout, take)?;
        }
        if stderr {
            let from = &mut self.out.stderr;
            count += read_once(from, &mut self.buffer, Stream::Stderr, take)?;
        }
        Ok(count)
    }

    /// Writes what the pipe takes. A program that reads no more still has its say.
    fn write(&mut self) -> io::Result<()> {
        let Some((pipe, bytes)) = &mut self.input else {
            return Ok(());
        };
        match pipe.write(bytes) {
            Ok(count) => *bytes = &bytes[count..],
            Err(error) if is_momentary(&error) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => *bytes = &[],
            Err(error) => return Err(error),
        }
        if bytes.is_empty() {
            self.input = None;
        }
        Ok(())
    }

    fn end_producer(&mut self) -> Result<(), Stop> {
        match self.producer.take().map(Producer::outcome) {
            Some(Err((error, pipe))) => Err(Stop::Producer(error, pipe)),
            _ => Ok(()),
        }
    }

    /// What stands in the pipes when the program has ended. Not until their end: a daemon may hold them open.
    fn rest(&mut self, take: &mut Taker<'_>) -> Result<(), Stop> {
        let mut count = 0;
        while count < limits::PROGRAM_REST_BYTES {
            match self.read(true, true, take)? {
                0 => break,
                more => count += more,
            }
        }
        Ok(())
    }

    /// Ends it: SIGTERM, a little time to clean up, SIGKILL. Where its words are still wanted they are taken.
    fn stop(&mut self, has_say: bool, take: &mut Taker<'_>) {
        self.group.ask();
        self.client = None;
        self.check = None;
        self.until = Instant::now() + limits::PROGRAM_GRACE;
        let nobody: &mut Taker<'_> = &mut |_, _| Ok(());
        let take = if has_say { take } else { nobody };
        // The reason for the stop is known; what goes wrong now is not another one.
        let _ = self.until_end(take);
        self.group.kill();
        let _ = self.rest(take);
    }
}

/// What a wait found.
struct Ready {
    stdout: bool,
    stderr: bool,
    input: bool,
    producer: bool,
    client: bool,
    ended: bool,
}

impl Pipes {
    fn descriptors(&self) -> [Option<BorrowedFd<'_>>; 2] {
        let stdout = self.stdout.as_ref().map(AsFd::as_fd);
        [stdout, self.stderr.as_ref().map(AsFd::as_fd)]
    }
}

/// Reads once and hands it on; 0 when nothing is there. At its end the pipe is closed.
fn read_once(
    from: &mut Option<impl Read>,
    buffer: &mut [u8],
    stream: Stream,
    take: &mut Taker<'_>,
) -> Result<usize, Stop> {
    let Some(pipe) = from else {
        return Ok(0);
    };
    match pipe.read(buffer) {
        Ok(0) => *from = None,
        Ok(count) => {
            take(stream, &buffer[..count]).map_err(Stop::Taker)?;
            return Ok(count);
        }
        Err(error) if is_momentary(&error) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(0)
}

fn is_momentary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
