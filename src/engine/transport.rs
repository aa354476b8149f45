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
    /// A JSON body.
    pub(super) body: Option<&'c [u8]>,
    /// Further headers.
    pub(super) headers: &'c [(&'static str, String)],
    /// Whether the connection becomes a raw stream (`Upgrade: tcp`).
    pub(super) hijack: bool,
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
        let name = self.name();
        let failed = |error, after| EngineError::from_io(error, socket, &name, after);
        let stream = socket::connect_unix(socket, limits::ENGINE_CONNECT)
            .map_err(|error| failed(error, limits::ENGINE_CONNECT))?;
        let mut stream = Timed::new(stream, patience.first_byte).watching(patience.client);
        match stream.write_all(&self.encode()) {
            Err(error) if !may_have_answered(&error, &stream) => {
                return Err(failed(error, patience.first_byte));
            }
            _ => {}
        }
        let (head, ahead) = read_head(&mut stream, self.method == "HEAD")
            .map_err(|error| failed(error, patience.first_byte))?;
        stream.set_timeout(patience.idle);
        let framing = if self.hijack && head.status < 300 {
            Framing::UntilClose
        } else {
            head.framing()
        };
        let body = BodyReader::new(stream, ahead, framing);
        Ok(Answer {
            head,
            body,
            socket: socket.to_owned(),
            call: name,
            idle: patience.idle,
        })
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
        if let Some(body) = self.body {
            // A body without this type is a 400.
            let length = body.len().to_string();
            text.extend([
                "Content-Type: application/json\r\nContent-Length: ",
                &length,
                "\r\n",
            ]);
        } else if self.method == "POST" {
            text.push_str("Content-Length: 0\r\n");
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(self.body.unwrap_or_default());
        bytes
    }
}

/// An engine that refuses a body early answers without reading on: our write fails, or waits for ever, while the answer
/// stands in the socket.
fn may_have_answered(error: &io::Error, stream: &Timed<'_, UnixStream>) -> bool {
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
