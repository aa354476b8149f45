//! Answers of the gate on their way out, without ever waiting: what the socket does not take at once leaves later, and
//! until then nothing more is read from that client.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;

use super::connection::{After, State};
use super::gate::{Gate, READ_BYTES, is_passing};
use crate::limits;
use crate::sys::epoll::Watch;

impl Gate {
    /// Sends what is left of an answer; then goes on as planned.
    pub(super) fn go_on_writing(&mut self, token: u64) {
        let Some(connection) = self.table.get(token) else {
            return;
        };
        match connection.stream.write(&connection.output) {
            Ok(count) => {
                connection.output.drain(..count);
                if connection.output.is_empty() {
                    connection.output = Vec::new();
                    self.written(token);
                }
            }
            Err(error) if is_passing(&error) => {}
            Err(_) => self.drop_connection(token),
        }
    }

    /// An answer has left.
    pub(super) fn written(&mut self, token: u64) {
        let now = self.now;
        let Some(connection) = self.table.get(token) else {
            return;
        };
        match connection.after_output {
            After::Close => self.drop_connection(token),
            After::Linger => self.linger(token),
            After::NextRequest => {
                let rest = std::mem::take(&mut connection.input);
                connection.park(now);
                if self
                    .epoll
                    .change(connection.stream.as_fd(), Watch::Read, token)
                    .is_err()
                {
                    self.drop_connection(token);
                    return;
                }
                self.take_bytes(token, &rest);
            }
        }
    }

    /// Sends `output` to go on with the next request. False: the connection is busy writing, or gone; `rest` waits.
    pub(super) fn flush(&mut self, token: u64, output: &mut Vec<u8>, rest: &[u8]) -> bool {
        output.is_empty() || self.send(token, output, After::NextRequest, rest)
    }

    /// Sends `output`, as far as the socket takes it at once, then does what comes `after`; `rest` is input that waits
    /// if it did not. Whether the connection is ready for the next request.
    pub(super) fn send(
        &mut self,
        token: u64,
        output: &mut Vec<u8>,
        after: After,
        rest: &[u8],
    ) -> bool {
        let Some(connection) = self.table.get(token) else {
            return false;
        };
        let sent = match connection.stream.write(output) {
            Ok(count) => count,
            Err(error) if is_passing(&error) => 0,
            Err(_) => {
                self.drop_connection(token);
                return false;
            }
        };
        if sent < output.len() {
            output.drain(..sent);
            self.send_later(token, std::mem::take(output), after, rest);
            return false;
        }
        output.clear();
        match after {
            After::NextRequest => return true,
            After::Close => self.drop_connection(token),
            After::Linger => self.linger(token),
        }
        false
    }

    pub(super) fn send_later(&mut self, token: u64, output: Vec<u8>, after: After, rest: &[u8]) {
        let deadline = self.now + limits::GATE_WRITE_DEADLINE;
        let Some(connection) = self.table.get(token) else {
            return;
        };
        connection.state = State::Writing;
        connection.output = output;
        connection.after_output = after;
        connection.input = rest.to_vec();
        connection.deadline = deadline;
        if self
            .epoll
            .change(connection.stream.as_fd(), Watch::Write, token)
            .is_err()
        {
            self.drop_connection(token);
            return;
        }
        self.note_deadline(deadline);
    }

    /// Keeps what is not a whole head yet.
    pub(super) fn keep(&mut self, token: u64, rest: &[u8], timed: bool) {
        let now = self.now;
        let Some(connection) = self.table.get(token) else {
            return;
        };
        if rest.is_empty() {
            connection.park(now);
        } else {
            connection.input = rest.to_vec();
            if !timed {
                connection.since = now;
                connection.deadline = now + limits::HEAD_DEADLINE;
            }
        }
        let deadline = connection.deadline;
        self.note_deadline(deadline);
    }

    /// Shuts our side down and reads on for a while, so that the client sees the answer and not a reset.
    pub(super) fn linger(&mut self, token: u64) {
        let deadline = self.now + limits::LINGER;
        let Some(connection) = self.table.get(token) else {
            return;
        };
        connection.state = State::Lingering;
        connection.input = Vec::new();
        connection.deadline = deadline;
        let ready = connection.stream.shutdown(Shutdown::Write).and_then(|()| {
            self.epoll
                .change(connection.stream.as_fd(), Watch::Read, token)
        });
        if ready.is_err() {
            self.drop_connection(token);
            return;
        }
        self.note_deadline(deadline);
    }

    pub(super) fn drain(&mut self, token: u64) {
        let mut scrap = [0; READ_BYTES];
        let Some(connection) = self.table.get(token) else {
            return;
        };
        match connection.stream.read(&mut scrap) {
            Ok(count) if count > 0 && connection.drained < limits::LINGER_BYTES => {
                connection.drained += count as u64;
            }
            Err(error) if is_passing(&error) => {}
            _ => self.drop_connection(token),
        }
    }
}
