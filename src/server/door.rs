//! The gate's door: accepting, making room when places are short, and taking connections in.
#![forbid(unsafe_code)]

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;

use super::connection::Connection;
use super::gate::{Gate, LISTENER};
use crate::config::allowlist::unmapped;
use crate::limits;
use crate::sys::epoll::Watch;
use crate::sys::socket;

impl Gate {
    pub(super) fn accept(&mut self, token: u64) {
        let index = usize::try_from(token - LISTENER).unwrap_or(usize::MAX);
        for _ in 0..limits::ACCEPTS {
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

    pub(super) fn welcome(&mut self, stream: TcpStream, peer: SocketAddr) {
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

    pub(super) fn cannot_accept(&mut self, error: &io::Error) {
        if socket::is_out_of_descriptors(error) && self.make_room() {
            return;
        }
        log::error!("cannot accept connections: {error}");
        self.watch_listeners(false);
        self.accept_again = Some(self.now + limits::ACCEPT_REST);
    }

    pub(super) fn watch_listeners(&mut self, watch: bool) {
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

    pub(super) fn make_room(&mut self) -> bool {
        let victim = self.table.victim();
        victim
            .inspect(|token| self.drop_connection(*token))
            .is_some()
    }

    /// Takes a connection in: it gets a place, a watch and a deadline.
    pub(super) fn adopt(&mut self, connection: Connection) -> Option<u64> {
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
}
