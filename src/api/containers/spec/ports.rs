//! `ports`: what is published, as the engine's `PortBindings` and as the host ports that will be taken.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::error::{SpecError, quote};
use super::port_text::PortText;
use super::scalars::Text;

/// Most ports of one container. As JSON each takes a kilobyte here (all 65,535 of `1-65535` made 170 MB of a text of
/// seven letters), and in the engine two proxy processes. Whoever needs more wants the host's network.
const MAX_PORTS: u32 = 4_096;

/// A host port that the container will take.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublishedPort {
    /// The host's address, as it was written; empty for all.
    pub ip: String,
    /// The host's port, never 0: those that the engine picks, at random or from a range, are not here.
    pub port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// One value in the engine's `PortBindings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Binding {
    #[serde(rename = "HostIp")]
    ip: String,
    /// A number, a range to pick from, or nothing for any.
    #[serde(rename = "HostPort")]
    port: String,
}

/// All ports of a body.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// By container port, `80/tcp`.
    pub bindings: BTreeMap<String, Vec<Binding>>,
    /// In the order of the body.
    pub published: Vec<PublishedPort>,
    /// Which container port has it.
    taken: HashMap<PublishedPort, u16>,
    count: u32,
}

/// Reads the field.
pub(super) fn publish(texts: &[Text]) -> Result<Ports, SpecError> {
    let mut ports = Ports::default();
    for (index, Text(text)) in texts.iter().enumerate() {
        PortText::parse(text)
            .and_then(|parsed| ports.add(text, &parsed))
            .map_err(|what| SpecError::item("ports", index, what))?;
    }
    Ok(ports)
}

impl Ports {
    fn add(&mut self, text: &str, port: &PortText) -> Result<(), String> {
        self.count += port.container.count();
        if self.count > MAX_PORTS {
            return Err(format!(
                "is {}: with it there are more than {MAX_PORTS} ports; use the network `host`",
                quote(text)
            ));
        }
        let fixed = port
            .host
            .filter(|host| host.count() == port.container.count());
        for (offset, container) in (port.container.first..=port.container.last).enumerate() {
            let host = match (fixed, port.host) {
                // The ranges have equal length, so the sum stays in the host's.
                (Some(host), _) => {
                    let number = (host.first..=host.last).nth(offset).unwrap_or(host.last);
                    if !self.take(text, port, number, container)? {
                        continue;
                    }
                    number.to_string()
                }
                (None, Some(host)) => format!("{}-{}", host.first, host.last),
                (None, None) => String::new(),
            };
            let binding = Binding {
                ip: port.ip.clone(),
                port: host,
            };
            self.bindings
                .entry(format!("{container}/{}", port.protocol))
                .or_default()
                .push(binding);
        }
        Ok(())
    }

    /// Notes a host port; false when the same was said before. The engine would create the container and then fail to
    /// start it, with words that sound as if another container had the port.
    fn take(
        &mut self,
        text: &str,
        port: &PortText,
        number: u16,
        container: u16,
    ) -> Result<bool, String> {
        let published = PublishedPort {
            ip: port.ip.clone(),
            port: number,
            protocol: port.protocol.to_owned(),
        };
        match self.taken.get(&published) {
            Some(earlier) if *earlier == container => Ok(false),
            Some(earlier) => Err(format!(
                "is {}: host port {number} is already published for container port {earlier}",
                quote(text)
            )),
            None => {
                self.published.push(published.clone());
                self.taken.insert(published, container);
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::{Value, json};

    use super::super::testing::{create, plan, refusal};

    fn bindings(ports: &Value) -> Value {
        create(&json!({ "ports": ports }))["HostConfig"]["PortBindings"].take()
    }

    #[test]
    fn become_bindings() {
        for (ports, expected) in [
            (json!([]), Value::Null),
            (json!(null), Value::Null),
            (
                json!([80]),
                json!({"80/tcp": [{"HostIp": "", "HostPort": ""}]}),
            ),
            (
                json!(["127.0.0.1:80:80", "[::1]:80:80"]),
                json!({"80/tcp": [
                    {"HostIp": "127.0.0.1", "HostPort": "80"},
                    {"HostIp": "::1", "HostPort": "80"}
                ]}),
            ),
            (
                json!(["53:53", "53:53/udp"]),
                json!({
                    "53/tcp": [{"HostIp": "", "HostPort": "53"}],
                    "53/udp": [{"HostIp": "", "HostPort": "53"}]
                }),
            ),
            (
                json!(["8001-8002:80-81"]),
                json!({
                    "80/tcp": [{"HostIp": "", "HostPort": "8001"}],
                    "81/tcp": [{"HostIp": "", "HostPort": "8002"}]
                }),
            ),
            (
                json!(["8000-8010:80"]),
                json!({"80/tcp": [{"HostIp": "", "HostPort": "8000-8010"}]}),
            ),
            (
                json!(["80:80", "80:80/tcp", "80-81:80-81"]),
                json!({
                    "80/tcp": [{"HostIp": "", "HostPort": "80"}],
                    "81/tcp": [{"HostIp": "", "HostPort": "81"}]
                }),
            ),
        ] {
            assert_eq!(bindings(&ports), expected, "{ports}");
        }
    }

    #[test]
    fn fixed_host_ports_are_listed() {
        let ports = json!([
            "80:80",
            "8000-8001:90-91/udp",
            "70-75:99",
            22,
            "127.0.0.1:0:1",
            "::1:7:7"
        ]);
        let plan = plan(&json!({ "ports": ports })).unwrap();
        let listed: Vec<String> = plan
            .published_ports
            .iter()
            .map(|taken| format!("{} {}/{}", taken.ip, taken.port, taken.protocol))
            .collect();
        assert_eq!(listed, [" 80/tcp", " 8000/udp", " 8001/udp", "::1 7/tcp"]);
    }

    #[test]
    fn refusals_name_the_item() {
        for (ports, message) in [
            (
                json!(["80:80", "80:0"]),
                "field `ports[1]` is `80:0`: the container port cannot be 0",
            ),
            (
                json!([80, 70000]),
                "field `ports[1]` is `70000`: the container port `70000`",
            ),
            (json!([8.5]), "field `ports[0]` is `8.5`: "),
            (json!([-1]), "field `ports[0]` is `-1`: "),
            (
                json!([true]),
                "field `ports[0]`: invalid type: boolean `true`, expected a string or a number",
            ),
            (
                json!([null]),
                "field `ports[0]`: invalid type: null, expected a string or a number",
            ),
            (
                json!("80:80"),
                "field `ports`: invalid type: string \"80:80\", expected an array of strings",
            ),
            (
                json!({"80": 80}),
                "field `ports`: invalid type: map, expected an array of strings",
            ),
            (
                json!(["80:80", "80:81"]),
                "field `ports[1]` is `80:81`: host port 80 is already published for container port 80",
            ),
        ] {
            let refusal = refusal(&json!({ "ports": ports }));
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }

    #[test]
    fn there_is_a_most_of_them() {
        let begun = Instant::now();
        let all = plan(&json!({"ports": ["1-4096:1-4096"]})).unwrap();
        assert_eq!(all.published_ports.len(), 4096);
        for ports in [
            json!(["1-4096", "1/udp"]),
            json!(["1-65535:1-65535"]),
            json!(vec!["1-65535"; 90_000]),
        ] {
            let message = refusal(&json!({ "ports": ports }));
            assert!(message.contains("more than 4096 ports"), "{message}");
        }
        assert!(begun.elapsed().as_secs() < 10);
    }
}
