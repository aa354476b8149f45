//! What a program reads from its standard input.
#![forbid(unsafe_code)]

use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ChildStdin;
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

use crate::limits;
use crate::sys::child::set_nonblocking;
use crate::sys::poll::{Interest, wait_any};

/// Writes a program's input, of any size, as it can take it. It runs in a thread of its own; where it waits for
/// something besides the program, that wait needs a deadline of its own. Once the program reads no more, writes fail
/// with `BrokenPipe`: give up then, the program's own words count.
pub type Produce<'i> = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'i>;

/// What a program reads from its standard input.
#[derive(Default)]
pub enum Stdin<'i> {
    /// Nothing at all: /dev/null.
    #[default]
    Nothing,
    /// These bytes, then the end.
    Bytes(&'i [u8]),
    /// Whatever this writes, then the end. Where it fails the program is ended: it must not take the part for the whole.
    Producer(Produce<'i>),
}

/// The writing end of the program's input in a producer's hands.
struct Feed {
    pipe: ChildStdin,
    /// Hangs up when nobody needs the input any more.
    cancelled: PipeReader,
    patience: Duration,
    is_broken: bool,
}

impl Feed {
    fn attempt(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.pipe.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait()?,
                result => return result,
            }
        }
    }

    fn wait(&self) -> io::Result<()> {
        let pipe = Some((self.pipe.as_fd(), Interest::Write));
        let cancelled = Some((self.cancelled.as_fd(), Interest::Hangup));
        match wait_any([pipe, cancelled], self.patience)? {
            [true, false] => Ok(()),
            _ => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }
}

impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.attempt(bytes);
        self.is_broken |= result.is_err();
        result
    }

    /// Fails when nobody needs the input any more.
    fn flush(&mut self) -> io::Result<()> {
        let [is_cancelled] = wait_any(
            [Some((self.cancelled.as_fd(), Interest::Hangup))],
            Duration::ZERO,
        )?;
        if is_cancelled {
            self.is_broken = true;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }
}

/// A producer at work in its thread.
pub(super) struct Producer<'scope> {
    thread: ScopedJoinHandle<'scope, (io::Result<()>, Feed)>,
    /// Hangs up when the producer has finished.
    finished: PipeReader,
    /// Dropped, it wakes a producer that waits for the program.
    cancel: PipeWriter,
}

impl<'scope> Producer<'scope> {
    /// Lets `produce` write into `pipe`, waiting at most `patience` each time.
    pub(super) fn start<'i: 'scope>(
        scope: &'scope Scope<'scope, '_>,
        produce: Produce<'i>,
        pipe: ChildStdin,
        patience: Duration,
    ) -> io::Result<Self> {
        set_nonblocking(pipe.as_fd())?;
        let (cancelled, cancel) = io::pipe()?;
        let (finished, finish) = io::pipe()?;
        let mut feed = Feed {
            pipe,
            cancelled,
            patience,
            is_broken: false,
        };
        let work = move || {
            // The pipe must outlive a panic too: its end would tell the program that this was all.
            let produced = catch_unwind(AssertUnwindSafe(|| produce(&mut feed)));
            drop(finish);
            let panicked = |_| Err(io::Error::other("the producer panicked"));
            (produced.unwrap_or_else(panicked), feed)
        };
        let thread = Builder::new()
            .name("feed".to_owned())
            .stack_size(limits::WORKER_STACK_BYTES)
            .spawn_scoped(scope, work)?;
        Ok(Self {
            thread,
            finished,
            cancel,
        })
    }

    /// What hangs up when the producer has finished.
    pub(super) fn finished(&self) -> &PipeReader {
        &self.finished
    }

    /// Takes a finished producer apart: its own failure, together with the pipe, which is to be closed after the
    /// program was ended and not before.
    pub(super) fn outcome(self) -> Result<(), (io::Error, Option<ChildStdin>)> {
        drop(self.cancel);
        match self.thread.join() {
            Ok((Err(error), feed)) if !feed.is_broken => Err((error, Some(feed.pipe))),
            Ok(_) => Ok(()),
            Err(_) => Err((io::Error::other("the producer panicked"), None)),
        }
    }
}
