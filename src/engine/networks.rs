//! Networks: create and inspect. Docker API, /networks.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Engine, EngineError, Patience, path_segment};
use crate::limits;

/// The network that containers are in when nobody says otherwise.
pub const DEFAULT_NETWORK: &str = "bridge";
/// The option of a bridge network that names its interface.
pub const BRIDGE_NAME: &str = "com.docker.network.bridge.name";

/// A network to be made.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkSpec {
    /// Its name.
    pub name: String,
    /// `bridge`, `macvlan`, the name of a plugin.
    pub driver: String,
    /// Whether it has no way out of the machine.
    pub internal: bool,
    /// Whether containers may join it by hand where the network is a swarm's.
    pub attachable: bool,
    /// Whether its containers have IPv6 addresses; `None` leaves it to the engine.
    #[serde(rename = "EnableIPv6", skip_serializing_if = "Option::is_none")]
    pub enable_ipv6: Option<bool>,
    /// Its addresses.
    #[serde(rename = "IPAM", skip_serializing_if = "Option::is_none")]
    pub ipam: Option<Ipam>,
    /// The driver's options.
    pub options: BTreeMap<String, String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// Who gives a network its addresses, and which.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ipam {
    /// `default` but for plugins.
    pub driver: String,
    /// Its options.
    pub options: Option<BTreeMap<String, String>>,
    /// The subnets.
    pub config: Option<Vec<Pool>>,
}

/// A subnet of a network. What is not there is left out.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Pool {
    /// All addresses.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subnet: String,
    /// Those that containers get when they ask for none.
    #[serde(rename = "IPRange", skip_serializing_if = "String::is_empty")]
    pub ip_range: String,
    /// The machine's own one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gateway: String,
    /// Those that no container gets, by a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auxiliary_addresses: Option<BTreeMap<String, String>>,
}

/// What an inspect tells of a network. Every field may be missing or null.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Network {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// RFC 3339.
    pub created: String,
    /// `local`, `swarm` or `global`.
    pub scope: String,
    /// Its driver.
    pub driver: String,
    /// Whether its containers have IPv6 addresses.
    #[serde(rename = "EnableIPv6")]
    pub enable_ipv6: bool,
    /// Its addresses.
    #[serde(rename = "IPAM")]
    pub ipam: Option<Ipam>,
    /// Whether it has no way out of the machine.
    pub internal: bool,
    /// See [`NetworkSpec::attachable`].
    pub attachable: bool,
    /// The running containers in it, by their ids.
    pub containers: Option<BTreeMap<String, Member>>,
    /// The driver's options.
    pub options: Option<BTreeMap<String, String>>,
    /// Its labels.
    pub labels: Option<BTreeMap<String, String>>,
}

/// A container in a network.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Member {
    /// Its name, without a slash.
    pub name: String,
    /// Its hardware address.
    pub mac_address: String,
    /// Its address with the subnet's prefix; empty without IPv4.
    #[serde(rename = "IPv4Address")]
    pub ipv4_address: String,
    /// The same of IPv6.
    #[serde(rename = "IPv6Address")]
    pub ipv6_address: String,
}

/// The answer to a create.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkCreated {
    /// 64 hexadecimal digits.
    pub id: String,
    /// What the engine finds odd, or nothing.
    pub warning: String,
}

/// What the engine is sent.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CreateBody<'c> {
    #[serde(flatten)]
    spec: &'c NetworkSpec,
    /// Before API 1.44 a second network of the same name is made without it.
    check_duplicate: bool,
}

impl Engine {
    /// Makes a network. 409: the name is taken. 403: its addresses or its bridge belong to another one, or there may be
    /// only one network of its driver. 404: no such driver, or no addresses are left to choose from.
    ///
    /// One at a time of a name: an engine before API 1.44 looks for the name first and makes the network then, so that two
    /// who ask at once may both get one. Others do not wait: it looks for an unknown driver for 15 s (20.10, seen).
    pub fn create_network(&self, spec: &NetworkSpec) -> Result<NetworkCreated, EngineError> {
        let turn = self.0.networks.turn(&spec.name, limits::ENGINE_WORK);
        let _turn = turn.ok_or_else(|| EngineError::Timeout {
            call: "POST /networks/create".to_owned(),
            after: limits::ENGINE_WORK,
        })?;
        let body = serde_json::json!(CreateBody {
            spec,
            check_duplicate: true,
        })
        .to_string();
        self.post("/networks/create", Some(body.as_bytes()), Self::unhurried())?
            .json()
    }

    /// What the network with this name or id, or beginning of an id, is. 400: the beginning fits more than one.
    pub fn inspect_network(&self, name: &str) -> Result<Network, EngineError> {
        self.get(
            &format!("/networks/{}", path_segment(name)),
            Patience::default(),
        )?
        .json()
    }
}
