//! The gate's talk with a client: bytes in, heads found and judged, answers out or work handed on.
#![forbid(unsafe_code)]

use std::os::fd::AsFd;
use std::time::Duration;

use super::access_log::Access;
use super::admission::Verdict;
use super::connection::After;
use super::exchange::Exchange;
use super::gate::{Gate, OUTPUT_BYTES};
use super::inline::Answer;
use super::routes::{Route, Work};
use super::turns::HEADS_A_TURN;
use crate::api::{ApiError, Context, Reply};
use crate::wire::RequestHead;
use crate::wire::scan::{HeadScan, leading_empty_lines};

/// What became of the first head among some bytes.
enum Step {
    /// It is not complete.
    NeedMore,
    /// It had so many bytes and was answered; this follows.
    Answered(usize, After),
    /// It had so many bytes, needs a worker, and this is who and what for.
    Work(usize, Box<Task>),
}

/// A request that needs a worker.
struct Task {
    head: RequestHead,
    route: &'static Route,
    params: Vec<String>,
    id: String,
}

impl Gate {
    /// New bytes of a connection, behind those it already had.
    pub(super) fn take_bytes(&mut self, token: u64, bytes: &[u8]) {
        let Some(connection) = self.table.get(token) else {
            return;
        };
        let mut input = std::mem::take(&mut connection.input);
        if input.is_empty() {
            self.take_heads(token, bytes, false);
        } else {
            input.reserve_exact(bytes.len());
            input.extend_from_slice(bytes);
            self.take_heads(token, &input, true);
        }
    }

    /// Answers every complete head in `bytes` and keeps the rest. `timed`: the first head began earlier, its clock runs.
    fn take_heads(&mut self, token: u64, mut bytes: &[u8], mut timed: bool) {
        let mut output = Vec::new();
        let mut heads = 0;
        loop {
            if heads == HEADS_A_TURN && !bytes.is_empty() {
                if self.flush(token, &mut output, bytes) {
                    self.postpone(token, bytes);
                }
                return;
            }
            // Somebody who pipelines without reading gets no further: what he sent waits, and nothing more is read.
            if output.len() >= OUTPUT_BYTES && !self.flush(token, &mut output, bytes) {
                return;
            }
            match self.take_head(token, bytes, &mut output) {
                Step::NeedMore => {
                    if self.flush(token, &mut output, bytes) {
                        self.keep(token, bytes, timed);
                    }
                    return;
                }
                Step::Answered(count, After::NextRequest) => {
                    bytes = &bytes[count..];
                    timed = false;
                    heads += 1;
                }
                Step::Answered(_, after) => {
                    self.send(token, &mut output, after, &[]);
                    return;
                }
                Step::Work(count, task) => {
                    if self.flush(token, &mut output, bytes) {
                        self.hand_over(token, *task, &bytes[count..]);
                    }
                    return;
                }
            }
        }
    }

    fn take_head(&mut self, token: u64, bytes: &[u8], output: &mut Vec<u8>) -> Step {
        let Some(connection) = self.table.get(token) else {
            return Step::NeedMore;
        };
        let skipped = leading_empty_lines(bytes);
        let bytes = &bytes[skipped..];
        // A lone CR may still become an empty line; only then is it known where the head begins.
        if bytes == b"\r" {
            return Step::NeedMore;
        }
        let head = match connection.scan.end(bytes) {
            Ok(None) => return Step::NeedMore,
            Ok(Some(end)) => RequestHead::parse(&bytes[..end]),
            Err(error) => Err(error),
        };
        connection.scan = HeadScan::default();
        if !connection.allowed {
            let refusal = ApiError::AddressNotAllowed;
            return self.refuse(
                token,
                head.as_ref().ok(),
                &refusal,
                After::Linger,
                0,
                output,
            );
        }
        match head {
            Ok(head) => self.judge(token, head, skipped, output),
            Err(error) => self.refuse(
                token,
                None,
                &ApiError::Head(error),
                After::Linger,
                0,
                output,
            ),
        }
    }

    /// A well-formed request of a peer on the allowlist.
    fn judge(
        &mut self,
        token: u64,
        head: RequestHead,
        skipped: usize,
        output: &mut Vec<u8>,
    ) -> Step {
        let Some(connection) = self.table.get(token) else {
            return Step::NeedMore;
        };
        let peer = connection.peer.ip();
        let count = skipped + head.len();
        let after = self.after_unread(&head);
        match self.admission.judge(&head, peer) {
            Verdict::Serve(
                Route {
                    work: Work::Inline(answer),
                    number,
                    ..
                },
                _,
            ) => {
                let answer = (*number, *answer);
                self.answer_inline(token, answer, &head, after, output);
                Step::Answered(count, after)
            }
            Verdict::Serve(route, params) => {
                if let Some(error) = self.obstacle(route) {
                    self.refuse(token, Some(&head), &error, after, count, output)
                } else {
                    let id = self.ids.of(&head);
                    Step::Work(
                        count,
                        Box::new(Task {
                            head,
                            route,
                            params,
                            id,
                        }),
                    )
                }
            }
            Verdict::Options(allow) => {
                let id = self.ids.of(&head);
                self.reply(
                    token,
                    Some(&head),
                    &id,
                    &Answer::of_options(allow),
                    (after, None),
                    output,
                );
                Step::Answered(count, after)
            }
            Verdict::Refuse(error) => self.refuse(token, Some(&head), &error, after, count, output),
        }
    }

