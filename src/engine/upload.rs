//! A call whose body is made while it is sent: an image, a build context. The engine may answer before it has read
//! everything, and a newer one talks while it reads: what it says meanwhile is taken, so that neither side waits for the
//! other, and an answer that comes early is an answer, never a broken pipe.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use super::transport::{Body, Call, Line, may_have_answered};
use super::{Answer, Engine, EngineError, Patience};
use crate::limits;
use crate::sys::poll::Interest;
use crate::sys::timed::Timed;
use crate::wire::ChunkWriter;

/// A body on its way to the engine. Write to it, then ask for the answer; after a failed write the
/// answer says why. Dropped before that, the engine sees a request that broke off, and forgets it.
pub struct Upload<'w> {
    body: Framed<'w>,
    line: Line<'w>,
}

/// The body in its framing.
enum Framed<'w> {
    Length(Connection<'w>),
    Chunked(ChunkWriter<Connection<'w>>),
}

/// The connection, and what the engine said on it before we were done.
struct Connection<'w> {
    stream: Timed<'w, UnixStream>,
    heard: Vec<u8>,
    /// Whether the engine will say no more.
    is_over: bool,
    /// The error of a failed write, as far as it matters later.
    failure: Option<io::Error>,
}

impl Engine {
    /// Begins a POST of `length` bytes, or of chunks. The version is negotiated anew, because a body cannot be sent
    /// twice; an engine that is not there is found out before any of it is taken from the client.
    pub(super) fn upload<'w>(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        length: Option<u64>,
        patience: Patience<'w>,
    ) -> Result<Upload<'w>, EngineError> {
        let begun = self.begin_upload(path, headers, length, patience);
        begun.inspect_err(|error| self.note(error))
    }

    fn begin_upload<'w>(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        length: Option<u64>,
        patience: Patience<'w>,
    ) -> Result<Upload<'w>, EngineError> {
        let path = format!("/v{}{path}", self.negotiate()?);
        let call = Call {
            method: "POST",
            path: &path,
            body: Body::Following {
                content_type: "application/x-tar",
                length,
            },
            headers,
            hijack: false,
        };
        let (stream, line) = call.begin(self.socket(), patience)?;
        let connection = Connection {
            stream,
            heard: Vec::new(),
            is_over: false,
            failure: None,
        };
        let body = match length {
            Some(_) => Framed::Length(connection),
            None => Framed::Chunked(ChunkWriter::new(connection, limits::STREAM_BUFFER_BYTES)),
        };
        Ok(Upload { body, line })
    }

    /// The answer to `upload`, for which a status that says that it failed is an error.
    pub(super) fn answer_to<'w>(&self, upload: Upload<'w>) -> Result<Answer<'w>, EngineError> {
        let answer = upload.answer().and_then(Answer::check);
        answer.inspect_err(|error| self.note(error))
    }
}

impl<'w> Upload<'w> {
    /// Ends the body and waits for the answer. After a failed write: what the engine had to say, or why it could not.
    fn answer(self) -> Result<Answer<'w>, EngineError> {
        let connection = match self.body {
            Framed::Length(connection) => connection,
            Framed::Chunked(mut chunks) => {
                if chunks.get_ref().failure.is_none() {
                    // A failure is noted in the connection.
                    let _ = chunks.end(&[]);
                }
                chunks.into_inner()
            }
        };
        let heard = connection.heard;
        match connection.failure {
            Some(failure)
                if heard.is_empty() && !may_have_answered(&failure, &connection.stream) =>
            {
                Err(self.line.failed(failure, limits::ENGINE_WORK))
            }
            _ => self.line.answer(connection.stream, &heard, false, false),
        }
    }
}

impl Write for Upload<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.body {
            Framed::Length(connection) => connection.write(bytes),
            Framed::Chunked(chunks) => chunks.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.body {
            Framed::Length(connection) => connection.flush(),
            Framed::Chunked(chunks) => chunks.flush(),
        }
    }
}

impl Connection<'_> {
    /// Notes a failure; after one nothing more is tried.
    fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        if self.failure.is_some() {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        }
        work(self).map_err(|error| {
            let kind = error.kind();
            self.failure = Some(error);
            io::Error::from(kind)
        })
    }

    /// Writes some of `bytes`; while there is no room, listens.
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut socket = self.stream.get_ref();
            match socket.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_for_room()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn wait_for_room(&mut self) -> io::Result<()> {
        let listens = !self.is_over && self.heard.len() < limits::ENGINE_HEARD_BYTES;
        if !listens {
            return self.stream.wait(Interest::Write);
        }
        self.stream.wait(Interest::Either)?;
        self.listen()
    }

    /// Takes what the engine has said. A refusal ends the sending: nobody will read the rest.
    fn listen(&mut self) -> io::Result<()> {
        let mut piece = [0; 4096];
        let mut socket = self.stream.get_ref();
        match socket.read(&mut piece) {
            Ok(0) => self.is_over = true,
            Ok(count) => self.heard.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        match self.heard.get(..REFUSAL.len() + 1) {
            Some(start) if start.starts_with(REFUSAL) && start[REFUSAL.len()] >= b'4' => {
                Err(io::Error::from(io::ErrorKind::BrokenPipe))
            }
            _ => Ok(()),
        }
    }
}

