//! `NODE_AGENT_ALLOWED_IPS`: addresses and networks, both families.
#![forbid(unsafe_code)]

use std::fmt;
use std::net::IpAddr;

use super::ConfigError;

/// A list of networks; a single address is a network of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowlist(Vec<Network>);

/// An address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Allowlist {
    /// Reads a comma-separated list. A single bad entry spoils it: a typing error must not lock anybody in or out.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let entries = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let networks = entries
            .map(Network::parse)
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
            write!(out, "{comma}{}/{}", network.address, network.prefix)?;
        }
        Ok(())
    }
}

impl Network {
    /// Reads `10.0.0.0/8`, `10.0.0.1`, `fc00::/7`. Bits beyond the prefix must be zero or the entry is a mistake.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(a, p)| (a, Some(p)));
        let address = unmapped(address.parse().ok()?);
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        let network = Self { address, prefix };
        let is_exact = prefix <= most && bits(address) & !network.mask() == 0;
        is_exact.then_some(network)
    }

    /// Whether `address` belongs to it.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && bits(address) & self.mask() == bits(self.address)
    }

    fn mask(&self) -> u128 {
        // Addresses stand at the top of the 128 bits, see `bits`.
        u128::MAX
            .checked_shl(128 - u32::from(self.prefix.min(128)))
            .unwrap_or(0)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => u128::from(v6),
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
