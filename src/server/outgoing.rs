//! An answer on its way from a worker to the client: held back while it is short, then chunked (or until the close for
//! HTTP/1.0). Everything it sends is counted.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::net::TcpStream;

use super::encode::{End, Head};
use super::inline::Answer;
use crate::api::{ApiError, Sink};
use crate::limits;
use crate::sys::timed::Timed;
use crate::wire::{ChunkWriter, RequestHead};

/// What is the same for every answer to one request.
#[derive(Clone, Copy)]
pub(super) struct To<'r> {
    pub(super) head: &'r RequestHead,
    pub(super) id: &'r str,
    pub(super) keep_alive: bool,
}

/// How an answer ended.
pub(super) struct Sent {
    pub(super) bytes: u64,
    pub(super) keep_alive: bool,
}

/// The client's end of the socket, counting.
pub(super) struct Counted<'c> {
    out: Timed<'c, &'c TcpStream>,
    bytes: u64,
}

impl<'c> Counted<'c> {
    pub(super) fn new(stream: &'c TcpStream) -> Self {
        let out = Timed::new(stream, limits::CLIENT_TIMEOUT).with_floor(limits::CLIENT_FLOOR);
        Self { out, bytes: 0 }
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Stage<'c> {
    Holding {
        out: Counted<'c>,
        held: Vec<u8>,
    },
    Chunked(Box<ChunkWriter<Counted<'c>>>),
    /// So many bytes are still to come.
    Sized {
        out: Counted<'c>,
        left: u64,
    },
    UntilClose(Counted<'c>),
    /// A failed switch between two stages: the client is gone.
    Lost,
}

/// A streamed answer.
pub(super) struct Outgoing<'c, 'r> {
    to: To<'r>,
    status: u16,
    content_type: &'static str,
    trailer_names: &'static str,
    trailers: Vec<(&'static str, String)>,
    /// The length of the body, where it is known.
    length: Option<u64>,
    stage: Stage<'c>,
}

impl<'c, 'r> Outgoing<'c, 'r> {
    pub(super) fn new(
        out: Counted<'c>,
        to: To<'r>,
        status: u16,
        content_type: &'static str,
        trailer_names: &'static str,
    ) -> Self {
        let stage = Stage::Holding {
            out,
            held: Vec::new(),
        };
        Self {
            to,
            status,
            content_type,
            trailer_names,
            trailers: Vec::new(),
            length: None,
            stage,
        }
    }

    /// The same with a body of so many bytes.
    pub(super) fn with_length(mut self, length: Option<u64>) -> Self {
        self.length = length;
        self
    }

    /// Sends the head now, before the body is known.
    pub(super) fn start(&mut self) -> io::Result<()> {
        let Stage::Holding { mut out, held } = std::mem::replace(&mut self.stage, Stage::Lost)
        else {
            return Ok(());
        };
        if let Some(length) = self.length {
            let mut stage = Stage::Sized { out, left: length };
            stage.send_sized(&self.encode(End::Length(length), true), &held)?;
            self.stage = stage;
            return Ok(());
        }
        let chunked = self.to.head.version() >= 1;
        out.write_all(&self.encode(if chunked { End::Chunked } else { End::Close }, chunked))?;
        self.stage = if chunked {
            let mut chunks = ChunkWriter::new(out, limits::STREAM_BUFFER_BYTES);
            chunks.write_all(&held)?;
            Stage::Chunked(Box::new(chunks))
        } else {
            out.write_all(&held)?;
            Stage::UntilClose(out)
        };
        Ok(())
    }

    fn encode(&self, end: End, may_keep_alive: bool) -> Vec<u8> {
        let head = Head {
            status: self.status,
            content_type: self.content_type,
            request_id: self.to.id,
            extra: &[],
            trailers: self.trailer_names,
            keep_alive: self.to.keep_alive && may_keep_alive,
            to_http_1_0: self.to.head.version() == 0,
        };
        head.encode(end)
    }

    /// Ends the body; one that was held back all the time gets a Content-Length.
    pub(super) fn finish(mut self) -> io::Result<Sent> {
        match std::mem::replace(&mut self.stage, Stage::Lost) {
            Stage::Holding { mut out, held } => {
                let length = held.len() as u64;
                if self.length.is_some_and(|expected| expected != length) {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
                let mut bytes = self.encode(End::Length(length), true);
                bytes.extend_from_slice(&held);
                out.write_all(&bytes)?;
                Ok(Sent {
                    bytes: out.bytes,
                    keep_alive: self.to.keep_alive,
                })
            }
            Stage::Chunked(chunks) => {
                let out = chunks.finish(&self.trailers)?;
                Ok(Sent {
                    bytes: out.bytes,
                    keep_alive: self.to.keep_alive,
                })
            }
            Stage::Sized { out, left: 0 } => Ok(Sent {
                bytes: out.bytes,
                keep_alive: self.to.keep_alive,
            }),
            Stage::Sized { .. } => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            Stage::UntilClose(out) => Ok(Sent {
                bytes: out.bytes,
                keep_alive: false,
            }),
            Stage::Lost => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }

    /// Sends the head alone: the answer to HEAD. The length of what GET would bring is told where it is known.
    pub(super) fn finish_without_body(self) -> io::Result<Sent> {
        let end = self.length.map_or(End::Chunked, End::Length);
        let bytes = self.encode(end, true);
        let Stage::Holding { mut out, .. } = self.stage else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        };
        out.write_all(&bytes)?;
        Ok(Sent {
            bytes: out.bytes,
            keep_alive: self.to.keep_alive,
        })
    }

    /// Bytes that have left so far.
    pub(super) fn bytes(&self) -> u64 {
        match &self.stage {
            Stage::Holding { out, .. } | Stage::Sized { out, .. } | Stage::UntilClose(out) => {
                out.bytes
            }
            Stage::Chunked(chunks) => chunks.get_ref().bytes,
            Stage::Lost => 0,
        }
    }

    /// Ends with `error`: as a proper answer while nothing was sent (`Ok`), otherwise not at all (`Err`): the caller
    /// breaks the connection, so that nobody takes half a body for all of it.
    pub(super) fn fail(self, error: &ApiError) -> Result<Sent, io::Error> {
        match self.stage {
            Stage::Holding { .. } if matches!(error, ApiError::ClientGone(_)) => {
                Err(io::Error::from(io::ErrorKind::BrokenPipe))
            }
            Stage::Holding { out, .. } => send_whole(out, self.to, &Answer::of_error(error)),
            _ => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }
}

impl Stage<'_> {
    /// Sends `head` and then `body`, of which there must not be more than was announced: the rest would look like the
    /// next answer.
    fn send_sized(&mut self, head: &[u8], body: &[u8]) -> io::Result<()> {
        let Stage::Sized { out, left } = self else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        };
        let rest = left.checked_sub(body.len() as u64);
        let rest = rest.ok_or(io::ErrorKind::InvalidData)?;
        out.write_all(head)?;
        out.write_all(body)?;
        *left = rest;
        Ok(())
    }
}

impl Write for Outgoing<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Stage::Holding { held, .. } = &mut self.stage {
            if held.len() + bytes.len() <= limits::REPLY_HOLD_BYTES {
                held.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            self.start()?;
        }
        match &mut self.stage {
            Stage::Chunked(chunks) => chunks.write(bytes),
            stage @ Stage::Sized { .. } => {
                stage.send_sized(&[], bytes)?;
                Ok(bytes.len())
            }
            Stage::UntilClose(out) => out.write(bytes),
            Stage::Holding { .. } | Stage::Lost => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }

    /// Reaches the client when the answer is live; one that is held back stays so.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stage {
            Stage::Chunked(chunks) => chunks.flush(),
            _ => Ok(()),
        }
    }
}

impl Sink for Outgoing<'_, '_> {
    fn trailer(&mut self, name: &'static str, value: String) {
        self.trailers.push((name, value));
    }
}

/// Sends an answer that is all there.
pub(super) fn send_whole(
    mut out: Counted<'_>,
    to: To<'_>,
    answer: &Answer<'_>,
) -> io::Result<Sent> {
    let mut bytes = Vec::with_capacity(answer.body.len() + 512);
    answer.write(Some(to.head), to.id, to.keep_alive, &mut bytes);
    out.write_all(&bytes)?;
    Ok(Sent {
        bytes: out.bytes,
        keep_alive: to.keep_alive,
    })
}