    /// What becomes of the connection when nobody reads the body: nobody knows how long one takes to come, so it ends
    /// the connection.
    fn after_unread(&self, head: &RequestHead) -> After {
        if head.framing().has_body() {
            After::Linger
        } else if head.keeps_alive() && !self.is_stopping() {
            After::NextRequest
        } else {
            After::Close
        }
    }

    /// Why no worker can be had now.
    fn obstacle(&self, route: &Route) -> Option<ApiError> {
        if self.is_stopping() {
            Some(ApiError::Stopping)
        } else if !self.pool.has_room(matches!(route.work, Work::Long(_))) {
            Some(ApiError::Busy {
                retry_after_seconds: 1,
            })
        } else {
            None
        }
    }

    fn answer_inline(
        &mut self,
        token: u64,
        (number, answer): (usize, fn(&Context) -> Reply<'static>),
        head: &RequestHead,
        after: After,
        output: &mut Vec<u8>,
    ) {
        let id = self.ids.of(head);
        let start = output.len();
        let reply = answer(&self.context);
        let status = reply.status;
        self.cache
            .write(reply, head, &id, after == After::NextRequest, output);
        let duration = self.log(token, Some(head), &id, (status, None), output.len() - start);
        self.context.counters.count(Some(number), status, duration);
    }

    /// Answers with `error`.
    fn refuse(
        &mut self,
        token: u64,
        head: Option<&RequestHead>,
        error: &ApiError,
        after: After,
        count: usize,
        output: &mut Vec<u8>,
    ) -> Step {
        let id = head.map_or_else(|| self.ids.next(), |head| self.ids.of(head));
        self.reply(
            token,
            head,
            &id,
            &Answer::of_error(error),
            (after, Some(error)),
            output,
        );
        Step::Answered(count, after)
    }

    fn reply(
        &mut self,
        token: u64,
        head: Option<&RequestHead>,
        id: &str,
        answer: &Answer<'_>,
        (after, error): (After, Option<&ApiError>),
        output: &mut Vec<u8>,
    ) {
        let start = output.len();
        answer.write(head, id, after == After::NextRequest, output);
        let error = error.map(ToString::to_string);
        let duration = self.log(
            token,
            head,
            id,
            (answer.status, error.as_deref()),
            output.len() - start,
        );
        self.context.counters.count(None, answer.status, duration);
    }

    /// Logs an answer; how long it took.
    fn log(
        &mut self,
        token: u64,
        head: Option<&RequestHead>,
        id: &str,
        (status, error): (u16, Option<&str>),
        bytes_out: usize,
    ) -> Duration {
        let duration = self.now.elapsed();
        let Some(connection) = self.table.get(token) else {
            return duration;
        };
        let access = Access {
            id,
            peer: connection.peer,
            head,
            status,
            duration,
            bytes_in: head.map_or(0, |head| head.len() as u64),
            bytes_out: bytes_out as u64,
            error,
        };
        access.log();
        duration
    }

    /// A head that did not come in time.
    pub(super) fn refuse_late(&mut self, token: u64) {
        let mut output = Vec::new();
        self.refuse(
            token,
            None,
            &ApiError::RequestTimeout,
            After::Linger,
            0,
            &mut output,
        );
        self.send(token, &mut output, After::Linger, &[]);
    }

    /// Gives the connection to a worker.
    fn hand_over(&mut self, token: u64, task: Task, ahead: &[u8]) {
        let Some(connection) = self.table.remove(token) else {
            return;
        };
        // A descriptor that stays in the set would wake the gate for bytes that are the worker's.
        if let Err(error) = self.epoll.remove(connection.stream.as_fd()) {
            log::error!("cannot hand a connection over: {error}");
            return;
        }
        let Task {
            head,
            route,
            params,
            id,
        } = task;
        let (stream, peer, received, ahead) =
            (connection.stream, connection.peer, self.now, ahead.to_vec());
        self.pool.dispatch(Exchange {
            stream,
            peer,
            head,
            route,
            params,
            id,
            ahead,
            received,
        });
    }
}
