//! The gate's connections: a slab with generations, so that an event for a closed connection cannot hit its successor.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use super::connection::Connection;

/// The gate's connections.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Connections of each neighbourhood, counted as they come and go: under a flood a victim is sought at every accept.
    crowds: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    connection: Option<Connection>,
}

impl Table {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Keeps `connection`; the token that finds it again.
    pub(super) fn insert(&mut self, connection: Connection) -> u64 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                connection: None,
            });
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        *self.crowds.entry(connection.neighbourhood()).or_default() += 1;
        let slot = &mut self.slots[index as usize];
        slot.connection = Some(connection);
        u64::from(slot.generation) << 32 | u64::from(index)
    }

    /// The connection of `token`, if it is still here.
    pub(super) fn get(&mut self, token: u64) -> Option<&mut Connection> {
        let slot = self.slots.get_mut(index_of(token))?;
        if slot.generation == generation_of(token) {
            slot.connection.as_mut()
        } else {
            None
        }
    }

    /// Takes the connection of `token` out.
    pub(super) fn remove(&mut self, token: u64) -> Option<Connection> {
        let slot = self.slots.get_mut(index_of(token))?;
        if slot.generation != generation_of(token) {
            return None;
        }
        let connection = slot.connection.take()?;
        let neighbourhood = connection.neighbourhood();
        if let Some(crowd) = self.crowds.get_mut(&neighbourhood) {
            *crowd -= 1;
            if *crowd == 0 {
                self.crowds.remove(&neighbourhood);
            }
        }
        slot.generation = slot.generation.wrapping_add(1) & 0x7fff_ffff;
        self.free
            .push(u32::try_from(index_of(token)).unwrap_or(u32::MAX));
        Some(connection)
    }

    /// All tokens with their connections.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Connection)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            Some((
                u64::from(slot.generation) << 32 | index as u64,
                slot.connection.as_ref()?,
            ))
        })
    }

    /// The tokens whose deadline has passed, and the earliest deadline of the others.
    pub(super) fn overdue(&self, now: Instant) -> (Vec<u64>, Option<Instant>) {
        let mut overdue = Vec::new();
        let mut earliest = None;
        for (token, connection) in self.iter() {
            if connection.deadline <= now {
                overdue.push(token);
            } else if earliest.is_none_or(|earliest| connection.deadline < earliest) {
                earliest = Some(connection.deadline);
            }
        }
        (overdue, earliest)
    }

    /// Who goes when places are short: the oldest connection of the address that has the most.
    pub(super) fn victim(&self) -> Option<u64> {
        let (&busiest, _) = self.crowds.iter().max_by_key(|(_, count)| **count)?;
        let of_busiest = self
            .iter()
            .filter(|(_, connection)| connection.neighbourhood() == busiest);
        of_busiest
            .min_by_key(|(_, connection)| connection.since)
            .map(|(token, _)| token)
    }
}

fn index_of(token: u64) -> usize {
    usize::try_from(token & 0xffff_ffff).unwrap_or(usize::MAX)
}

fn generation_of(token: u64) -> u32 {
    u32::try_from(token >> 32).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    fn connection(peer: &str, since: Instant) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        Connection::accepted(stream, peer.parse().unwrap(), true, since)
    }

    #[test]
    fn a_stale_token_finds_nobody() {
        let now = Instant::now();
        let mut table = Table::default();
        let first = table.insert(connection("10.0.0.1:1", now));
        assert!(table.remove(first).is_some());
        let second = table.insert(connection("10.0.0.2:1", now));
        assert_ne!(first, second);
        assert!(table.get(first).is_none() && table.remove(first).is_none());
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn the_oldest_of_the_busiest_address_goes_first() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut table = Table::default();
        table.insert(connection("10.0.0.9:1", start));
        table.insert(connection("[2001:db8::1]:1", later(3)));
        let oldest = table.insert(connection("[2001:db8::2]:1", later(2)));
        table.insert(connection("10.0.0.8:1", later(1)));
        assert_eq!(table.victim(), Some(oldest));
    }

    #[test]
    fn overdue_ones_and_the_next_deadline() {
        let start = Instant::now();
        let mut table = Table::default();
        let early = table.insert(connection("10.0.0.1:1", start));
        table.insert(connection("10.0.0.1:2", start + Duration::from_secs(5)));
        let (overdue, next) = table.overdue(start + crate::limits::HEAD_DEADLINE);
        assert_eq!(overdue, [early]);
        assert_eq!(
            next,
            Some(start + Duration::from_secs(5) + crate::limits::HEAD_DEADLINE)
        );
    }
}