/// What an answer starts with; behind it stands the first digit of its status.
const REFUSAL: &[u8] = b"HTTP/1.1 ";

impl Write for Connection<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(|connection| connection.send(bytes))
    }

    /// Fails when the client is gone, or the engine has refused the body already.
    fn flush(&mut self) -> io::Result<()> {
        self.attempt(Self::wait_for_room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::scripted::{Scripted, is_ping, ping};
    use std::os::fd::AsFd;
    use std::sync::mpsc;

    /// More than any socket holds.
    static PIECE: [u8; 64 * 1024] = [b'x'; 64 * 1024];
    const PIECES: usize = 64;

    /// Sends until the end, or until the engine wants no more; the answer.
    fn send(engine: &Engine, length: Option<u64>) -> Result<Vec<u8>, EngineError> {
        let mut upload = engine.upload("/x", &[], length, Patience::default())?;
        for _ in 0..PIECES {
            if upload.write_all(&PIECE).is_err() {
                break;
            }
        }
        engine.answer_to(upload)?.read_all()
    }

    /// An engine that does `script` with each connection but those that ask for its version.
    fn engine_with(script: impl Fn(UnixStream) + Send + Sync + 'static) -> Scripted {
        Scripted::serve(move |head, mut stream| {
            if is_ping(head) {
                return stream.write_all(&ping("1.41")).unwrap();
            }
            script(stream);
        })
    }

    fn read_chunks(stream: &mut UnixStream) -> io::Result<u64> {
        let framing = crate::wire::Framing::Chunked;
        let mut body = crate::wire::BodyReader::new(stream, Vec::new(), framing);
        io::copy(&mut body, &mut io::sink())
    }

    #[test]
    fn what_is_sent_arrives_in_either_framing() {
        let length = (PIECE.len() * PIECES) as u64;
        let by_length = engine_with(move |mut stream| {
            io::copy(&mut (&mut stream).take(length), &mut io::sink()).unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsize")
                .unwrap();
        });
        assert_eq!(send(&by_length.engine(), Some(length)).unwrap(), b"size");
        let chunked = engine_with(move |mut stream| {
            assert_eq!(read_chunks(&mut stream).unwrap(), length);
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nchunks")
                .unwrap();
        });
        assert_eq!(send(&chunked.engine(), None).unwrap(), b"chunks");
    }

    #[test]
    fn a_refusal_before_the_end_is_the_answer() {
        let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 16\r\n\r\n{\"message\":\"no\"}";
        for closes in [true, false] {
            let (release, hold) = mpsc::channel::<()>();
            let hold = std::sync::Mutex::new(hold);
            let scripted = engine_with(move |mut stream| {
                stream.write_all(refusal).unwrap();
                if !closes {
                    // Neither reads nor closes until the client has its answer.
                    let _ = hold.lock().unwrap().recv();
                }
            });
            let failure = send(&scripted.engine(), None).unwrap_err();
            assert!(
                matches!(&failure, EngineError::Answer { status: 400, message } if message == "no"),
                "{closes}: {failure:?}"
            );
            drop(release);
        }
    }

    #[test]
    fn an_engine_that_talks_while_it_reads_is_listened_to() {
        // It does not read on before its own words were taken: a sender that only sends would wait for ever.
        let words = vec![b'w'; limits::ENGINE_HEARD_BYTES - 1000];
        let expected = words.clone();
        let scripted = engine_with(move |mut stream| {
            let length = words.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&words).unwrap();
            read_chunks(&mut stream).unwrap();
        });
        assert_eq!(send(&scripted.engine(), None).unwrap(), expected);
    }

    #[test]
    fn an_engine_that_goes_away_is_unreachable() {
        let scripted = engine_with(drop);
        let failure = send(&scripted.engine(), None).unwrap_err();
        assert!(
            matches!(failure, EngineError::Unreachable { .. }),
            "{failure:?}"
        );
        assert_eq!(scripted.alarms(), 1);
    }

    #[test]
    fn an_upload_that_is_given_up_is_a_request_without_an_end() {
        let (seen, sight) = mpsc::channel();
        let scripted = engine_with(move |mut stream| {
            seen.send(read_chunks(&mut stream).is_err()).unwrap();
        });
        let engine = scripted.engine();
        let mut upload = engine.upload("/x", &[], None, Patience::default()).unwrap();
        upload.write_all(&PIECE).unwrap();
        drop(upload);
        assert!(sight.recv().unwrap());
    }

    #[test]
    fn a_client_that_leaves_ends_it() {
        let (release, hold) = mpsc::channel::<()>();
        let hold = std::sync::Mutex::new(hold);
        let scripted = engine_with(move |_stream| {
            let _ = hold.lock().unwrap().recv();
        });
        let (client, ours) = UnixStream::pair().unwrap();
        drop(client);
        let patience = Patience {
            client: Some(ours.as_fd()),
            ..Patience::default()
        };
        let engine = scripted.engine();
        let mut upload = engine.upload("/x", &[], None, patience).unwrap();
        while upload.write_all(&PIECE).is_ok() {}
        let failure = engine.answer_to(upload).map(|_| ()).unwrap_err();
        assert!(matches!(failure, EngineError::Abandoned), "{failure:?}");
        drop(release);
    }
}
