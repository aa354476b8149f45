//! Network interfaces of the machine, or of a network namespace. `/proc/net/dev`
#![forbid(unsafe_code)]

use std::io;

use serde::Serialize;

use super::{Machine, unreadable};

/// What went through an interface since it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Packets received damaged.
    pub rx_errors: u64,
    /// Packets received that found no room.
    pub rx_drops: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Packets that could not be sent.
    pub tx_errors: u64,
    /// Packets to be sent that found no room.
    pub tx_drops: u64,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// `eth0`
    pub interface: String,
    /// Its figures.
    #[serde(flatten)]
    pub counters: Counters,
}

impl Counters {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            rx_bytes: self.rx_bytes.saturating_add(other.rx_bytes),
            rx_packets: self.rx_packets.saturating_add(other.rx_packets),
            rx_errors: self.rx_errors.saturating_add(other.rx_errors),
            rx_drops: self.rx_drops.saturating_add(other.rx_drops),
            tx_bytes: self.tx_bytes.saturating_add(other.tx_bytes),
            tx_packets: self.tx_packets.saturating_add(other.tx_packets),
            tx_errors: self.tx_errors.saturating_add(other.tx_errors),
            tx_drops: self.tx_drops.saturating_add(other.tx_drops),
        }
    }
}

impl Machine {
    /// Its own interfaces, loopback included. Not the host's ends of containers' links (`veth…`): their names are new
    /// with each start of a container, which has the same figures.
    pub fn interfaces(&self) -> io::Result<Vec<Interface>> {
        let mut all =
            parse(&self.read("/proc/net/dev")?).ok_or_else(|| unreadable("/proc/net/dev"))?;
        all.retain(|interface| !interface.interface.starts_with("veth"));
        Ok(all)
    }

    /// The interfaces that process `pid` sees, without loopback, added up.
    pub fn network_of(&self, pid: u32) -> io::Result<Counters> {
        let path = format!("/proc/{pid}/net/dev");
        let all = parse(&self.read(&path)?).ok_or_else(|| unreadable(&path))?;
        let outward = all
            .into_iter()
            .filter(|interface| interface.interface != "lo");
        Ok(outward.fold(Counters::default(), |sum, one| sum.plus(one.counters)))
    }
}

/// Two lines of headings, then `name: ` and sixteen figures.
fn parse(text: &str) -> Option<Vec<Interface>> {
    let mut lines = text.lines();
    let is_known = lines.next()?.contains("Receive") && lines.next()?.contains("bytes");
    is_known.then(|| lines.filter_map(interface).collect())
}

fn interface(line: &str) -> Option<Interface> {
    let (name, figures) = line.rsplit_once(':')?;
    let mut words = figures
        .split_whitespace()
        .map(|word| word.parse::<u64>().ok());
    let mut figures = [0; 16];
    for figure in &mut figures {
        *figure = words.next()??;
    }
    Some(Interface {
        interface: name.trim().to_owned(),
        counters: Counters {
            rx_bytes: figures[0],
            rx_packets: figures[1],
            rx_errors: figures[2],
            rx_drops: figures[3],
            tx_bytes: figures[8],
            tx_packets: figures[9],
            tx_errors: figures[10],
            tx_drops: figures[11],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &str = "Inter-|   Receive                                                |  Transmit\n \
        face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";

    #[test]
    fn reads_the_kernels_figures() {
        let text = format!(
            "{HEAD}    lo: 5 6 0 0 0 0 0 0 5 6 0 0 0 0 0 0\n  eth0:466332713 15726 1 2 0 0 0 0 944025 12554 3 4 0 0 0 0\nbr:1: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n"
        );
        let all = parse(&text).unwrap();
        let names: Vec<_> = all.iter().map(|one| one.interface.as_str()).collect();
        assert_eq!(names, ["lo", "eth0", "br:1"]);
        let expected = Counters {
            rx_bytes: 466_332_713,
            rx_packets: 15726,
            rx_errors: 1,
            rx_drops: 2,
            tx_bytes: 944_025,
            tx_packets: 12554,
            tx_errors: 3,
            tx_drops: 4,
        };
        assert_eq!(all[1].counters, expected);
    }

    #[test]
    fn odd_files_and_lines() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("eth0: 1 2 3\n"), None);
        assert_eq!(
            parse(&format!("{HEAD}eth0: 1 2 3\nnothing\n x: a b\n")),
            Some(Vec::new())
        );
    }

    #[test]
    fn a_namespace_is_added_up_without_loopback() {
        let root = tempfile::tempdir().unwrap();
        let net = root.path().join("proc/7/net");
        std::fs::create_dir_all(&net).unwrap();
        let text = format!(
            "{HEAD}lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\neth0: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\neth1: 10 20 0 0 0 0 0 0 30 40 0 0 0 0 0 0\n"
        );
        std::fs::write(net.join("dev"), text).unwrap();
        let sum = Machine::below(root.path()).network_of(7).unwrap();
        assert_eq!(
            (sum.rx_bytes, sum.rx_packets, sum.tx_bytes, sum.tx_packets),
            (11, 22, 33, 44)
        );
    }

    #[test]
    fn this_machine_has_a_loopback() {
        let all = Machine::this().interfaces().unwrap();
        assert!(all.iter().any(|one| one.interface == "lo"));
    }

    proptest! {
        #[test]
        fn no_line_is_too_odd(line in "[ a-z0-9:.-]{0,80}") {
            let _ = interface(&line);
        }
    }
}
