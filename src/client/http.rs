//! Requests and answers.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{self, Method};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Body, SendBody};

use super::failure::{Failure, Refusal};
use super::line::{Dialer, Line};
use super::path::Path;
use super::target::Target;
use crate::limits;

/// What goes with a request.
pub(super) enum Payload<'p> {
    /// Nothing.
    None,
    /// Bytes of this media type.
    Bytes(&'p str, &'p [u8]),
    /// A stream of this media type, whose length may be known.
    Stream(&'p str, &'p mut dyn Read, Option<u64>),
}

/// A client of one agent, with one request at a time.
pub(super) struct Client {
    agent: Agent,
    line: Arc<Line>,
    target: Arc<Target>,
    silence: Duration,
}

/// An answer whose body is still to come.
pub(super) struct Answer<'c> {
    pub(super) status: u16,
    /// Bytes of the body, if they are known.
    pub(super) length: Option<u64>,
    retry_after: Option<u64>,
    body: Body,
    client: &'c Client,
}

impl Client {
    pub(super) fn new(target: Arc<Target>) -> Self {
        let line = Arc::new(Line::default());
        let size = limits::STREAM_BUFFER_BYTES;
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("node-agent/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections(0)
            .input_buffer_size(size)
            .output_buffer_size(size)
            .build();
        let dialer = Dialer(Arc::clone(&line));
        Self {
            agent: Agent::with_parts(config, dialer, DefaultResolver::default()),
            line,
            target,
            silence: limits::CLIENT_SILENCE,
        }
    }

    /// From now on the agent may be silent for so long.
    pub(super) fn set_silence(&mut self, silence: Duration) {
        self.silence = silence;
    }

    /// Another one of the same agent, for another thread.
    pub(super) fn another(&self) -> Self {
        let mut another = Self::new(Arc::clone(&self.target));
        another.set_silence(self.silence);
        another
    }

    /// Its connection.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Which agent, for messages.
    pub(super) fn host(&self) -> &str {
        &self.target.authority
    }

    /// A GET.
    pub(super) fn get(&self, path: &Path) -> Result<Answer<'_>, Failure> {
        self.send("GET", path, &[], Payload::None)
    }

    /// A POST without a body.
    pub(super) fn post(&self, path: &Path) -> Result<Answer<'_>, Failure> {
        self.send("POST", path, &[], Payload::Bytes("", b""))
    }

    /// A POST of JSON.
    pub(super) fn post_json(&self, path: &Path, body: &Value) -> Result<Answer<'_>, Failure> {
        let text = body.to_string();
        self.send(
            "POST",
            path,
            &[],
            Payload::Bytes("application/json", text.as_bytes()),
        )
    }

    /// Sends a request; an answer that is an error is a failure.
    pub(super) fn send(
        &self,
        method: &str,
        path: &Path,
        headers: &[(&str, &str)],
        payload: Payload<'_>,
    ) -> Result<Answer<'_>, Failure> {
        let answer = self.any(method, path, headers, payload)?;
        if answer.status < 400 {
            Ok(answer)
        } else {
            Err(Failure::Refused(answer.refusal()?))
        }
    }

    /// Sends a request and gives whatever answer comes.
    pub(super) fn any(
        &self,
        method: &str,
        path: &Path,
        headers: &[(&str, &str)],
        payload: Payload<'_>,
    ) -> Result<Answer<'_>, Failure> {
        let response = self.exchange(method, path, headers, payload)?;
        let retry_after = response.headers().get("retry-after");
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
            length: response.body().content_length(),
            body: response.into_body(),
            client: self,
        })
    }

    fn exchange(
        &self,
        method: &str,
        path: &Path,
        headers: &[(&str, &str)],
        payload: Payload<'_>,
    ) -> Result<http::Response<Body>, Failure> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Failure::Usage(format!("{method:?} is no method")))?;
        let uri = format!("http://{}{}", self.host(), path.as_str());
        let mut request = http::Request::builder().method(method).uri(uri);
        if let Some(key) = &self.target.key {
            request = request.header("X-API-Key", key);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.line.begin(self.silence);
        let mut bytes: &[u8];
        let (kind, source, length): (_, &mut dyn Read, _) = match payload {
            Payload::None => {
                let sent = request.body(SendBody::none()).map_err(Failure::usage)?;
                return self.agent.run(sent).map_err(|error| self.broken(&error));
            }
            Payload::Bytes(kind, given) => {
                bytes = given;
                (kind, &mut bytes, Some(given.len() as u64))
            }
            Payload::Stream(kind, source, length) => (kind, source, length),
        };
        if !kind.is_empty() {
            request = request.header("Content-Type", kind);
        }
        if let Some(length) = length {
            request = request.header("Content-Length", length);
        }
        let mut sent = Sent {
            source,
            line: &self.line,
            length,
            given: 0,
            failure: None,
        };
        let body = SendBody::from_reader(&mut sent);
        let request = request.body(body).map_err(Failure::usage)?;
        let response = self.agent.run(request);
        match sent.failure {
            Some(failure) => Err(Failure::Local(failure)),
            None => response.map_err(|error| self.broken(&error)),
        }
    }

    fn broken(&self, error: &ureq::Error) -> Failure {
        let why = match error {
            ureq::Error::Io(error) => return self.broken_off(error),
            ureq::Error::HostNotFound => "there is no host of this name".to_owned(),
            ureq::Error::Http(error) => return Failure::usage(error),
            error => error.to_string(),
        };
        Failure::Unreachable(format!("{}: {why}", self.host()))
    }

    fn broken_off(&self, error: &io::Error) -> Failure {
        // ureq wraps its own errors into those of a body.
        let why = match error.kind() {
            io::ErrorKind::Interrupted => return Failure::Interrupted,
            io::ErrorKind::UnexpectedEof => "the agent went away before it had answered".to_owned(),
            _ => error.to_string(),
        };
        Failure::Unreachable(format!("{}: {why}", self.host()))
    }
}

