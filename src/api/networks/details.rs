//! `GET /networks/{n}`.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::Serialize;

use super::{check_name, missing};
use crate::api::{ApiError, Context, Reply, Request};
use crate::clock::Timestamp;
use crate::engine::networks::{Ipam, Member, Network, Pool};

#[derive(Serialize)]
struct Details<'n> {
    id: &'n str,
    name: &'n str,
    driver: &'n str,
    scope: &'n str,
    internal: bool,
    attachable: bool,
    enable_ipv6: bool,
    ipam: IpamDetails<'n>,
    containers: Vec<Container<'n>>,
    labels: &'n BTreeMap<String, String>,
    options: &'n BTreeMap<String, String>,
    created: String,
}

#[derive(Serialize)]
struct IpamDetails<'n> {
    driver: &'n str,
    config: Vec<Subnet<'n>>,
}

#[derive(Serialize)]
struct Subnet<'n> {
    subnet: &'n str,
    gateway: Option<&'n str>,
    ip_range: Option<&'n str>,
    aux_addresses: &'n BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Container<'n> {
    id: &'n str,
    name: &'n str,
    ipv4: Option<&'n str>,
    ipv6: Option<&'n str>,
    mac: Option<&'n str>,
}

/// Tells what a network is, and which running containers are in it.
pub fn details<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let name = request.name();
    check_name(name).map_err(|rule| {
        ApiError::bad_request(&format!("the path does not name a network: {rule}"))
    })?;
    let network = context
        .engine
        .inspect_network(name)
        .map_err(|error| match error.status() {
            Some(404) => missing(name),
            _ => error.into(),
        })?;
    Reply::json(&describe(&network))
}

fn describe(network: &Network) -> Details<'_> {
    Details {
        id: &network.id,
        name: &network.name,
        driver: &network.driver,
        scope: &network.scope,
        internal: network.internal,
        attachable: network.attachable,
        enable_ipv6: network.enable_ipv6,
        ipam: network.ipam.as_ref().map_or(
            IpamDetails {
                driver: "default",
                config: Vec::new(),
            },
            addresses,
        ),
        containers: containers(network),
        labels: network.labels.as_ref().unwrap_or(&NOTHING),
        options: network.options.as_ref().unwrap_or(&NOTHING),
        created: Timestamp::parse(&network.created).map_or_else(
            || network.created.clone(),
            |time| time.with_nanoseconds().to_string(),
        ),
    }
}

static NOTHING: BTreeMap<String, String> = BTreeMap::new();

fn addresses(ipam: &Ipam) -> IpamDetails<'_> {
    let pools = ipam.config.as_deref().unwrap_or_default();
    IpamDetails {
        driver: &ipam.driver,
        config: pools.iter().map(subnet).collect(),
    }
}

fn subnet(pool: &Pool) -> Subnet<'_> {
    Subnet {
        subnet: &pool.subnet,
        // Engines differ in whether they write the subnet's prefix behind it.
        gateway: address(&pool.gateway),
        ip_range: Some(pool.ip_range.as_str()).filter(|range| !range.is_empty()),
        aux_addresses: pool.auxiliary_addresses.as_ref().unwrap_or(&NOTHING),
    }
}

/// By their names.
fn containers(network: &Network) -> Vec<Container<'_>> {
    let members = network.containers.iter().flatten();
    let mut list: Vec<_> = members.map(|(id, member)| container(id, member)).collect();
    list.sort_unstable_by_key(|container| container.name);
    list
}

fn container<'n>(id: &'n str, member: &'n Member) -> Container<'n> {
    Container {
        id,
        name: &member.name,
        ipv4: address(&member.ipv4_address),
        ipv6: address(&member.ipv6_address),
        mac: Some(member.mac_address.as_str()).filter(|mac| !mac.is_empty()),
    }
}

/// Without the subnet's prefix, which stands in `ipam`.
fn address(text: &str) -> Option<&str> {
    let address = text.split('/').next().unwrap_or_default();
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_engine_leaves_out_is_empty() {
        for text in [
            "{}",
            r#"{"IPAM":null,"Containers":null,"Options":null,"Labels":null}"#,
        ] {
            let network: Network = serde_json::from_str(text).unwrap();
            let shown = serde_json::to_value(describe(&network)).unwrap();
            assert_eq!(shown["ipam"], json!({"driver": "default", "config": []}));
            assert_eq!(shown["containers"], json!([]));
            assert_eq!(
                (&shown["labels"], &shown["options"]),
                (&json!({}), &json!({}))
            );
        }
    }

    /// As 20.10 answers.
    #[test]
    fn a_network_with_a_container() {
        let network: Network = serde_json::from_value(json!({
            "Name": "app", "Id": "783f", "Created": "2026-11-25T03:15:58.460927117+01:00", "Scope": "local",
            "Driver": "bridge", "EnableIPv6": false, "Internal": true, "Attachable": false,
            "IPAM": {"Driver": "default", "Options": null,
                "Config": [{"Subnet": "10.5.0.0/24", "IPRange": "10.5.0.128/25", "Gateway": "10.5.0.1",
                    "AuxiliaryAddresses": {"a": "10.5.0.5"}}]},
            "Containers": {"c1": {"Name": "web", "EndpointID": "e", "MacAddress": "02:42:0a:05:00:80",
                "IPv4Address": "10.5.0.128/24", "IPv6Address": ""}},
            "Options": {}, "Labels": {"a": "b"},
        }))
        .unwrap();
        assert_eq!(
            serde_json::to_value(describe(&network)).unwrap(),
            json!({
                "id": "783f", "name": "app", "driver": "bridge", "scope": "local", "internal": true,
                "attachable": false, "enable_ipv6": false,
                "ipam": {"driver": "default", "config": [{"subnet": "10.5.0.0/24", "gateway": "10.5.0.1",
                    "ip_range": "10.5.0.128/25", "aux_addresses": {"a": "10.5.0.5"}}]},
                "containers": [{"id": "c1", "name": "web", "ipv4": "10.5.0.128", "ipv6": null,
                    "mac": "02:42:0a:05:00:80"}],
                "labels": {"a": "b"}, "options": {}, "created": "2026-11-25T02:15:58.460927117Z",
            })
        );
    }
}
