//! One request to the engine over its unix socket, and the answer. A connection each: the engine's socket is local and
//! cheap, and a connection that is never used twice cannot be out of step.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::EngineError;
use super::error::broken_off;
use crate::limits;
use crate::sys::{socket, timed::Timed};
use crate::wire::scan::HeadScan;
use crate::wire::{BodyReader, Framing, ResponseHead};

/// How long a call may take, and for whom it is made.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'w> {
    /// From the request to the first byte of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// The client for whom it is done: when it goes away the call ends.
    pub client: Option<BorrowedFd<'w>>,
}

impl Default for Patience<'_> {
    fn default() -> Self {
        Self {
            first_byte: limits::ENGINE_FIRST_BYTE,
            idle: limits::ENGINE_IDLE,
            client: None,
        }
    }
}

/// A request to the engine.
#[derive(Debug)]
pub(super) struct Call<'c> {
    pub(super) method: &'static str,
    /// Path and query, version included.
    pub(super) path: &'c str,
    /// What goes with it.
    pub(super) body: Body<'c>,
    /// Further headers.
    pub(super) headers: &'c [(&'static str, String)],
    /// Whether the connection becomes a raw stream (`Upgrade: tcp`).
    pub(super) hijack: bool,
}

/// The body of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'c> {
    /// None.
    Nothing,
    /// JSON that is all there.
    Json(&'c [u8]),
    /// Bytes that follow while they are made; their number, when it is known.
    Following {
        /// Their media type.
        content_type: &'static str,
        /// `None`: in chunks.
        length: Option<u64>,
    },
}

/// The engine's answer: its head, and its body still to be read.
pub struct Answer<'w> {
    /// The head.
    pub head: ResponseHead,
    body: BodyReader<Timed<'w, UnixStream>>,
    socket: PathBuf,
    call: String,
    idle: Duration,
}

impl Call<'_> {
    /// What it is, for messages: no query, which may be long.
    fn name(&self) -> String {
        format!(
            "{} {}",
            self.method,
            self.path.split('?').next().unwrap_or_default()
        )
    }

    /// Sends it and reads the head of the answer.
    pub(super) fn send<'w>(
        &self,
        socket: &Path,
        patience: Patience<'w>,
    ) -> Result<Answer<'w>, EngineError> {
        let line = Line {
            socket: socket.to_owned(),
            call: self.name(),
            patience,
        };
        let mut stream = line.open()?;
        let bytes = match self.body {
            Body::Json(text) => [&self.encode(), text].concat(),
            Body::Nothing | Body::Following { .. } => self.encode(),
        };
        match stream.write_all(&bytes) {
            Err(error) if !may_have_answered(&error, &stream) => {
                return Err(line.failed(error, patience.first_byte));
            }
            _ => {}
        }
        line.answer(stream, &[], self.method == "HEAD", self.hijack)
    }

    /// Sends its head; the body is to follow.
    pub(super) fn begin<'w>(
        &self,
        socket: &Path,
        patience: Patience<'w>,
    ) -> Result<(Timed<'w, UnixStream>, Line<'w>), EngineError> {
        let line = Line {
            socket: socket.to_owned(),
            call: self.name(),
            patience,
        };
        let mut stream = line.open()?;
        stream.set_timeout(limits::ENGINE_WORK);
        stream
            .write_all(&self.encode())
            .map_err(|error| line.failed(error, limits::ENGINE_WORK))?;
        Ok((stream, line))
    }

    fn encode(&self) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: docker\r\nUser-Agent: node-agent\r\n",
            self.method, self.path
        );
        for (name, value) in self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        if self.hijack {
            text.push_str("Connection: Upgrade\r\nUpgrade: tcp\r\n");
        }
        // A body without its type is a 400.
        let (content_type, length) = match self.body {
            Body::Nothing => ("", (self.method == "POST").then_some(0)),
            Body::Json(body) => ("application/json", Some(body.len() as u64)),
            Body::Following {
                content_type,
                length,
            } => (content_type, length),
        };
        if !content_type.is_empty() {
            text.extend(["Content-Type: ", content_type, "\r\n"]);
        }
        match (length, self.body) {
            (Some(length), _) => {
                text.extend(["Content-Length: ", &length.to_string(), "\r\n"]);
            }
            (None, Body::Following { .. }) => text.push_str("Transfer-Encoding: chunked\r\n"),
            (None, _) => {}
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// What is known of a call while its answer is awaited.
pub(super) struct Line<'w> {
    pub(super) socket: PathBuf,
    pub(super) call: String,
    pub(super) patience: Patience<'w>,
}

