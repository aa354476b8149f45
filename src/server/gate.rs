//! The gate: the only thread that owns sockets nobody works for. Accepts, collects heads without blocking, answers
//! what needs no work, hands the rest to the pool, parks idle connections and sees refused ones off.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};

use super::Server;
use super::admission::Admission;
use super::connection::{After, Connection, State};
use super::exchange::{Returned, Then, Workshop};
use super::followers::Followers;
use super::inline::InlineCache;
use super::notify::Notifier;
use super::pool::Pool;
use super::request_id::RequestIds;
use super::table::Table;
use crate::api::Context;
use crate::config::allowlist::unmapped;
use crate::config::{Allowlist, KeySources};
use crate::limits;
use crate::sys::epoll::{Epoll, Events, Wake, Watch};
use crate::sys::signal::{Signal, Signals};
use crate::sys::socket;

/// Tokens of the gate's own descriptors; connections have smaller ones, as their generations have 31 bits.
const LISTENER: u64 = 1 << 63;
const SIGNALS: u64 = LISTENER + (1 << 32);
const WAKE: u64 = SIGNALS + 1;

/// Bytes read from a connection at once. A client that pipelines without reading makes the gate keep this much of its
/// requests and [`OUTPUT_BYTES`] or so of answers, no more.
pub(super) const READ_BYTES: usize = 4 * 1024;
/// Bytes of answers that are gathered before they are sent.
pub(super) const OUTPUT_BYTES: usize = 8 * 1024;
/// Connections accepted in one go, so that a flood of them does not starve the others.
const ACCEPTS: usize = 64;
/// How long accepting rests when the system has no descriptors and nobody can be sent away.
const ACCEPT_REST: Duration = Duration::from_millis(100);

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
    listeners: Vec<TcpListener>,
    signals: Signals,
    wake: Arc<Wake>,
    returns: Receiver<Returned>,
    notifier: Notifier,
    allowed_ips: Option<Allowlist>,
    key_sources: KeySources,
    max_connections: usize,
    followers: Arc<Followers>,
    next_watchdog: Option<Instant>,
    stop_by: Option<Instant>,
    accept_again: Option<Instant>,
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
            self.keep_time();
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
            self.refuse_late(token)
        } else {
            self.drop_connection(token)
        }
    }

    fn take_signals(&mut self) {
        while let Some(signal) = self.signals.next() {
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
        let idle = |connection: &Connection| {
            connection.state == State::Reading && connection.input.is_empty()
        };
        let tokens: Vec<_> = self
            .table
            .iter()
            .filter(|(_, c)| idle(c))
            .map(|(token, _)| token)
            .collect();
        for token in tokens {
            self.drop_connection(token);
        }
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

    fn accept(&mut self, token: u64) {
        let index = usize::try_from(token - LISTENER).unwrap_or(usize::MAX);
        for _ in 0..ACCEPTS {
            let Some(listener) = self.listeners.get(index) else {
                return;
            };
            match socket::accept(listener) {
                Ok(Some((stream, peer))) => self.welcome(stream, peer),
                Ok(None) => return,
                Err(error) => {
                    self.cannot_accept(&error);
                    return;
                }
            }
        }
    }

    fn welcome(&mut self, stream: std::net::TcpStream, peer: SocketAddr) {
        let allowed = self
            .allowed_ips
            .as_ref()
            .is_none_or(|list| list.contains(unmapped(peer.ip())));
        if self.table.len() + self.pool.running() >= self.max_connections && !self.make_room() {
            // Everybody is being served; there is nobody to send away but the newcomer.
            socket::reset_on_close(stream.as_fd());
            return;
        }
        self.adopt(Connection::accepted(stream, peer, allowed, self.now));
    }

    fn cannot_accept(&mut self, error: &io::Error) {
        if socket::is_out_of_descriptors(error) && self.make_room() {
            return;
        }
        log::error!("cannot accept connections: {error}");
        self.watch_listeners(false);
        self.accept_again = Some(self.now + ACCEPT_REST);
    }

    fn watch_listeners(&mut self, watch: bool) {
        for (token, listener) in (LISTENER..).zip(&self.listeners) {
            let done = if watch {
                self.epoll.add(listener.as_fd(), Watch::Read, token)
            } else {
                self.epoll.remove(listener.as_fd())
            };
            if let Err(error) = done {
                log::debug!("listener {token}: {error}");
            }
        }
    }

    fn make_room(&mut self) -> bool {
        let victim = self.table.victim();
        victim
            .inspect(|token| self.drop_connection(*token))
            .is_some()
    }

    /// Takes a connection in: it gets a place, a watch and a deadline.
    fn adopt(&mut self, connection: Connection) -> Option<u64> {
        let deadline = connection.deadline;
        let token = self.table.insert(connection);
        let connection = self.table.get(token)?;
        if let Err(error) = self
            .epoll
            .add(connection.stream.as_fd(), Watch::Read, token)
        {
            log::error!("cannot watch a connection: {error}");
            self.table.remove(token);
            return None;
        }
        self.note_deadline(deadline);
        Some(token)
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

    /// Sends what is left of an answer; then goes on as planned.
    fn go_on_writing(&mut self, token: u64) {
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
    fn written(&mut self, token: u64) {
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

    /// Shuts our side down and reads on for a while, so that the client sees the answer and not a reset.
    pub(super) fn linger(&mut self, token: u64) {
        let deadline = self.now + limits::LINGER;
        let Some(connection) = self.table.get(token) else {
            return;
        };
        connection.state = State::Lingering;
        connection.input = Vec::new();
        connection.deadline = deadline;
        let ready = connection
            .stream
            .shutdown(std::net::Shutdown::Write)
            .and_then(|()| {
                self.epoll
                    .change(connection.stream.as_fd(), Watch::Read, token)
            });
        if ready.is_err() {
            self.drop_connection(token);
            return;
        }
        self.note_deadline(deadline);
    }

    fn drain(&mut self, token: u64) {
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

/// Whether `error` only says "not now".
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
