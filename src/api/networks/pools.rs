//! `ipam_config`: a subnet, or an array of them, with gateway, range and reserved addresses.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};

use super::body::BRIDGE;
use crate::api::ApiError;
use crate::cidr::{Cidr, CidrError};
use crate::engine::networks::Pool;
use crate::limits;

/// The field as it came.
#[derive(Debug, Default)]
pub(super) enum Pools {
    /// Not at all: the engine takes a subnet of its own.
    #[default]
    None,
    /// An object.
    One(PoolBody),
    /// An array.
    List(Vec<PoolBody>),
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PoolBody {
    subnet: Option<String>,
    gateway: Option<String>,
    ip_range: Option<String>,
    #[serde(alias = "aux_address")]
    aux_addresses: Option<BTreeMap<String, String>>,
}

/// A subnet, and the field that names it.
#[derive(Debug)]
pub(super) struct Subnet {
    /// `ipam_config[1].subnet`.
    pub(super) field: String,
    /// The subnet.
    pub(super) network: Cidr,
}

/// Each subnet, and what the engine gets of it.
pub(super) fn read(pools: &Pools) -> Result<Vec<(Subnet, Pool)>, ApiError> {
    match pools {
        Pools::None => Ok(Vec::new()),
        Pools::One(pool) if pool.is_empty() => Ok(Vec::new()),
        Pools::One(pool) => Ok(vec![pool.read("ipam_config")?]),
        Pools::List(list) if list.len() > limits::NETWORK_SUBNETS => Err(ApiError::field(
            "ipam_config",
            &format!("has more than {} subnets", limits::NETWORK_SUBNETS),
        )),
        Pools::List(list) => list
            .iter()
            .enumerate()
            .map(|(index, pool)| pool.read(&format!("ipam_config[{index}]")))
            .collect(),
    }
}

/// Whether the subnets go together in a network of this driver.
pub(super) fn check_together(subnets: &[Subnet], driver: &str) -> Result<(), ApiError> {
    for (index, subnet) in subnets.iter().enumerate() {
        for earlier in &subnets[..index] {
            let (one, other) = (subnet.network, earlier.network);
            if one.overlaps(&other) {
                let what = format!(
                    "is {one}, which overlaps with {other} of `{}`",
                    earlier.field
                );
                return Err(ApiError::field(&subnet.field, &what));
            }
            if driver == BRIDGE && one.is_ipv4() == other.is_ipv4() {
                let what = format!(
                    "is a second subnet beside `{}`; a bridge has at most one of IPv4 and one of IPv6",
                    earlier.field
                );
                return Err(ApiError::field(&subnet.field, &what));
            }
        }
    }
    Ok(())
}

impl PoolBody {
    fn is_empty(&self) -> bool {
        self.subnet.is_none()
            && self.gateway.is_none()
            && self.ip_range.is_none()
            && self.aux_addresses.is_none()
    }