impl<'w> Line<'w> {
    fn open(&self) -> Result<Timed<'w, UnixStream>, EngineError> {
        let stream = socket::connect_unix(&self.socket, limits::ENGINE_CONNECT)
            .map_err(|error| self.failed(error, limits::ENGINE_CONNECT))?;
        Ok(Timed::new(stream, self.patience.first_byte).watching(self.patience.client))
    }

    /// The same call with another patience.
    pub(super) fn with_patience(self, patience: Patience<'w>) -> Self {
        Self { patience, ..self }
    }

    /// What a failed read or write means.
    pub(super) fn failed(&self, error: io::Error, after: Duration) -> EngineError {
        EngineError::from_io(error, &self.socket, &self.call, after)
    }

    /// Reads the head of the answer, which begins with what was `heard` already.
    pub(super) fn answer(
        self,
        mut stream: Timed<'w, UnixStream>,
        mut heard: &[u8],
        to_head: bool,
        hijack: bool,
    ) -> Result<Answer<'w>, EngineError> {
        let after = self.patience.first_byte;
        stream.set_timeout(after);
        let (head, mut ahead) = read_head(&mut (&mut heard).chain(&mut stream), to_head)
            .map_err(|error| self.failed(error, after))?;
        ahead.extend_from_slice(heard);
        stream.set_timeout(self.patience.idle);
        let framing = if hijack && head.status < 300 {
            Framing::UntilClose
        } else {
            head.framing()
        };
        Ok(Answer {
            head,
            body: BodyReader::new(stream, ahead, framing),
            socket: self.socket,
            call: self.call,
            idle: self.patience.idle,
        })
    }
}

/// An engine that refuses a body early answers without reading on: our write fails, or waits for ever, while the answer
/// stands in the socket.
pub(super) fn may_have_answered(error: &io::Error, stream: &Timed<'_, UnixStream>) -> bool {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => true,
        io::ErrorKind::TimedOut => stream.is_readable(Duration::ZERO),
        _ => false,
    }
}

/// Reads a head of at most [`limits::HEAD_BYTES`]; what came behind it is the start of the body. Interim answers
/// (100 Continue) are passed over; 101 is final.
fn read_head(stream: &mut impl Read, to_head: bool) -> io::Result<(ResponseHead, Vec<u8>)> {
    let invalid = |problem: &str| io::Error::new(io::ErrorKind::InvalidData, problem.to_owned());
    let mut bytes = Vec::new();
    let mut scan = HeadScan::default();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = scan
            .end(&bytes)
            .map_err(|error| invalid(&error.to_string()))?
        {
            let head = ResponseHead::parse(&bytes[..end], to_head).map_err(invalid)?;
            bytes.drain(..end);
            if head.status == 100 {
                scan = HeadScan::default();
                continue;
            }
            return Ok((head, bytes));
        }
        match stream.read(&mut piece)? {
            0 => return Err(broken_off()),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

impl Answer<'_> {
    /// The body's length, if the engine told it.
    pub fn length(&self) -> Option<u64> {
        self.head.framing().length()
    }

    /// Changes the time that each following wait for a piece may take.
    pub fn set_idle(&mut self, idle: Duration) {
        self.idle = idle;
        self.body.source_mut().set_timeout(idle);
    }

    /// Some of the body; 0 at its end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, EngineError> {
        self.body
            .read(buffer)
            .map_err(|error| EngineError::from_io(error, &self.socket, &self.call, self.idle))
    }

    /// Whether a read would not wait for the engine, or only `within` this time.
    pub fn is_at_hand(&mut self, within: Duration) -> bool {
        self.body.has_ahead() || self.body.source_mut().is_readable(within)
    }

    /// The whole body, which may have [`limits::ENGINE_JSON_BYTES`].
    pub fn read_all(&mut self) -> Result<Vec<u8>, EngineError> {
        let mut bytes = Vec::new();
        let mut piece = vec![0; 8 * 1024];
        loop {
            let count = self.read(&mut piece)?;
            if count == 0 {
                return Ok(bytes);
            }
            if bytes.len() + count > limits::ENGINE_JSON_BYTES {
                return Err(self.nonsense("it is too long"));
            }
            bytes.extend_from_slice(&piece[..count]);
        }
    }

    /// The whole body as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, EngineError> {
        let bytes = self.read_all()?;
        serde_json::from_slice(&bytes).map_err(|error| self.nonsense(&error.to_string()))
    }

    /// What a parser's `error` about the body means: the connection's fault, or the content's.
    pub fn failure_of(&self, error: serde_json::Error) -> EngineError {
        if error.is_io() {
            EngineError::from_io(error.into(), &self.socket, &self.call, self.idle)
        } else {
            self.nonsense(&error.to_string())
        }
    }

    /// The error that the body is not what it should be.
    pub fn nonsense(&self, problem: &str) -> EngineError {
        EngineError::Nonsense {
            call: self.call.clone(),
            problem: problem.to_owned(),
        }
    }

    /// This answer, unless its status says that the call failed.
    pub(super) fn check(mut self) -> Result<Self, EngineError> {
        let status = self.head.status;
        if matches!(status, 101 | 200..=299 | 304) {
            return Ok(self);
        }
        let body = self.read_all()?;
        Err(EngineError::Answer {
            status,
            message: message_of(&body),
        })
    }
}

/// The engine's own words: `{"message": …}`, or plain text from whatever stands before it.
fn message_of(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    match serde_json::from_slice::<Message>(body) {
        Ok(Message { message }) => message,
        Err(_) => String::from_utf8_lossy(body)
            .trim()
            .chars()
            .take(1000)
            .collect(),
    }
}

/// So that a parser can read the body; errors keep their meaning inside `io::Error`.
impl Read for Answer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}
