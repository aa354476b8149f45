//! The machine's network interfaces, from `/proc` and `/sys`: what a new network of containers must not take away.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::cidr::Cidr;

/// A network that an interface of the machine is in.
#[derive(Debug, PartialEq, Eq)]
pub struct Connected {
    /// The interface.
    pub interface: String,
    /// The network.
    pub network: Cidr,
}

/// What there is by the name of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// None.
    Nothing,
    /// A bridge.
    Bridge,
    /// Another one, such as a network card.
    Other,
}

/// The networks that the machine reaches without a gateway. IPv6 link-local ones, which every interface has, are left
/// out. The lines of both files are the kernel's, a few hundred bytes each.
pub fn connected() -> io::Result<Vec<Connected>> {
    let mut found: Vec<_> = fs::read_to_string("/proc/net/route")?
        .lines()
        .filter_map(ipv4_route)
        .collect();
    match fs::read_to_string("/proc/net/ipv6_route") {
        Ok(text) => found.extend(text.lines().filter_map(ipv6_route)),
        // A kernel without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(found)
}

/// What `name`, which has no slash, is.
pub fn kind(name: &str) -> Interface {
    let place = Path::new("/sys/class/net").join(name);
    if place.join("bridge").is_dir() {
        Interface::Bridge
    } else if place.exists() {
        Interface::Other
    } else {
        Interface::Nothing
    }
}

/// A line of `/proc/net/route`: interface, destination, gateway, flags, three counters, mask; addresses are the bytes of
/// memory as a number of this machine.
fn ipv4_route(line: &str) -> Option<Connected> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let number = |index: usize| u32::from_str_radix(words.get(index)?, 16).ok();
    let address = |index| Some(Ipv4Addr::from(number(index)?.to_ne_bytes()));
    let mask = number(7)?;
    if mask == 0 || !address(2)?.is_unspecified() {
        return None;
    }
    let prefix = u8::try_from(mask.count_ones()).ok()?;
    Some(Connected {
        interface: (*words.first()?).to_owned(),
        network: Cidr::new(IpAddr::V4(address(1)?), prefix).ok()?,
    })
}

/// A line of `/proc/net/ipv6_route`: destination, its prefix, source, its prefix, gateway, four counters, interface;
/// addresses are 32 hexadecimal digits, prefixes two.
fn ipv6_route(line: &str) -> Option<Connected> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let address = |index: usize| {
        u128::from_str_radix(words.get(index)?, 16)
            .ok()
            .map(Ipv6Addr::from)
    };
    let prefix = u8::from_str_radix(words.get(1)?, 16).ok()?;
    let destination = address(0)?;
    let is_everywhere = destination.is_unicast_link_local()
        || destination.is_multicast()
        || destination.is_loopback();
    if prefix == 0 || is_everywhere || !address(4)?.is_unspecified() {
        return None;
    }
    Some(Connected {
        interface: (*words.last()?).to_owned(),
        network: Cidr::new(IpAddr::V6(destination), prefix).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(connected: Option<Connected>) -> Option<String> {
        connected.map(|found| format!("{} {}", found.interface, found.network))
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn ipv4_routes_of_a_machine() {
        let lines = "\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	01C8D50A	0003	0	0	0	00000000	0	0	0
eth0	00C8D50A	00000000	0001	0	0	0	00FFFFFF	0	0	0
tun0	0000080A	01C8D50A	0003	0	0	0	00FFFFFF	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
";
        let found: Vec<_> = lines
            .lines()
            .filter_map(|line| shown(ipv4_route(line)))
            .collect();
        assert_eq!(found, ["eth0 10.213.200.0/24", "docker0 172.17.0.0/16"]);
    }

    #[test]
    fn ipv6_routes_of_a_machine() {
        let zero = "00000000000000000000000000000000";
        let rest = "00000100 00000001 00000000 00000001";
        let line = |destination: &str, prefix: &str, gateway: &str| {
            format!("{destination} {prefix} {zero} 00 {gateway} {rest}     eth0")
        };
        let ours = "fd0000000005000000000000000000ff";
        let network = "fd000000000500000000000000000000";
        assert_eq!(
            shown(ipv6_route(&line(network, "40", zero))).unwrap(),
            "eth0 fd00:0:5::/64"
        );
        assert_eq!(
            shown(ipv6_route(&line(ours, "80", zero))).unwrap(),
            "eth0 fd00:0:5::ff/128"
        );
        for other in [
            line(zero, "00", zero),
            line(network, "40", ours),
            line("fe800000000000000000000000000000", "40", zero),
            line("ff000000000000000000000000000000", "08", zero),
            String::new(),
        ] {
            assert_eq!(ipv6_route(&other), None, "{other}");
        }
    }

    #[test]
    fn this_machine_is_read() {
        connected().unwrap();
        assert_eq!(kind("lo"), Interface::Other);
        assert_eq!(kind("nosuchinterface"), Interface::Nothing);
    }
}