    /// This subnet, which is the field `name`.
    fn read(&self, name: &str) -> Result<(Subnet, Pool), ApiError> {
        let field = |part: &str| format!("{name}.{part}");
        let given = self.subnet.as_deref().ok_or_else(|| {
            ApiError::field(&field("subnet"), "is required, a network like 10.5.0.0/24")
        })?;
        let subnet = network(&field("subnet"), given)?;
        check_use(&field("subnet"), subnet)?;
        let mut pool = Pool {
            subnet: subnet.to_string(),
            ..Pool::default()
        };
        let mut taken: Option<IpAddr> = None;
        if let Some(gateway) = &self.gateway {
            let address = address_within(&field("gateway"), gateway, subnet)?;
            taken = Some(address);
            pool.gateway = address.to_string();
        }
        if let Some(range) = &self.ip_range {
            let cidr = network(&field("ip_range"), range)?;
            if !subnet.includes(&cidr) {
                let what = format!("is {cidr}, which is not within the subnet {subnet}");
                return Err(ApiError::field(&field("ip_range"), &what));
            }
            pool.ip_range = cidr.to_string();
        }
        if let Some(others) = &self.aux_addresses {
            pool.auxiliary_addresses =
                Some(reserved(&field("aux_addresses"), others, subnet, taken)?);
        }
        let found = Subnet {
            field: field("subnet"),
            network: subnet,
        };
        Ok((found, pool))
    }
}

/// The addresses that no container gets.
fn reserved(
    name: &str,
    others: &BTreeMap<String, String>,
    subnet: Cidr,
    gateway: Option<IpAddr>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut taken: Vec<IpAddr> = gateway.into_iter().collect();
    let mut found = BTreeMap::new();
    for (host, text) in others {
        let field = format!("{name}.{}", shown(host));
        if host.is_empty() {
            return Err(ApiError::field(&field, "has no name"));
        }
        let address = address_within(&field, text, subnet)?;
        if taken.contains(&address) {
            let what = format!("is {address}, which is another one's already");
            return Err(ApiError::field(&field, &what));
        }
        taken.push(address);
        found.insert(host.clone(), address.to_string());
    }
    Ok(found)
}

fn network(field: &str, text: &str) -> Result<Cidr, ApiError> {
    // An address alone would be a network of one, which nobody means here.
    let parsed = if text.contains('/') {
        Cidr::parse(text)
    } else {
        Err(CidrError::NotANetwork)
    };
    parsed.map_err(|error| ApiError::field(field, &format!("is `{}`: {error}", shown(text))))
}

/// Whether containers can have addresses of it.
fn check_use(field: &str, subnet: Cidr) -> Result<(), ApiError> {
    let address = subnet.address();
    let why_not = if subnet.is_ipv4() && subnet.prefix() > 30 {
        "has no room for a gateway and a container"
    } else if subnet.prefix() > 126 {
        "has no room for a gateway and containers"
    } else if address.is_loopback() {
        "is of the loopback interface"
    } else if address.is_multicast() {
        "is of multicast addresses"
    } else if address.is_unspecified() {
        "is of addresses that no machine can have"
    } else {
        return Ok(());
    };
    Err(ApiError::field(
        field,
        &format!("is {subnet}, which {why_not}"),
    ))
}

/// An address that a machine in `subnet` can have.
fn address_within(field: &str, text: &str, subnet: Cidr) -> Result<IpAddr, ApiError> {
    let address: IpAddr = text.parse().map_err(|_| {
        let what = format!("is `{}`, which is no address like 10.5.0.1", shown(text));
        ApiError::field(field, &what)
    })?;
    let why_not = if !subnet.contains(address) {
        "is not within the subnet"
    } else if address == subnet.address() {
        "is the subnet's own address, of"
    } else if subnet.is_ipv4() && address == subnet.last() {
        "is the broadcast address of"
    } else {
        return Ok(address);
    };
    let what = format!("is {address}, which {why_not} {subnet}");
    Err(ApiError::field(field, &what))
}

/// Somebody's text in a message: short and on one line.
fn shown(text: &str) -> String {
    let kept = text.chars().take(60);
    kept.flat_map(char::escape_debug).collect()
}

struct PoolsVisitor;

impl<'de> Visitor<'de> for PoolsVisitor {
    type Value = Pools;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object like {\"subnet\": \"10.5.0.0/24\"} or an array of them")
    }

