//! `network` and `networks`: one list, the first to be given at create, the rest to be connected before the start.
//!
//! `host`, `none` and `container:NAME` stand alone: such a container has no network of its own to add others to.
//! Published ports are let pass with them: for `host` and `none` the engine discards them, as with `docker run`; for
//! `container:NAME` it refuses them itself, as it does a host name.
//!
//! The CLI takes no `bridge` beside other networks; the engine can connect them all the same.
#![forbid(unsafe_code)]

use std::collections::HashSet;

use super::error::{SpecError, quote};

/// The networks of a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Networks {
    /// For `NetworkMode`; `None` for the engine's default.
    pub first: Option<String>,
    /// To be connected.
    pub further: Vec<String>,
}

impl Networks {
    /// Whether the first is one that somebody made, and so has an endpoint of its own.
    pub(super) fn first_is_made(&self) -> bool {
        self.first
            .as_deref()
            .is_some_and(|first| !stands_alone(first) && first != "bridge")
    }
}

/// Reads both fields.
pub(super) fn join(network: Option<&str>, networks: &[String]) -> Result<Networks, SpecError> {
    let mut all: Vec<&str> = Vec::new();
    let mut seen = HashSet::new();
    // A client that has no network to name may send the empty string.
    let one = network.filter(|name| !name.is_empty());
    let several = networks.iter().enumerate();
    let several = several.map(|(index, name)| (format!("networks[{index}]"), name.as_str()));
    for (field, name) in one
        .map(|name| ("network".to_owned(), name))
        .into_iter()
        .chain(several)
    {
        check(name).map_err(|what| SpecError::field(&field, what))?;
        // Two words for one network.
        let name = if name == "default" { "bridge" } else { name };
        if !seen.insert(name) {
            continue;
        }
        let first = all.first().copied().unwrap_or(name);
        if let (Some(alone), false) = (
            [first, name].into_iter().find(|name| stands_alone(name)),
            all.is_empty(),
        ) {
            let what = format!(
                "is {}, but {} cannot be combined with other networks",
                quote(name),
                quote(alone)
            );
            return Err(SpecError::field(&field, what));
        }
        all.push(name);
    }
    let mut all = all.into_iter().map(str::to_owned);
    Ok(Networks {
        first: all.next(),
        further: all.collect(),
    })
}

fn stands_alone(name: &str) -> bool {
    name == "host" || name == "none" || name.starts_with("container:")
}

/// Older engines took nearly any name for a network, so nearly any is let pass.
fn check(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("names no network".to_owned());
    }
    if name == "container:" {
        return Err("is `container:`; expected `container:NAME`".to_owned());
    }
    if name.contains(char::is_control) {
        return Err(format!("is {}, which is no name of a network", quote(name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{plan, refusal};

    /// The mode, the network with an endpoint, the further ones.
    fn joined(fields: &Value) -> (Value, Value, Vec<String>) {
        let plan = plan(fields).unwrap();
        let mode = plan.create.pointer("/HostConfig/NetworkMode").cloned();
        let endpoints = plan
            .create
            .pointer("/NetworkingConfig/EndpointsConfig")
            .cloned();
        (
            mode.unwrap_or_default(),
            endpoints.unwrap_or_default(),
            plan.further_networks,
        )
    }

    #[test]
    fn both_fields_are_one_list() {
        for (fields, mode, endpoints, further) in [
            (json!({}), json!(null), json!(null), vec![]),
            (json!({"network": ""}), json!(null), json!(null), vec![]),
            (
                json!({"network": "app"}),
                json!("app"),
                json!({"app": {}}),
                vec![],
            ),
            (
                json!({"networks": ["app"]}),
                json!("app"),
                json!({"app": {}}),
                vec![],
            ),
            (
                json!({"network": "app", "networks": ["db", "app", "cache", "db"]}),
                json!("app"),
                json!({"app": {}}),
                vec!["db", "cache"],
            ),
            (
                json!({"network": "bridge"}),
                json!("bridge"),
                json!(null),
                vec![],
            ),
            (
                json!({"network": "default", "networks": ["bridge"]}),
                json!("bridge"),
                json!(null),
                vec![],
            ),
            (
                json!({"networks": ["bridge", "app"]}),
                json!("bridge"),
                json!(null),
                vec!["app"],
            ),
            (
                json!({"networks": ["app", "default"]}),
                json!("app"),
                json!({"app": {}}),
                vec!["bridge"],
            ),
            (
                json!({"network": "host", "networks": ["host"]}),
                json!("host"),
                json!(null),
                vec![],
            ),
            (
                json!({"network": "none"}),
                json!("none"),
                json!(null),
                vec![],
            ),
            (
                json!({"network": "container:web"}),
                json!("container:web"),
                json!(null),
                vec![],
            ),
            (
                json!({"network": "my net"}),
                json!("my net"),
                json!({"my net": {}}),
                vec![],
            ),
        ] {
            let further = further.into_iter().map(str::to_owned).collect();
            assert_eq!(joined(&fields), (mode, endpoints, further), "{fields}");
        }
    }

    #[test]
    fn ports_are_kept_with_the_host_network() {
        let plan = plan(&json!({"network": "host", "ports": ["80:80"]})).unwrap();
        assert!(plan.create["HostConfig"]["PortBindings"]["80/tcp"].is_array());
    }

    #[test]
    fn refuses_with_a_reason() {
        for (fields, message) in [
            (
                json!({"network": "host", "networks": ["app"]}),
                "field `networks[0]` is `app`, but `host` cannot be combined with other networks",
            ),
            (
                json!({"networks": ["app", "none"]}),
                "field `networks[1]` is `none`, but `none` cannot be combined with other networks",
            ),
            (
                json!({"networks": ["container:a", "container:b"]}),
                "field `networks[1]` is `container:b`, but `container:a` cannot be combined with other networks",
            ),
            (
                json!({"network": "container:"}),
                "field `network` is `container:`; expected `container:NAME`",
            ),
            (json!({"network": " "}), "field `network` names no network"),
            (
                json!({"networks": ["a", ""]}),
                "field `networks[1]` names no network",
            ),
            (
                json!({"network": "a\nb"}),
                "field `network` is `a\\nb`, which is no name of a network",
            ),
        ] {
            assert_eq!(refusal(&fields), message);
        }
    }
}
