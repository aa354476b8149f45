//! A connection that belongs to the gate: idle, sending a head, taking an answer, or lingering.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Instant;

use crate::limits;
use crate::wire::scan::HeadScan;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Between requests, or in the middle of a head.
    Reading,
    /// An answer did not fit into the socket; nothing is read until it did.
    Writing,
    /// More requests have come than are answered in a row; they wait for a turn, and nothing more is read.
    Queued,
    /// Answered and shut down; what the client still sends is read and dropped.
    Lingering,
}

/// A connection in the gate.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    /// Whether the peer is on the allowlist.
    pub(super) allowed: bool,
    pub(super) state: State,
    /// Whether no request has come yet. Its client was never told that it may be sent away.
    pub(super) is_new: bool,
    /// When the present state, request or idleness began: the oldest goes first when places are short.
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    /// Bytes of a head that is not complete yet. Empty while idle.
    pub(super) input: Vec<u8>,
    pub(super) scan: HeadScan,
    /// Bytes of an answer that the socket did not take.
    pub(super) output: Vec<u8>,
    /// What happens when `output` has left.
    pub(super) after_output: After,
    /// Bytes dropped while lingering.
    pub(super) drained: u64,
}

/// What follows an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The next request.
    NextRequest,
    /// The end; nothing is in flight.
    Close,
    /// The end, with the client still sending.
    Linger,
}

impl Connection {
    /// A connection that was just accepted: its first head is due.
    pub(super) fn accepted(
        stream: TcpStream,
        peer: SocketAddr,
        allowed: bool,
        now: Instant,
    ) -> Self {
        Self {
            stream,
            peer,
            allowed,
            state: State::Reading,
            is_new: true,
            since: now,
            deadline: now + limits::HEAD_DEADLINE,
            input: Vec::new(),
            scan: HeadScan::default(),
            output: Vec::new(),
            after_output: After::NextRequest,
            drained: 0,
        }
    }

    /// Parks it until the next request.
    pub(super) fn park(&mut self, now: Instant) {
        self.state = State::Reading;
        self.is_new = false;
        self.since = now;
        self.deadline = now + limits::KEEP_ALIVE;
        self.input = Vec::new();
        self.scan = HeadScan::default();
    }

    /// Who counts as one when places are short: an IPv4 address, or the /64 that an IPv6 host has to itself.
    pub(super) fn neighbourhood(&self) -> IpAddr {
        match crate::config::allowlist::unmapped(self.peer.ip()) {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}
