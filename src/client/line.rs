//! The connection under ureq: plain TCP, with three things that ureq's own does not have.
//!
//! - An answer that comes while a body is still being sent (413, 507, 401) ends the sending and is read, instead of
//!   being lost to the reset that follows it.
//! - The end of an answer is kept, for the trailer that carries the exit code of `exec`; ureq drops trailers.
//! - A wait ends with ctrl-C where the command has something to put away first, and after a silence of its own length.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use crate::limits;
use crate::sys::poll::{self, Interest};
use crate::sys::signal::Signals;
use crate::sys::socket;

/// What a request and its connection tell each other.
#[derive(Default)]
pub(super) struct Line {
    state: Mutex<State>,
    /// The agent said something, or went away, while a body was being sent.
    is_answered: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The last bytes that came.
    tail: Vec<u8>,
    /// How long the agent may be silent.
    silence: Option<Duration>,
    /// Where ctrl-C arrives, if it is not to end the program at once.
    signals: Option<Signals>,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a request: the agent may be silent for so long.
    pub(super) fn begin(&self, silence: Duration) {
        self.is_answered.store(false, Ordering::Relaxed);
        let mut state = self.state();
        state.tail.clear();
        state.silence = Some(silence);
    }

    /// From now on ctrl-C ends the wait for bytes instead of the program.
    pub(super) fn catch_signals(&self) -> io::Result<()> {
        self.state().signals = Some(Signals::block()?);
        Ok(())
    }

    /// Whether nobody wants the rest of the body.
    pub(super) fn is_answered(&self) -> bool {
        self.is_answered.load(Ordering::Relaxed)
    }

    /// The trailer `name` of the answer that was read to its end.
    pub(super) fn trailer(&self, name: &str) -> Option<String> {
        let state = self.state();
        let text = String::from_utf8_lossy(&state.tail);
        let (_, trailers) = text.rsplit_once("\r\n0\r\n")?;
        let mut lines = trailers
            .split("\r\n")
            .filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.trim().to_owned())
    }

    fn remember(&self, bytes: &[u8]) {
        let tail = &mut self.state().tail;
        tail.extend_from_slice(bytes);
        let over = tail.len().saturating_sub(limits::CLIENT_TAIL_BYTES);
        tail.drain(..over);
    }

    /// Waits for bytes, for ctrl-C, or until the agent was silent for too long.
    fn wait(&self, stream: &TcpStream) -> io::Result<()> {
        let mut state = self.state();
        let silence = state.silence.unwrap_or(limits::CLIENT_SILENCE);
        let signals = state
            .signals
            .as_ref()
            .map(|signals| (signals.as_fd(), Interest::Read));
        let watched = [Some((stream.as_fd(), Interest::Read)), signals];
        match poll::wait_any(watched, silence)? {
            [_, true] if state.signals.as_mut().and_then(Signals::take).is_some() => {
                Err(io::ErrorKind::Interrupted.into())
            }
            [false, false] => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no word for {} s", silence.as_secs()),
            )),
            _ => Ok(()),
        }
    }
}

/// Makes the connections.
pub(super) struct Dialer(pub(super) Arc<Line>);

impl Connector for Dialer {
    type Out = Socket;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for address in &details.addrs {
            match TcpStream::connect_timeout(address, limits::CLIENT_CONNECT) {
                Ok(stream) => return Ok(Some(Socket::new(stream, &self.0)?)),
                Err(error) => failure = error,
            }
        }
        Err(failure.into())
    }
}

/// A connection.
pub(super) struct Socket {
    stream: TcpStream,
    line: Arc<Line>,
    buffers: LazyBuffers,
    /// Whether the head of the request has left.
    is_body: bool,
}

impl Socket {
    fn new(stream: TcpStream, line: &Arc<Line>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        socket::keep_alive(stream.as_fd())?;
        stream.set_write_timeout(Some(limits::CLIENT_SILENCE))?;
        let size = limits::STREAM_BUFFER_BYTES;
        Ok(Self {
            stream,
            line: Arc::clone(line),
            buffers: LazyBuffers::new(size, size),
            is_body: false,
        })
    }

    fn has_word(&self) -> bool {
        let watched = [Some((self.stream.as_fd(), Interest::Read))];
        matches!(poll::wait_any(watched, Duration::ZERO), Ok([true]))
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        if self.is_body && self.has_word() {
            self.line.is_answered.store(true, Ordering::Relaxed);
        }
        if self.line.is_answered() {
            // What is left of the body goes nowhere.
            return Ok(());
        }
        self.is_body = true;
        match self.stream.write_all(&self.buffers.output()[..amount]) {
            Err(error) if is_broken(&error) => {
                self.line.is_answered.store(true, Ordering::Relaxed);
                Ok(())
            }
            sent => Ok(sent?),
        }
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.line.wait(&self.stream)?;
        let place = self.buffers.input_append_buf();
        let count = self.stream.read(place)?;
        self.line.remember(&place[..count]);
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        // Every request has a connection of its own.
        false
    }
}

fn is_broken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

impl fmt::Debug for Dialer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Dialer")
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Socket")
    }
}
