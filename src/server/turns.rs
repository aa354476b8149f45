//! Taking turns: a client that sends many requests at once gets some of them answered, then the others come first.
//! Who waits for a turn is not watched, and only so many get one between two looks at the sockets, so what an ordinary
//! client waits for does not grow with the number of those who flood.
#![forbid(unsafe_code)]

use std::os::fd::AsFd;

use super::connection::State;
use super::gate::Gate;
use crate::limits;
use crate::sys::epoll::Watch;

/// Requests of one connection that the gate answers in a row.
pub(super) const HEADS_A_TURN: usize = 16;
/// Turns between two looks at the sockets.
const TURNS_A_ROUND: usize = 8;

impl Gate {
    /// Lets `rest`, which begins with more requests, wait for a turn.
    pub(super) fn postpone(&mut self, token: u64, rest: &[u8]) {
        let deadline = self.now + limits::GATE_WRITE_DEADLINE;
        let Some(connection) = self.table.get(token) else {
            return;
        };
        connection.state = State::Queued;
        connection.input = rest.to_vec();
        connection.deadline = deadline;
        let fd = connection.stream.as_fd();
        if self.epoll.change(fd, Watch::Nothing, token).is_err() {
            self.drop_connection(token);
            return;
        }
        self.queue.push_back(token);
        self.note_deadline(deadline);
    }

    /// Gives the next ones their turn.
    pub(super) fn take_turns(&mut self) {
        for _ in 0..TURNS_A_ROUND {
            let Some(token) = self.queue.pop_front() else {
                return;
            };
            self.take_turn(token);
        }
    }

    fn take_turn(&mut self, token: u64) {
        let now = self.now;
        // It may have been dropped meanwhile.
        let Some(connection) = self.table.get(token) else {
            return;
        };
        let input = std::mem::take(&mut connection.input);
        connection.park(now);
        let fd = connection.stream.as_fd();
        if self.epoll.change(fd, Watch::Read, token).is_err() {
            self.drop_connection(token);
            return;
        }
        self.take_bytes(token, &input);
    }
}
