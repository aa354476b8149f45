//! Where connections come from: sockets that systemd hands over, or one of our own.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::sys::{process, socket};

/// Why there is nothing to listen on.
#[derive(Debug)]
pub enum ListenError {
    /// The address cannot be had.
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// What systemd handed over is no listening TCP socket.
    HandedOver(io::Error),
}

impl fmt::Display for ListenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind { address, source } if source.kind() == io::ErrorKind::AddrInUse => {
                write!(
                    out,
                    "cannot listen on {address}: another program does; set NODE_AGENT_BIND to another port"
                )
            }
            Self::Bind { address, source } => write!(out, "cannot listen on {address}: {source}"),
            Self::HandedOver(source) => write!(
                out,
                "LISTEN_FDS: cannot use the socket handed over: {source}"
            ),
        }
    }
}

impl std::error::Error for ListenError {}

/// The listeners: those of `LISTEN_FDS` when they are meant for this process, otherwise one on `address`.
pub fn listeners(address: SocketAddr) -> Result<Vec<TcpListener>, ListenError> {
    match handed_over() {
        Some(count) => socket::take_handed_over(count).map_err(ListenError::HandedOver),
        None => socket::listen(address)
            .map(|one| vec![one])
            .map_err(|source| ListenError::Bind { address, source }),
    }
}

/// How many sockets were handed over. sd_listen_fds(3)
fn handed_over() -> Option<u32> {
    let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
    let is_ours = number("LISTEN_PID") == Some(process::id());
    number("LISTEN_FDS").filter(|count| is_ours && *count > 0)
}
