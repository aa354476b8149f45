//! The server: a gate that owns every socket nobody works for, and a pool of workers that block.
//!
//! tiny_http gives the words and the encoder of response heads; its own `Server` must not face a network (an announced
//! length is allocated, a pipelined queue is unbounded, half-sent requests keep threads), so accepting and reading are
//! done here, with bounds. May use `api`, `wire`, `config` and `sys`.
#![forbid(unsafe_code)]

mod access_log;
mod admission;
mod connection;
mod delivery;
mod door;
mod encode;
mod exchange;
mod followers;
mod gate;
mod inline;
pub mod listen;
pub mod notify;
mod outgoing;
mod pool;
pub mod probe;
mod reception;
mod request_id;
pub mod routes;
mod table;
mod turns;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use crate::api::Context;
use crate::config::{Config, Keys};
use crate::sys::signal::Signals;

/// Everything a running server needs.
pub struct Server {
    /// The effective configuration.
    pub config: Config,
    /// The keys that are accepted.
    pub keys: Keys,
    /// What the handlers use.
    pub context: Arc<Context>,
    /// Where to accept.
    pub listeners: Vec<TcpListener>,
    /// Where SIGTERM, SIGINT and SIGHUP arrive.
    pub signals: Signals,
}

impl Server {
    /// Serves until SIGTERM or SIGINT, then finishes what runs.
    pub fn run(self) -> io::Result<()> {
        gate::Gate::open(self)?.run()
    }
}
