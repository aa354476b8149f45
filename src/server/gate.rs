//! The gate: the only thread that owns sockets nobody works for. Accepts, collects heads without blocking, answers
//! what needs no work, hands the rest to the pool, parks idle connections and sees refused ones off.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};

use super::Server;
use super::admission::Admission;
use super::connection::{Connection, State};
use super::exchange::{Returned, Then, Workshop};
use super::followers::Followers;
use super::inline::InlineCache;
use super::notify::Notifier;
use super::pool::Pool;
use super::request_id::RequestIds;
use super::table::Table;
use crate::api::Context;
use crate::config::{Allowlist, KeySources};
use crate::limits;
use crate::sys::epoll::{Epoll, Events, Wake, Watch};
use crate::sys::signal::{Signal, Signals};

/// Tokens of the gate's own descriptors; connections have smaller ones, as their generations have 31 bits.
pub(super) const LISTENER: u64 = 1 << 63;
const SIGNALS: u64 = LISTENER + (1 << 32);
const WAKE: u64 = SIGNALS + 1;

/// Bytes read from a connection at once. A client that pipelines without reading makes the gate keep this much of its
/// requests and [`OUTPUT_BYTES`] or so of answers, no more.
pub(super) const READ_BYTES: usize = 4 * 1024;
/// Bytes of answers that are gathered before they are sent.
pub(super) const OUTPUT_BYTES: usize = 8 * 1024;

/// The gate.
pub(super) struct Gate {
    pub(super) table: Table,
    pub(super) epoll: Epoll,
    pub(super) admission: Admission,
    pub(super) ids: RequestIds,
    pub(super) pool: Pool,
    pub(super) cache: InlineCache,
    pub(super) context: Arc<Context>,
    pub(super) stopping: Arc<AtomicBool>,
    /// The time of the present round; deadlines need no finer clock.
    pub(super) now: Instant,
    /// When the next deadline may pass; never later than the earliest one.
    pub(super) next_sweep: Option<Instant>,
    /// Connections that wait for a turn.
    pub(super) queue: VecDeque<u64>,
    pub(super) listeners: Vec<TcpListener>,
    signals: Signals,
    wake: Arc<Wake>,
    returns: Receiver<Returned>,
    notifier: Notifier,
    pub(super) allowed_ips: Option<Allowlist>,
    key_sources: KeySources,
    pub(super) max_connections: usize,
    followers: Arc<Followers>,
    next_watchdog: Option<Instant>,
    stop_by: Option<Instant>,
    pub(super) accept_again: Option<Instant>,
}

impl Gate {
    /// Opens the gate of `server`: everything is watched, nothing accepted yet.
    pub(super) fn open(server: Server) -> io::Result<Self> {
        let Server {
            config,
            keys,
            context,
            listeners,
            signals,
        } = server;
        let epoll = Epoll::new()?;
        let wake = Arc::new(Wake::new()?);
        let stopping = Arc::new(AtomicBool::new(false));
        let followers = Arc::new(Followers::default());
        let (sender, returns) = unbounded();
        epoll.add(signals.as_fd(), Watch::Read, SIGNALS)?;
        epoll.add(wake.as_fd(), Watch::Read, WAKE)?;
        for (token, listener) in (LISTENER..).zip(&listeners) {
            epoll.add(listener.as_fd(), Watch::Read, token)?;
        }
        let workshop = Workshop {
            context: Arc::clone(&context),
            returns: sender,
            wake: Arc::clone(&wake),
            stopping: Arc::clone(&stopping),
            followers: Arc::clone(&followers),
        };
        let notifier = Notifier::from_environment();
        let now = Instant::now();
        Ok(Self {
            table: Table::default(),
            epoll,
            admission: Admission::new(keys, config.require_auth_always),
            ids: RequestIds::new(),
            pool: Pool::new(config.workers, workshop),
            cache: InlineCache::default(),
            context,
            stopping,
            now,
            next_sweep: None,
            queue: VecDeque::new(),
            listeners,
            signals,
            wake,
            returns,
            followers,
            next_watchdog: notifier.watchdog.map(|interval| now + interval),
            notifier,
            allowed_ips: config.allowed_ips,
            key_sources: config.key_sources,
            max_connections: config.max_connections,
            stop_by: None,
            accept_again: None,
        })
    }