    fn visit_unit<E: Error>(self) -> Result<Pools, E> {
        Ok(Pools::None)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Pools, A::Error> {
        PoolBody::deserialize(MapAccessDeserializer::new(members)).map(Pools::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Pools, A::Error> {
        let mut list = Vec::new();
        while let Some(pool) = items.next_element()? {
            list.push(pool);
        }
        Ok(Pools::List(list))
    }
}

impl<'de> Deserialize<'de> for Pools {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PoolsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refusal(given: &Value) -> String {
        let pools: Pools = serde_json::from_value(given.clone()).unwrap();
        let refused = read(&pools).and_then(|read| {
            let subnets: Vec<_> = read.into_iter().map(|(subnet, _)| subnet).collect();
            check_together(&subnets, BRIDGE)
        });
        refused.map_or_else(|error| error.to_string(), |()| "taken".to_owned())
    }

    #[test]
    fn what_docker_network_create_takes_is_taken() {
        for good in [
            json!(null),
            json!({}),
            json!([]),
            json!({"subnet": "10.5.0.0/30"}),
            json!({"subnet": "10.5.0.0/24", "gateway": "10.5.0.254"}),
            json!({"subnet": "10.5.0.0/24", "gateway": "10.5.0.1", "ip_range": "10.5.0.128/25"}),
            json!({"subnet": "10.5.0.0/24", "ip_range": "10.5.0.0/24", "aux_addresses": {"a": "10.5.0.5"}}),
            json!({"subnet": "fd00:5::/64", "gateway": "fd00:5::1"}),
            json!([{"subnet": "10.5.0.0/24"}, {"subnet": "fd00:5::/64"}]),
        ] {
            assert_eq!(refusal(&good), "taken", "{good}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        for (given, sentence) in [
            (
                json!({"gateway": "10.5.0.1"}),
                "field `ipam_config.subnet` is required, a network like 10.5.0.0/24",
            ),
            (
                json!([{"subnet": "10.5.0.0/24"}, {}]),
                "field `ipam_config[1].subnet` is required, a network like 10.5.0.0/24",
            ),
            (
                json!({"subnet": "x"}),
                "field `ipam_config.subnet` is `x`: it is no network like 10.5.0.0/24 or fd00:5::/64",
            ),
            (
                json!({"subnet": "10.5.0.0"}),
                "field `ipam_config.subnet` is `10.5.0.0`: it is no network like 10.5.0.0/24 or fd00:5::/64",
            ),
            (
                json!({"subnet": "10.5.0.0/33"}),
                "field `ipam_config.subnet` is `10.5.0.0/33`: the number behind the slash is at most 32",
            ),
            (
                json!({"subnet": "10.5.0.1/24"}),
                "field `ipam_config.subnet` is `10.5.0.1/24`: it has bits set beyond its prefix; the network is 10.5.0.0/24",
            ),
            (
                json!({"subnet": "10.5.0.0/31"}),
                "field `ipam_config.subnet` is 10.5.0.0/31, which has no room for a gateway and a container",
            ),
            (
                json!({"subnet": "127.1.0.0/16"}),
                "field `ipam_config.subnet` is 127.1.0.0/16, which is of the loopback interface",
            ),
            (
                json!({"subnet": "224.0.0.0/24"}),
                "field `ipam_config.subnet` is 224.0.0.0/24, which is of multicast addresses",
            ),
            (
                json!({"subnet": "0.0.0.0/0"}),
                "field `ipam_config.subnet` is 0.0.0.0/0, which is of addresses that no machine can have",
            ),
            (
                json!({"subnet": "10.5.0.0/24", "gateway": "x\n"}),
                "field `ipam_config.gateway` is `x\\n`, which is no address like 10.5.0.1",
            ),
            (
                json!({"subnet": "10.5.0.0/24", "gateway": "10.6.0.1"}),
                "field `ipam_config.gateway` is 10.6.0.1, which is not within the subnet 10.5.0.0/24",
            ),
            (
                json!({"subnet": "10.5.0.0/24", "gateway": "fd00::1"}),
                "field `ipam_config.gateway` is fd00::1, which is not within the subnet 10.5.0.0/24",
            ),
            (
                json!({"subnet": "10.5.0.0/24", "gateway": "10.5.0.0"}),
                "field `ipam_config.gateway` is 10.5.0.0, which is the subnet's own address, of 10.5.0.0/24",
            ),
            (
                json!({"subnet": "10.5.0.0/24", "gateway": "10.5.0.255"}),
                "field `ipam_config.gateway` is 10.5.0.255, which is the broadcast address of 10.5.0.0/24",
            ),
            (
                json!({"subnet": "10.5.0.0/24", "ip_range": "10.6.0.0/25"}),
                "field `ipam_config.ip_range` is 10.6.0.0/25, which is not within the subnet 10.5.0.0/24",
            ),
            (
                json!({"subnet": "10.5.0.0/24", "ip_range": "10.0.0.0/8"}),
                "field `ipam_config.ip_range` is 10.0.0.0/8, which is not within the subnet 10.5.0.0/24",
            ),
            (
                json!({"subnet": "10.5.0.0/24", "aux_addresses": {"a": "10.6.0.1"}}),
                "field `ipam_config.aux_addresses.a` is 10.6.0.1, which is not within the subnet 10.5.0.0/24",
            ),
            (
                json!({"subnet": "10.5.0.0/24", "gateway": "10.5.0.5", "aux_addresses": {"a": "10.5.0.5"}}),
                "field `ipam_config.aux_addresses.a` is 10.5.0.5, which is another one's already",
            ),
            (
                json!([{"subnet": "10.5.0.0/24"}, {"subnet": "10.5.0.0/25"}]),
                "field `ipam_config[1].subnet` is 10.5.0.0/25, which overlaps with 10.5.0.0/24 of `ipam_config[0].subnet`",
            ),
            (
                json!([{"subnet": "10.5.0.0/24"}, {"subnet": "10.6.0.0/24"}]),
                "field `ipam_config[1].subnet` is a second subnet beside `ipam_config[0].subnet`; a bridge has at most one of IPv4 and one of IPv6",
            ),
        ] {
            assert_eq!(refusal(&given), sentence, "{given}");
        }
        let many = vec![json!({"subnet": "10.5.0.0/24"}); 17];
        assert_eq!(
            refusal(&json!(many)),
            "field `ipam_config` has more than 16 subnets"
        );
    }
}
