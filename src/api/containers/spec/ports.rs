//! `ports`: what is published, as the engine's `PortBindings` and as the host ports that will be taken.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::error::{SpecError, quote};
use super::port_text::PortText;
use super::words::Text;

/// Most ports of one container. Every one costs the engine a rule and, with its proxy, a process; and a short text
/// (`1-65535:1-65535`) must not fill the memory.
const MAX_PORTS: u32 = 65_535;

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
                "is {}: with it there are more than {MAX_PORTS} ports",
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