impl Answer<'_> {
    /// The error that it is.
    pub(super) fn refusal(self) -> Result<Refusal, Failure> {
        let (status, retry_after) = (self.status, self.retry_after);
        Ok(Refusal {
            status,
            retry_after,
            body: self.text()?,
        })
    }

    /// The text of it, of a length that answers have.
    pub(super) fn text(self) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        let client = self.client;
        let read = self
            .reader()
            .take(limits::CLIENT_ANSWER_BYTES)
            .read_to_end(&mut bytes);
        read.map_err(|error| client.broken_off(&error))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The bytes of it.
    pub(super) fn reader(self) -> impl Read {
        self.body.into_with_config().limit(u64::MAX).reader()
    }

    /// Hands the bytes to `take` as they come.
    pub(super) fn each_piece(
        self,
        mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let client = self.client;
        let mut source = self.reader();
        let mut buffer = vec![0; limits::STREAM_BUFFER_BYTES];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => take(&buffer[..count])?,
                Err(error) => return Err(client.broken_off(&error)),
            }
        }
    }

    /// Copies the bytes as they come, each at once.
    pub(super) fn copy_to(self, out: &mut dyn Write) -> Result<(), Failure> {
        self.each_piece(|piece| {
            let written = out.write_all(piece).and_then(|()| out.flush());
            written.map_err(Failure::output)
        })
    }

    /// Hands each line to `take`, without its end.
    pub(super) fn each_line(
        self,
        mut take: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut line = Vec::new();
        self.each_piece(|mut piece| {
            while let Some(end) = memchr::memchr(b'\n', piece) {
                line.extend_from_slice(&piece[..end]);
                take(&String::from_utf8_lossy(&line))?;
                line.clear();
                piece = &piece[end + 1..];
            }
            line.extend_from_slice(piece);
            if line.len() as u64 > limits::CLIENT_ANSWER_BYTES {
                return Err(Failure::Local("a line of the answer has no end".to_owned()));
            }
            Ok(())
        })?;
        if line.is_empty() {
            return Ok(());
        }
        take(&String::from_utf8_lossy(&line))
    }
}

/// A body on its way.
struct Sent<'s> {
    source: &'s mut dyn Read,
    line: &'s Line,
    length: Option<u64>,
    given: u64,
    /// Why the source failed.
    failure: Option<String>,
}

impl Read for Sent<'_> {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        if self.line.is_answered() {
            // The connection drops all of it; a length that was announced has to be kept all the same.
            let owed = self.length.unwrap_or(0).saturating_sub(self.given);
            let count = usize::try_from(owed).unwrap_or(usize::MAX).min(place.len());
            self.given += count as u64;
            return Ok(count);
        }
        let read = self.source.read(place);
        let count = read.inspect_err(|error| self.failure = Some(error.to_string()))?;
        self.given += count as u64;
        Ok(count)
    }
}
