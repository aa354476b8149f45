//! `ports` of a run: against what the docker CLI's documentation says of a text, read by another way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use node_agent::api::containers::spec::{RunBody, translate};
use serde_json::{Value, json};

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let body: RunBody = serde_json::from_value(json!({"image": "a", "ports": [text]})).unwrap();
    let Ok(plan) = translate(&body) else {
        return;
    };
    let bindings = plan.create["HostConfig"]["PortBindings"]
        .as_object()
        .unwrap();
    assert!(!bindings.is_empty(), "{text}");
    for key in bindings.keys() {
        let (port, protocol) = key.split_once('/').unwrap();
        assert_eq!(port.parse::<u16>().unwrap().to_string(), *port);
        assert_ne!(port, "0");
        assert!(["tcp", "udp", "sctp"].contains(&protocol));
    }
    let exposed = plan.create["ExposedPorts"].as_object().unwrap();
    assert!(exposed.keys().eq(bindings.keys()));
    for port in &plan.published_ports {
        assert!(port.port > 0 && (port.ip.is_empty() || port.ip.parse::<IpAddr>().is_ok()));
    }
    if !text.contains('=') {
        let expected = reference(text).unwrap_or_else(|| panic!("{text} should be refused"));
        let found: BTreeMap<String, (String, String)> = bindings.iter().map(entry).collect();
        assert_eq!(found, expected, "{text}");
    }
}

fn entry((key, bindings): (&String, &Value)) -> (String, (String, String)) {
    let bindings = bindings.as_array().unwrap();
    assert_eq!(bindings.len(), 1);
    let word = |name: &str| bindings[0][name].as_str().unwrap().to_owned();
    (key.clone(), (word("HostIp"), word("HostPort")))
}

/// nat.ParsePortSpec (docker/go-connections 0.5), from the right.
fn reference(text: &str) -> Option<BTreeMap<String, (String, String)>> {
    let (rest, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let protocol = if protocol.is_empty() {
        "tcp".to_owned()
    } else {
        protocol
    };
    let mut parts = rest.rsplitn(3, ':');
    let container = range(parts.next()?)?;
    let host = parts.next().filter(|host| !host.is_empty());
    let host = match host {
        // The engine picks one.
        Some(host) => Some(range(host)?).filter(|host| *host != (0, 0)),
        None => None,
    };
    let ip = parts.next().unwrap_or_default();
    let ip = ip
        .strip_prefix('[')
        .and_then(|ip| ip.strip_suffix(']'))
        .unwrap_or(ip);
    let mut expected = BTreeMap::new();
    for (offset, port) in (container.0..=container.1).enumerate() {
        let published = match host {
            None => String::new(),
            Some((first, last)) if last - first == container.1 - container.0 => {
                (usize::from(first) + offset).to_string()
            }
            Some((first, last)) if container.0 == container.1 => format!("{first}-{last}"),
            Some(_) => return None,
        };
        expected.insert(format!("{port}/{protocol}"), (ip.to_owned(), published));
    }
    Some(expected)
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}
