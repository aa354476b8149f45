//! One request in the hands of a worker: from a complete head to the connection's return.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tiny_http::Method;

use super::access_log::Access;
use super::followers::Followers;
use super::inline::Answer;
use super::outgoing::{Counted, Outgoing, Sent, To, send_whole};
use super::pool::Returns;
use super::routes::{Route, Work};
use crate::api::reply::Content;
use crate::api::{ApiError, Context, Reply, Request};
use crate::limits;
use crate::sys::epoll::Wake;
use crate::sys::{process, socket, timed::Timed};
use crate::wire::{BodyReader, RequestHead};

/// What every worker has.
pub(super) struct Workshop {
    pub(super) context: Arc<Context>,
    pub(super) returns: Returns,
    pub(super) wake: Arc<Wake>,
    /// Set when the agent is on its way out: no connection is kept.
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) followers: Arc<Followers>,
}

/// A request to be served.
pub(super) struct Exchange {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) head: RequestHead,
    pub(super) route: &'static Route,
    pub(super) params: Vec<String>,
    pub(super) id: String,
    /// Bytes of the connection behind the head.
    pub(super) ahead: Vec<u8>,
    pub(super) received: Instant,
}

/// A connection that comes back to the gate.
pub(super) struct Returned {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) then: Then,
}

/// What the gate does with it.
pub(super) enum Then {
    /// Waits for the next request, which may have begun with these bytes.
    Keep(Vec<u8>),
    /// Lets the client finish sending.
    Linger,
    /// Nothing; it is over.
    Close,
}

impl Workshop {
    /// Gives a connection back to the gate and wakes it.
    pub(super) fn give_back(&self, returned: Returned) {
        // The gate outlives its workers; if it is gone, so is the process.
        let _ = self.returns.send(returned);
        self.wake.raise();
    }
}

impl Exchange {
    /// Whether it may keep its worker for minutes.
    pub(super) fn is_long(&self) -> bool {
        matches!(self.route.work, Work::Long(_))
    }

    /// Serves it, logs it, and gives the connection back.
    pub(super) fn serve(self, workshop: &Workshop) -> Returned {
        let client = Client {
            stream: self.stream,
            peer: self.peer,
            received: self.received,
        };
        let then = {
            let source = Source::new(&client.stream, self.head.expects_continue());
            let mut request = Request {
                body: BodyReader::new(Box::new(source), self.ahead, self.head.framing()),
                params: self.params,
                client: client.stream.as_fd(),
                id: self.id,
                head: self.head,
            };
            let then = client.converse(self.route, &mut request, workshop);
            // A connection that is kept takes along what was read beyond this request.
            then.unwrap_or_else(|| Then::Keep(request.body.into_parts().1))
        };
        Returned {
            stream: client.stream,
            peer: client.peer,
            then,
        }
    }
}

/// The client of one exchange.
struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    received: Instant,
}

impl Client {
    /// Answers `request` and logs it. `None`: the connection can be kept.
    fn converse<'a>(
        &'a self,
        route: &Route,
        request: &mut Request<'a>,
        workshop: &'a Workshop,
    ) -> Option<Then> {
        let result = self.handle(route, request, workshop);
        // Asked now: the stop may have come while the request was worked on.
        let is_stopping = workshop.stopping.load(Ordering::Relaxed);
        let keep_alive = request.head.keeps_alive() && !is_stopping && is_drainable(request);
        let to = To {
            head: &request.head,
            id: &request.id,
            keep_alive,
        };
        let (sent, mut summary) = self.answer(result, to, &workshop.followers);
        let then = match sent {
            Err(_) => {
                socket::reset_on_close(self.stream.as_fd());
                Some(Then::Close)
            }
            Ok(sent)
                if sent.keep_alive
                    && matches!(request.body.drain(limits::DRAIN_BYTES), Ok(true)) =>
            {
                None
            }
            Ok(_) if request.body.is_done() => Some(Then::Close),
            Ok(_) => Some(Then::Linger),
        };
        summary.body_bytes = request.body.bytes_read();
        let duration = self.received.elapsed();
        let counters = &workshop.context.counters;
        counters.count(Some(route.number), summary.status, duration);
        self.log(request, &summary, duration);
        then
    }

    fn log(&self, request: &Request<'_>, summary: &Summary, duration: Duration) {
        let access = Access {
            id: &request.id,
            peer: self.peer,
            head: Some(&request.head),
            status: summary.status,
            duration,
            bytes_in: request.head.len() as u64 + summary.body_bytes,
            bytes_out: summary.bytes_out,
            error: summary.error.as_deref(),
        };
        access.log();
    }

    /// Calls the handler. A panic is a 500 and costs nothing else.
    fn handle<'a>(
        &self,
        route: &Route,
        request: &mut Request<'a>,
        workshop: &'a Workshop,
    ) -> Result<Reply<'a>, ApiError> {
        if self.received.elapsed() > limits::QUEUE_DEADLINE {
            return Err(ApiError::Busy {
                retry_after_seconds: 1,
            });
        }
        if !has_memory(workshop) {
            return Err(ApiError::Exhausted {
                message: "there is no memory for it now".to_owned(),
                details: None,
            });
        }
        let handler = match route.work {
            Work::Short(handler) | Work::Long(handler) => handler,
            Work::Inline(answer) => return Ok(answer(&workshop.context)),
        };
        catch_unwind(AssertUnwindSafe(|| handler(&workshop.context, request)))
            .unwrap_or_else(|_| Err(panicked()))
    }

    fn answer(
        &self,
        result: Result<Reply<'_>, ApiError>,
        to: To<'_>,
        followers: &Followers,
    ) -> (io::Result<Sent>, Summary) {
        let out = Counted::new(&self.stream);
        let mut summary = Summary::default();
        let sent = match result {
            Ok(reply) => {
                summary.status = reply.status;
                let _watch = reply.is_endless().then(|| followers.add(&self.stream));
                send_reply(out, to, reply, &mut summary)
            }
            Err(ApiError::ClientGone(error)) => {
                summary.note(&ApiError::ClientGone(io::Error::from(error.kind())));
                Err(error)
            }
            Err(error) => {
                summary.note(&error);
                let to = To {
                    keep_alive: to.keep_alive && !error.ends_connection(),
                    ..to
                };
                send_whole(out, to, &Answer::of_error(&error))
            }
        };
        if let Ok(sent) = &sent {
            summary.bytes_out = sent.bytes;
        }
        (sent, summary)
    }
}

