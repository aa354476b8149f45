//! `NODE_AGENT_ALLOWED_IPS`: addresses and networks, both families.
#![forbid(unsafe_code)]

use std::fmt;
use std::net::IpAddr;

use super::ConfigError;
use crate::cidr::{self, Cidr};

/// A list of networks; a single address is a network of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowlist(Vec<Cidr>);

impl Allowlist {
    /// Reads a comma-separated list. A single bad entry spoils it: a typing error must not lock anybody in or out.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let entries = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let networks = entries
            .map(network)
            .collect::<Option<Vec<_>>>()
            .filter(|list| !list.is_empty());
        networks.map(Self).ok_or_else(|| ConfigError::Value {
            name: "NODE_AGENT_ALLOWED_IPS",
            value: text.to_owned(),
            expected: "addresses or networks like 10.120.0.5,192.168.1.0/24,2001:db8::/32",
        })
    }

    /// Whether `address`, already unwrapped by [`unmapped`], is on the list.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl fmt::Display for Allowlist {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, network) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(out, "{comma}{network}")?;
        }
        Ok(())
    }
}

/// Reads `10.0.0.0/8`, `10.0.0.1`, `fc00::/7`. An address of the peer's is compared unmapped, so entries are too.
fn network(text: &str) -> Option<Cidr> {
    let (address, prefix) = cidr::split(text).ok()?;
    match prefix {
        Some(prefix) => Cidr::new(unmapped(address), prefix).ok(),
        None => Some(unmapped(address).into()),
    }
}

/// `::ffff:10.0.0.1` is 10.0.0.1: a dual-stack socket shows IPv4 peers that way (RFC 4291, 2.5.5.2).
pub fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(list: &str, address: &str) -> bool {
        Allowlist::parse(list)
            .unwrap()
            .contains(unmapped(address.parse().unwrap()))
    }

    #[test]
    fn addresses_and_networks_of_both_families() {
        assert!(allows("10.120.0.5, 192.168.0.0/16", "10.120.0.5"));
        assert!(allows("10.120.0.5,192.168.0.0/16", "192.168.255.1"));
        assert!(!allows("10.120.0.5,192.168.0.0/16", "10.120.0.6"));
        assert!(allows("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(
            allows("2001:db8::/32", "2001:db8:1::1") && !allows("2001:db8::/32", "2001:db9::1")
        );
        assert!(allows("0.0.0.0/0", "8.8.8.8") && !allows("0.0.0.0/0", "::1"));
        assert!(allows("::/0", "::1") && !allows("::/0", "8.8.8.8"));
    }

    #[test]
    fn one_bad_entry_spoils_the_list() {
        for bad in [
            ",",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0",
            "::1/129",
            "host",
            "10.0.0.1,x",
            "10.0.0.0/",
            "1.2.3.4/+8",
        ] {
            assert!(Allowlist::parse(bad).is_err(), "{bad}");
        }
    }
}
