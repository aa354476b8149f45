//! The body of `POST /networks/create`, and the engine's network of it: all that can be told to be wrong before the
//! engine is asked. It answers much of it with 500, and some with 201: a subnet with host bits, an address pool outside
//! of its subnet. A bad auxiliary address even costs it the subnet until it is restarted (20.10, seen).
#![forbid(unsafe_code)]

use serde::Deserialize;

use super::pools::{Pools, Subnet};
use super::{check_name, options, pools};
use crate::api::ApiError;
use crate::api::containers::spec::{Pairs, read_labels, read_object};
use crate::engine::networks::{Ipam, NetworkSpec};

/// The driver when the request does not say.
pub(super) const BRIDGE: &str = "bridge";

#[derive(Debug, Deserialize)]
pub(super) struct CreateBody {
    name: String,
    driver: Option<String>,
    #[serde(default)]
    ipam_config: Pools,
    internal: Option<bool>,
    attachable: Option<bool>,
    #[serde(alias = "ipv6")]
    enable_ipv6: Option<bool>,
    labels: Option<Pairs>,
    #[serde(default, deserialize_with = "read_object")]
    options: Vec<(String, Option<String>)>,
}

/// What is asked of the engine.
#[derive(Debug)]
pub(super) struct Plan {
    /// The network.
    pub(super) spec: NetworkSpec,
    /// Its subnets.
    pub(super) subnets: Vec<Subnet>,
}

impl CreateBody {
    /// The network, or what is wrong with it.
    pub(super) fn plan(self) -> Result<Plan, ApiError> {
        check_name(&self.name)
            .map_err(|rule| ApiError::field("name", &format!("is no name: {rule}")))?;
        let driver = self.driver.unwrap_or_else(|| BRIDGE.to_owned());
        if driver.is_empty() || driver.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(ApiError::field("driver", "is no name of a driver"));
        }
        let (subnets, pools): (Vec<_>, Vec<_>) =
            pools::read(&self.ipam_config)?.into_iter().unzip();
        pools::check_together(&subnets, &driver)?;
        let enable_ipv6 = ipv6(self.enable_ipv6, &subnets)?;
        let labels = self.labels.unwrap_or_default();
        let spec = NetworkSpec {
            options: options::read(self.options, &driver)?,
            labels: read_labels(&labels)?,
            name: self.name,
            driver,
            internal: self.internal.unwrap_or_default(),
            attachable: self.attachable.unwrap_or_default(),
            enable_ipv6,
            ipam: (!pools.is_empty()).then(|| Ipam {
                driver: "default".to_owned(),
                options: None,
                config: Some(pools),
            }),
        };
        Ok(Plan { spec, subnets })
    }
}

/// Whether IPv6 is on: an engine that is given a subnet and not told so keeps it and never uses it.
fn ipv6(asked: Option<bool>, subnets: &[Subnet]) -> Result<Option<bool>, ApiError> {
    match subnets.iter().find(|subnet| !subnet.network.is_ipv4()) {
        Some(subnet) if asked == Some(false) => Err(ApiError::field(
            &subnet.field,
            "is of IPv6, which `enable_ipv6` turns off",
        )),
        Some(_) => Ok(Some(true)),
        None => Ok(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn spec(more: &Value) -> Value {
        let mut body = json!({"name": "n"});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let body: CreateBody = serde_json::from_value(body).unwrap();
        match body.plan() {
            Ok(plan) => serde_json::to_value(plan.spec).unwrap(),
            Err(error) => json!(error.to_string()),
        }
    }

    #[test]
    fn a_name_alone_is_enough() {
        assert_eq!(
            spec(&json!({})),
            json!({"Name": "n", "Driver": "bridge", "Internal": false, "Attachable": false, "Options": {}, "Labels": {}})
        );
    }

    #[test]
    fn everything_goes_to_the_engine() {
        let made = spec(&json!({
            "driver": "macvlan", "internal": true, "attachable": true, "ipv6": true, "labels": ["a=b"],
            "options": {"parent": "eth1", "n": 1},
            "ipam_config": [{"subnet": "10.5.0.0/24", "gateway": "10.5.0.1", "ip_range": "10.5.0.128/25",
                "aux_addresses": {"printer": "10.5.0.9"}}, {"subnet": "fd00:5::/64"}],
        }));
        assert_eq!(made["EnableIPv6"], true);
        assert_eq!(made["Labels"], json!({"a": "b"}));
        assert_eq!(made["Options"], json!({"parent": "eth1", "n": "1"}));
        assert_eq!(
            made["IPAM"],
            json!({"Driver": "default", "Options": null, "Config": [
                {"Subnet": "10.5.0.0/24", "Gateway": "10.5.0.1", "IPRange": "10.5.0.128/25",
                    "AuxiliaryAddresses": {"printer": "10.5.0.9"}},
                {"Subnet": "fd00:5::/64"}]})
        );
    }

    #[test]
    fn names_and_drivers() {
        for name in ["", "a b", "a/b", "-a", ".", "é", "a\n", &"a".repeat(256)] {
            let text = spec(&json!({ "name": name })).to_string();
            assert!(text.contains("field `name` is no name"), "{name:?}: {text}");
        }
        for driver in ["", "a b", "a\n"] {
            let text = spec(&json!({ "driver": driver })).to_string();
            assert!(text.contains("field `driver`"), "{driver:?}");
        }
    }

    #[test]
    fn a_subnet_of_ipv6_turns_it_on() {
        let pool = json!({"subnet": "fd00:5::/64"});
        assert_eq!(spec(&json!({ "ipam_config": pool }))["EnableIPv6"], true);
        assert_eq!(
            spec(&json!({"ipam_config": pool, "enable_ipv6": false})),
            "field `ipam_config.subnet` is of IPv6, which `enable_ipv6` turns off"
        );
        assert_eq!(spec(&json!({"enable_ipv6": true}))["EnableIPv6"], true);
    }
}