/// What the log will say.
#[derive(Default)]
struct Summary {
    status: u16,
    error: Option<String>,
    body_bytes: u64,
    bytes_out: u64,
}

impl Summary {
    fn note(&mut self, error: &ApiError) {
        self.status = error.status();
        self.error = Some(error.for_log());
    }
}

fn send_reply(
    out: Counted<'_>,
    to: To<'_>,
    reply: Reply<'_>,
    summary: &mut Summary,
) -> io::Result<Sent> {
    let mut known = None;
    let (live, trailers, produce) = match reply.content {
        Content::Whole(body) => {
            let answer = Answer {
                status: reply.status,
                content_type: reply.content_type,
                extra: Vec::new(),
                body,
            };
            return send_whole(out, to, &answer);
        }
        Content::Stream(produce) => (false, "", produce),
        Content::Sized { length, produce } => {
            known = Some(length);
            (false, "", produce)
        }
        Content::Live {
            produce, trailers, ..
        } => (true, trailers, produce),
    };
    let outgoing = Outgoing::new(out, to, reply.status, reply.content_type, trailers);
    let mut outgoing = outgoing.with_length(known);
    if *to.head.method() == Method::Head {
        return outgoing.finish_without_body();
    }
    if live {
        outgoing.start()?;
    }
    let produced = catch_unwind(AssertUnwindSafe(|| produce(&mut outgoing)))
        .unwrap_or_else(|_| Err(panicked()));
    match produced {
        Ok(()) => outgoing.finish(),
        Err(ApiError::Reported(error)) => {
            summary.error = Some(error.for_log());
            outgoing.finish()
        }
        Err(error) => {
            summary.note(&error);
            summary.bytes_out = outgoing.bytes();
            outgoing.fail(&error)
        }
    }
}

/// Whether there is memory for all requests that are at work, of which this is one. Rust has no way on when there is none
/// in the midst of one: the process ends, and all others' requests with it.
fn has_memory(workshop: &Workshop) -> bool {
    let working = workshop.context.counters.busy_workers.get().max(1);
    process::has_memory(working * limits::REQUEST_MEMORY_BYTES)
}

fn panicked() -> ApiError {
    ApiError::Internal {
        message: "the agent failed at this request; its log says where".to_owned(),
        details: None,
    }
}

/// Whether the rest of the body can be read and dropped cheaply, to keep the connection.
fn is_drainable(request: &Request<'_>) -> bool {
    let unread = request
        .head
        .framing()
        .length()
        .map(|length| length.saturating_sub(request.body.bytes_read()));
    // A client that waits for `100 Continue` and got its answer instead may or may not send the body.
    let is_clear = !request.head.expects_continue() || request.body.bytes_read() > 0;
    request.body.is_done()
        || (is_clear && unread.is_some_and(|unread| unread <= limits::DRAIN_BYTES))
}

/// The socket as the source of a body: says `100 Continue` before the first read, when the client waits for it.
struct Source<'c> {
    input: Timed<'c, &'c TcpStream>,
    owes_continue: bool,
}

impl<'c> Source<'c> {
    fn new(stream: &'c TcpStream, owes_continue: bool) -> Self {
        let input = Timed::new(stream, limits::CLIENT_TIMEOUT).with_floor(limits::CLIENT_FLOOR);
        Self {
            input,
            owes_continue,
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if std::mem::take(&mut self.owes_continue) {
            self.input.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        self.input.read(buffer)
    }
}
