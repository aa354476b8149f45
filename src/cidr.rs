//! Networks in CIDR notation (RFC 4632, RFC 4291, 2.3), both families. A leaf: uses std alone.
#![forbid(unsafe_code)]

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: an address and how many of its leading bits count. The other bits are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

/// Why a text or a pair is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CidrError {
    /// It is no address, or what stands behind the slash is no number.
    NotANetwork,
    /// There are not so many bits in an address of its family.
    PrefixTooLong {
        /// How many there are.
        most: u8,
    },
    /// Bits beyond the prefix are set: who wrote it may have meant another prefix, or one address.
    HostBits {
        /// The network that the address belongs to.
        network: Cidr,
    },
}

impl Cidr {
    /// The network that these leading bits of `address` name.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, CidrError> {
        let most = width(address);
        if prefix > most {
            return Err(CidrError::PrefixTooLong { most });
        }
        let network = Self {
            address: first(address, prefix),
            prefix,
        };
        if network.address == address {
            Ok(network)
        } else {
            Err(CidrError::HostBits { network })
        }
    }

    /// Reads `10.0.0.0/8`, `fc00::/7`, and single addresses.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = split(text)?;
        match prefix {
            Some(prefix) => Self::new(address, prefix),
            None => Ok(address.into()),
        }
    }

    /// All addresses of IPv4.
    pub fn everything_ipv4() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            prefix: 0,
        }
    }

    /// All addresses of IPv6.
    pub fn everything_ipv6() -> Self {
        Self {
            address: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            prefix: 0,
        }
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Its last address: the broadcast address of an IPv4 network.
    pub fn last(&self) -> IpAddr {
        let last = bits(self.address) | !mask(self.prefix);
        match self.address {
            // The upper half has the address, see `bits`.
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(last >> 96).unwrap_or(u32::MAX).into()),
            IpAddr::V6(_) => IpAddr::V6(last.into()),
        }
    }

    /// How many leading bits are the network's.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether it is of IPv4.
    pub fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether it is one address.
    pub fn is_single(&self) -> bool {
        self.prefix == width(self.address)
    }

    /// Whether `address` belongs to it.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.is_ipv4() && first(address, self.prefix) == self.address
    }

    /// Whether all of `other` belongs to it.
    pub fn includes(&self, other: &Self) -> bool {
        other.prefix >= self.prefix && self.contains(other.address)
    }

    /// Whether the two have an address in common: then one includes the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.includes(other) || other.includes(self)
    }
}

impl From<IpAddr> for Cidr {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            prefix: width(address),
        }
    }
}

/// Takes `ADDRESS` or `ADDRESS/PREFIX` apart.
pub fn split(text: &str) -> Result<(IpAddr, Option<u8>), CidrError> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| CidrError::NotANetwork)?;
    let Some(digits) = prefix else {
        return Ok((address, None));
    };
    // parse takes a leading plus, people do not write one.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CidrError::NotANetwork);
    }
    let too_long = CidrError::PrefixTooLong {
        most: width(address),
    };
    digits
        .parse()
        .map(|prefix| (address, Some(prefix)))
        .map_err(|_| too_long)
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with everything beyond the prefix zero.
fn first(address: IpAddr, prefix: u8) -> IpAddr {
    let kept = bits(address) & mask(prefix);
    match address {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(kept >> 96).unwrap_or_default().into()),
        IpAddr::V6(_) => IpAddr::V6(kept.into()),
    }
}

/// Addresses stand at the top of the 128 bits, so that one mask fits both families.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn mask(prefix: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(prefix.min(128)))
        .unwrap_or(0)
}

impl fmt::Display for Cidr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Display for CidrError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANetwork => out.write_str("it is no network like 10.5.0.0/24 or fd00:5::/64"),
            Self::PrefixTooLong { most } => {
                write!(out, "the number behind the slash is at most {most}")
            }
            Self::HostBits { network } => write!(
                out,
                "it has bits set beyond its prefix; the network is {network}"
            ),
        }
    }
}

impl std::error::Error for CidrError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn both_families_are_read() {
        for (text, first, last) in [
            ("10.0.0.0/8", "10.0.0.0", "10.255.255.255"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.3"),
            ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
            ("fd00:1::/64", "fd00:1::", "fd00:1::ffff:ffff:ffff:ffff"),
            ("::1", "::1", "::1"),
        ] {
            let network = cidr(text);
            assert_eq!(network.address().to_string(), first);
            assert_eq!(network.last().to_string(), last);
            assert_eq!(cidr(&network.to_string()), network);
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for text in [
            "",
            "x",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/x",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            " 10.0.0.0/8",
            "10.0.0.0/8/8",
            "010.0.0.0/8",
            "/8",
            "10.0.0.0/8\n",
        ] {
            assert_eq!(Cidr::parse(text), Err(CidrError::NotANetwork), "{text:?}");
        }
        for (text, most) in [("10.0.0.0/33", 32), ("10.0.0.0/999", 32), ("::/129", 128)] {
            assert_eq!(Cidr::parse(text), Err(CidrError::PrefixTooLong { most }));
        }
        let network = cidr("10.5.0.0/24");
        assert_eq!(
            Cidr::parse("10.5.0.1/24"),
            Err(CidrError::HostBits { network })
        );
    }

    #[test]
    fn families_never_mix() {
        assert!(!cidr("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(!cidr("::/0").contains("10.0.0.1".parse().unwrap()));
        assert!(!cidr("::/0").overlaps(&cidr("0.0.0.0/0")));
    }

    proptest! {
        #[test]
        fn a_network_overlaps_what_has_an_address_in_common(
            left in any::<u32>(), right in any::<u32>(), width in 0u8..=32, other in 0u8..=32,
        ) {
            let network = |address: u32, prefix| Cidr {
                address: first(IpAddr::V4(address.into()), prefix),
                prefix,
            };
            let (left, right) = (network(left, width), network(right, other));
            let disjoint = left.last() < right.address() || right.last() < left.address();
            prop_assert_eq!(left.overlaps(&right), !disjoint);
            prop_assert!(left.contains(left.address()) && left.contains(left.last()));
        }
    }
}
