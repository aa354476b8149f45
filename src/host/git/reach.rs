//! Whether anybody is at home, before git is asked to go there: git itself waits two minutes for a host that does not
//! answer, and tells an unknown one in a sentence only. ssh has a limit of its own (ConnectTimeout), and its
//! configuration may give a host another name.
#![forbid(unsafe_code)]

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

use super::GitError;
use super::address::{Address, Scheme};
use crate::limits;

/// Connects and hangs up. The resolver has limits of its own (resolv.conf(5): ten seconds for each server).
pub(super) fn check(address: &Address) -> Result<(), GitError> {
    if address.scheme == Scheme::Ssh {
        return Ok(());
    }
    let host = address.host.trim_matches(['[', ']']);
    let port = address.port.unwrap_or(address.scheme.port());
    connect(host, port).map_err(|source| GitError::Unreachable {
        place: format!("{}:{port}", address.host),
        source,
    })
}

fn connect(host: &str, port: u16) -> io::Result<()> {
    let until = Instant::now() + limits::GIT_CONNECT;
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        let left = until.saturating_duration_since(Instant::now());
        match TcpStream::connect_timeout(&address, left.max(limits::LEAST_CONNECT)) {
            Ok(_) => return Ok(()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