    /// Serves until a signal ends it and what runs is finished.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::new();
        self.notifier.ready();
        while !self.is_finished() {
            self.epoll.wait(&mut events, self.patience())?;
            self.now = Instant::now();
            for index in 0..events.len() {
                self.react(events.token(index));
            }
            self.take_turns();
            self.keep_time();
            let connections = self.table.len() + self.pool.running();
            self.context.counters.connections.set(connections);
        }
        Ok(())
    }

    /// Whether no further request is taken on.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop_by.is_some()
    }

    fn is_finished(&self) -> bool {
        let is_over = |by| {
            self.now >= by
                || (self.pool.running() == 0 && self.table.len() == 0 && self.returns.is_empty())
        };
        self.stop_by.is_some_and(is_over)
    }

    /// How long nothing needs to be done, if nothing happens.
    fn patience(&self) -> Option<Duration> {
        if !self.queue.is_empty() {
            return Some(Duration::ZERO);
        }
        let times = [
            self.next_sweep,
            self.next_watchdog,
            self.stop_by,
            self.accept_again,
        ];
        let next = times.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn react(&mut self, token: u64) {
        match token {
            SIGNALS => self.take_signals(),
            WAKE => self.take_returns(),
            _ if token >= LISTENER => self.accept(token),
            _ => self.serve(token),
        }
    }

    fn keep_time(&mut self) {
        if self.next_sweep.is_some_and(|time| time <= self.now) {
            let (overdue, next) = self.table.overdue(self.now);
            self.next_sweep = next;
            for token in overdue {
                self.run_out(token);
            }
        }
        if self.next_watchdog.is_some_and(|time| time <= self.now) {
            self.notifier.alive();
            self.next_watchdog = self.notifier.watchdog.map(|interval| self.now + interval);
        }
        if self.accept_again.is_some_and(|time| time <= self.now) {
            self.accept_again = None;
            self.watch_listeners(true);
        }
    }

    /// Somebody's time is over: who was sending a head is told, the others are dropped.
    fn run_out(&mut self, token: u64) {
        let is_sending = self.table.get(token).is_some_and(|connection| {
            connection.state == State::Reading && !connection.input.is_empty()
        });
        if is_sending {
            self.refuse_late(token);
        } else {
            self.drop_connection(token);
        }
    }

    fn take_signals(&mut self) {
        while let Some(signal) = self.signals.take() {
            match signal {
                Signal::Reload => self.reload_keys(),
                Signal::Terminate => self.begin_stop(),
            }
        }
    }

    fn reload_keys(&mut self) {
        self.notifier.reloading();
        match self.key_sources.read() {
            Ok(keys) => {
                self.admission.keys = keys;
                log::info!("the API keys were read again");
            }
            Err(error) => log::error!("the API keys stay as they are: {error}"),
        }
        self.notifier.ready();
    }

    fn begin_stop(&mut self) {
        if self.stop_by.is_some() {
            // The second signal: somebody is in a hurry.
            self.stop_by = Some(self.now);
            return;
        }
        log::info!("stopping: finishing what runs");
        self.notifier.stopping();
        self.stopping.store(true, Ordering::Relaxed);
        self.followers.send_away();
        self.stop_by = Some(self.now + limits::DRAIN_DEADLINE);
        self.watch_listeners(false);
        self.accept_again = None;
        // Closed, so that new clients are refused at once instead of waiting in the kernel's queue.
        self.listeners.clear();
        self.send_idle_away();
    }

    /// Idle connections end at once; who is sending a head has a moment to finish it, and who was just accepted to begin:
    /// the request may be on its way or in the socket already, and a new client does not expect to have to ask again.
    fn send_idle_away(&mut self) {
        let soon = self.now + limits::STOP_HEAD_DEADLINE;
        let reading = |connection: &Connection| connection.state == State::Reading;
        let tokens: Vec<_> = self
            .table
            .iter()
            .filter(|(_, c)| reading(c))
            .map(|(token, _)| token)
            .collect();
        for token in tokens {
            match self.table.get(token) {
                Some(connection) if connection.is_new || !connection.input.is_empty() => {
                    connection.deadline = connection.deadline.min(soon);
                }
                _ => self.drop_connection(token),
            }
        }
        self.note_deadline(soon);
    }

    fn take_returns(&mut self) {
        self.wake.clear();
        while let Ok(returned) = self.returns.try_recv() {
            self.take_back(returned);
        }
    }

    fn take_back(&mut self, returned: Returned) {
        let mut connection = Connection::accepted(returned.stream, returned.peer, true, self.now);
        match returned.then {
            Then::Close => {}
            Then::Linger => {
                if let Some(token) = self.adopt(connection) {
                    self.linger(token);
                }
            }
            Then::Keep(ahead) if self.stop_by.is_some() && ahead.is_empty() => {}
            Then::Keep(ahead) => {
                connection.park(self.now);
                if let Some(token) = self.adopt(connection)
                    && !ahead.is_empty()
                {
                    self.take_bytes(token, &ahead);
                }
            }
        }
    }

    /// A deadline was set: the next sweep is not later.
    pub(super) fn note_deadline(&mut self, deadline: Instant) {
        self.next_sweep = Some(
            self.next_sweep
                .map_or(deadline, |sweep| sweep.min(deadline)),
        );
    }

    /// Closes a connection. Closing the descriptor takes it out of epoll too.
    pub(super) fn drop_connection(&mut self, token: u64) {
        self.table.remove(token);
    }

    /// A connection is ready for what it is watched for.
    fn serve(&mut self, token: u64) {
        let Some(connection) = self.table.get(token) else {
            return;
        };
        match connection.state {
            State::Writing => self.go_on_writing(token),
            State::Lingering => self.drain(token),
            // Nothing is watched but errors and hangups.
            State::Queued => self.drop_connection(token),
            State::Reading => self.read(token),
        }
    }

    fn read(&mut self, token: u64) {
        let mut buffer = [0; READ_BYTES];
        let Some(connection) = self.table.get(token) else {
            return;
        };
        match connection.stream.read(&mut buffer) {
            Ok(0) => self.drop_connection(token),
            Ok(count) => self.take_bytes(token, &buffer[..count]),
            Err(error) if is_passing(&error) => {}
            Err(_) => self.drop_connection(token),
        }
    }
}

/// Whether `error` only says "not now".
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
