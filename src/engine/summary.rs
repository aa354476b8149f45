//! A container as the engine's list shows it, borrowed from the text of the list. `/containers/json`.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::EngineError;

/// A text that is copied only when it has escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// One element of the list. Everything may be missing or null.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ContainerSummary<'a> {
    #[serde(rename = "Id", borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    names: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    image: Option<Text<'a>>,
    #[serde(rename = "ImageID", borrow)]
    image_id: Option<Text<'a>>,
    #[serde(borrow)]
    command: Option<Text<'a>>,
    #[serde(borrow)]
    state: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    /// Seconds since 1970.
    pub created: Option<i64>,
    /// The engine's own objects.
    #[serde(borrow)]
    pub ports: Option<&'a RawValue>,
    /// The engine's own object.
    #[serde(borrow)]
    pub labels: Option<&'a RawValue>,
    /// The engine's own objects.
    #[serde(borrow)]
    pub mounts: Option<&'a RawValue>,
    #[serde(borrow)]
    network_settings: Option<Networks<'a>>,
    #[serde(borrow)]
    host_config: Option<HostConfig<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct HostConfig<'a> {
    #[serde(borrow)]
    network_mode: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Networks<'a> {
    #[serde(borrow)]
    networks: Option<BTreeMap<Text<'a>, Option<IgnoredAny>>>,
}

/// A port of a container; one with a `public_port` is published on the host.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Port {
    /// The host's address.
    #[serde(rename = "IP")]
    pub ip: Option<String>,
    /// The host's port, when it is published.
    #[serde(rename = "PublicPort")]
    pub public_port: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    #[serde(rename = "Type")]
    pub protocol: Option<String>,
}

/// `text`, part of the engine's list, as what it should be.
pub(super) fn parse<'t, T: Deserialize<'t>>(text: &'t [u8]) -> Result<T, EngineError> {
    serde_json::from_slice(text).map_err(|error| EngineError::Nonsense {
        call: "GET /containers/json".to_owned(),
        problem: error.to_string(),
    })
}

fn text<'t>(field: Option<&'t Text<'_>>) -> &'t str {
    field.map_or("", |text| text.0.as_ref())
}

impl ContainerSummary<'_> {
    /// The id, 64 hex digits.
    pub fn id(&self) -> &str {
        text(self.id.as_ref())
    }

    /// The container's own name, with its leading slash. Links of other containers add names like `/other/alias`.
    pub fn name(&self) -> &str {
        let names = self.names.as_deref().unwrap_or_default();
        let own = names.iter().find(|name| name.0.matches('/').count() == 1);
        text(own.or(names.first()))
    }

    /// The image as it was named when the container was made.
    pub fn image(&self) -> &str {
        text(self.image.as_ref())
    }

    /// The image's id.
    pub fn image_id(&self) -> &str {
        text(self.image_id.as_ref())
    }

    /// The command, with its arguments.
    pub fn command(&self) -> &str {
        text(self.command.as_ref())
    }

    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
    pub fn state(&self) -> &str {
        text(self.state.as_ref())
    }

    /// The state in words: `Up 2 hours (healthy)`.
    pub fn status(&self) -> &str {
        text(self.status.as_ref())
    }

    /// `default`, `bridge`, `host`, `none`, `container:<id>`, or the name of a network.
    pub fn network_mode(&self) -> &str {
        let configured = self.host_config.as_ref();
        text(configured.and_then(|configured| configured.network_mode.as_ref()))
    }

    /// The names of its networks.
    pub fn networks(&self) -> Vec<&str> {
        let networks = self.network_settings.as_ref();
        let networks = networks.and_then(|settings| settings.networks.as_ref());
        networks
            .into_iter()
            .flat_map(BTreeMap::keys)
            .map(|name| name.0.as_ref())
            .collect()
    }

    /// The ports, taken apart.
    pub fn parsed_ports(&self) -> Result<Vec<Port>, EngineError> {
        self.ports
            .map_or(Ok(Vec::new()), |ports| parse(ports.get().as_bytes()))
    }

    /// The result of the health check, as moby writes it behind the status of a running container: `(healthy)`,
    /// `(unhealthy)` or `(health: starting)`. Without a health check there is nothing, and a paused container says
    /// `(Paused)` instead: `none` then.
    pub fn health(&self) -> &'static str {
        let status = self.status();
        [
            ("(healthy)", "healthy"),
            ("(unhealthy)", "unhealthy"),
            ("(health: starting)", "starting"),
        ]
        .into_iter()
        .find(|(suffix, _)| status.ends_with(suffix))
        .map_or("none", |(_, health)| health)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_may_be_missing_or_null() {
        for text in [
            "{}",
            r#"{"Id":null,"Names":null,"Image":null,"Ports":null,"Labels":null,"Mounts":null,"Created":null,"NetworkSettings":null}"#,
            r#"{"Names":[],"NetworkSettings":{"Networks":null}}"#,
        ] {
            let summary: ContainerSummary<'_> = parse(text.as_bytes()).unwrap();
            assert_eq!(
                (summary.id(), summary.name(), summary.health()),
                ("", "", "none")
            );
            assert!(
                summary.ports.is_none() && summary.networks().is_empty(),
                "{text}"
            );
            assert!(summary.parsed_ports().unwrap().is_empty());
        }
    }

    #[test]
    fn the_own_name_is_told_from_links() {
        let text = r#"{"Names":["/web/db","/d\u0062","/x/y"]}"#;
        let summary: ContainerSummary<'_> = parse(text.as_bytes()).unwrap();
        assert_eq!(summary.name(), "/db");
    }

    #[test]
    fn health_from_the_status() {
        for (status, health) in [
            ("Up 2 hours (healthy)", "healthy"),
            ("Up Less than a second (health: starting)", "starting"),
            ("Up 3 days (unhealthy)", "unhealthy"),
            ("Up 3 days", "none"),
            ("Up 3 days (Paused)", "none"),
            ("Exited (0) 2 minutes ago", "none"),
        ] {
            let text = serde_json::json!({ "Status": status }).to_string();
            let summary: ContainerSummary<'_> = parse(text.as_bytes()).unwrap();
            assert_eq!(summary.health(), health, "{status}");
        }
    }
}
