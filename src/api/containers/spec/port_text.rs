//! One text of `docker run -p`: `[ip:][host[-range]]:container[-range][/tcp|udp|sctp]`, a bare container port, or
//! `published=8080,target=80,protocol=tcp`.
//!
//! The CLI reads only the first two numbers of `80-90-100` and only the first protocol of `80/tcp/udp`; here both are
//! errors. A host port 0 is what the CLI makes of it: the engine picks one.
#![forbid(unsafe_code)]

use std::net::IpAddr;

use super::error::quote;

/// The form, for messages.
const EXPECTED: &str = "expected `[ip:][host port:]container port[/tcp|udp|sctp]`";

/// A range of ports, both ends included; one port is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port, not below the first.
    pub last: u16,
}

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PortText {
    /// The host's address, as it was written; empty for all.
    pub ip: String,
    /// The host's ports; `None` when the engine picks one for each.
    pub host: Option<PortRange>,
    /// The container's ports.
    pub container: PortRange,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: &'static str,
}

impl PortRange {
    /// How many ports.
    pub(super) fn count(self) -> u32 {
        u32::from(self.last - self.first) + 1
    }
}

impl PortText {
    /// Takes `text` apart; the error is the rest of a sentence about the field.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parsed = if text.contains('=') {
            parse_long(text)
        } else {
            parse_short(text)
        };
        parsed.map_err(|reason| format!("is {}: {reason}; {EXPECTED}", quote(text)))
    }
}

/// The long form of `-p`, which swarm services brought along. Other keys (`mode`) say nothing about a container.
fn parse_long(text: &str) -> Result<PortText, String> {
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for pair in text.split(',') {
        match pair.split_once('=') {
            Some(("published", value)) => published = value,
            Some(("target", value)) => target = value,
            Some(("protocol", value)) => protocol = value,
            Some((name, _)) if !name.is_empty() => {}
            _ => return Err(format!("{} is not `name=value`", quote(pair))),
        }
    }
    parse_short(&format!("{published}:{target}/{protocol}"))
}

fn parse_short(text: &str) -> Result<PortText, String> {
    let (address, container) = text.rsplit_once(':').unwrap_or(("", text));
    // An address may have colons of its own, with or without brackets, so the ports are taken from the right.
    let (ip, host) = address.rsplit_once(':').unwrap_or(("", address));
    let (container, protocol) = container.split_once('/').unwrap_or((container, ""));
    let protocol = parse_protocol(protocol)?;
    if container.is_empty() {
        return Err("there is no container port".to_owned());
    }
    let container = parse_range(container, "container port")?;
    if container.first == 0 {
        return Err("the container port cannot be 0".to_owned());
    }
    Ok(PortText {
        ip: parse_ip(ip)?,
        host: parse_host(host, container)?,
        container,
        protocol,
    })
}

fn parse_protocol(text: &str) -> Result<&'static str, String> {
    ["tcp", "udp", "sctp"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(text))
        .or(text.is_empty().then_some("tcp"))
        .ok_or_else(|| format!("the protocol {} is none of tcp, udp, sctp", quote(text)))
}

/// Kept as it was written: the engine shows it to people again.
fn parse_ip(text: &str) -> Result<String, String> {
    let bare = text
        .strip_prefix('[')
        .map_or(Some(text), |rest| rest.strip_suffix(']'));
    match bare {
        Some("") if text.is_empty() => Ok(String::new()),
        Some(bare) if bare.parse::<IpAddr>().is_ok() => Ok(bare.to_owned()),
        _ => Err(format!("{} is not an IP address", quote(text))),
    }
}

/// Several host ports for one container port: the engine picks one of them.
fn parse_host(text: &str, container: PortRange) -> Result<Option<PortRange>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let host = parse_range(text, "host port")?;
    if host.count() != container.count() && container.count() != 1 {
        return Err(format!(
            "{} host ports do not fit {} container ports",
            host.count(),
            container.count()
        ));
    }
    match host {
        PortRange { first: 0, last: 0 } => Ok(None),
        PortRange { first: 0, .. } => Err("a range of host ports cannot begin at 0".to_owned()),
        _ => Ok(Some(host)),
    }
}

fn parse_range(text: &str, what: &str) -> Result<PortRange, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (Some(first), Some(last)) = (parse_port(first), parse_port(last)) else {
        let kind = if text.contains('-') {
            "range of ports"
        } else {
            "port"
        };
        return Err(format!(
            "the {what} {} is not a {kind} from 1 to 65535",
            quote(text)
        ));
    };
    if first > last {
        return Err(format!("the {what} range {} runs backwards", quote(text)));
    }
    Ok(PortRange { first, last })
}

/// `str::parse` would take a plus sign.
fn parse_port(text: &str) -> Option<u16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}
