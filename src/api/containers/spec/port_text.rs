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
            "{} host and {} container ports do not pair up",
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a text means, written short: `ip|host|container|protocol`.
    fn meaning(text: &str) -> String {
        let range = |range: PortRange| format!("{}-{}", range.first, range.last);
        let port = PortText::parse(text).unwrap();
        let host = port.host.map_or("any".to_owned(), range);
        format!(
            "{}|{host}|{}|{}",
            port.ip,
            range(port.container),
            port.protocol
        )
    }

    #[test]
    fn takes_every_form() {
        for (text, expected) in [
            ("80", "|any|80-80|tcp"),
            ("80:8080", "|80-80|8080-8080|tcp"),
            ("53:53/udp", "|53-53|53-53|udp"),
            ("53:53/UDP", "|53-53|53-53|udp"),
            ("9/sctp", "|any|9-9|sctp"),
            ("80/", "|any|80-80|tcp"),
            ("0080:80", "|80-80|80-80|tcp"),
            (":80", "|any|80-80|tcp"),
            ("::80", "|any|80-80|tcp"),
            ("0:80", "|any|80-80|tcp"),
            ("127.0.0.1:80:8080", "127.0.0.1|80-80|8080-8080|tcp"),
            ("127.0.0.1::80", "127.0.0.1|any|80-80|tcp"),
            ("127.0.0.1:0:80", "127.0.0.1|any|80-80|tcp"),
            ("[::1]:80:80", "::1|80-80|80-80|tcp"),
            ("[::1]::80/udp", "::1|any|80-80|udp"),
            ("[127.0.0.1]:80:80", "127.0.0.1|80-80|80-80|tcp"),
            ("::1:80:80", "::1|80-80|80-80|tcp"),
            ("2001:db8::1:80:80", "2001:db8::1|80-80|80-80|tcp"),
            ("8000-8002:80-82", "|8000-8002|80-82|tcp"),
            ("8000-8010:80", "|8000-8010|80-80|tcp"),
            ("80-82", "|any|80-82|tcp"),
            ("127.0.0.1::80-82", "127.0.0.1|any|80-82|tcp"),
            ("80-80:80-80", "|80-80|80-80|tcp"),
            ("1-65535:1-65535", "|1-65535|1-65535|tcp"),
            ("published=8080,target=80", "|8080-8080|80-80|tcp"),
            (
                "target=53,published=53,protocol=udp,mode=host",
                "|53-53|53-53|udp",
            ),
            ("target=80", "|any|80-80|tcp"),
        ] {
            assert_eq!(meaning(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, reason) in [
            ("", "there is no container port"),
            (":", "there is no container port"),
            ("80:", "there is no container port"),
            ("/tcp", "there is no container port"),
            (
                "http",
                "the container port `http` is not a port from 1 to 65535",
            ),
            ("80:abc", "the container port `abc` is not a port"),
            ("abc:80", "the host port `abc` is not a port"),
            ("65536:80", "the host port `65536` is not a port"),
            ("80:65536", "the container port `65536` is not a port"),
            ("80:0", "the container port cannot be 0"),
            ("0", "the container port cannot be 0"),
            ("0-3:80-83", "a range of host ports cannot begin at 0"),
            ("+80", "the container port `+80` is not a port"),
            ("-80", "the container port `-80` is not a range of ports"),
            ("80-", "the container port `80-` is not a range of ports"),
            ("80-90-100", "the container port `80-90-100` is not a range"),
            (" 80:80", "the host port ` 80` is not a port"),
            ("90-80", "the container port range `90-80` runs backwards"),
            ("90-80:80-90", "the host port range `90-80` runs backwards"),
            (
                "8000-8001:80-82",
                "2 host and 3 container ports do not pair up",
            ),
            ("8000:80-81", "1 host and 2 container ports do not pair up"),
            ("80/http", "the protocol `http` is none of tcp, udp, sctp"),
            ("80/tcp/udp", "the protocol `tcp/udp` is none of"),
            ("80/tcp:80", "the host port `80/tcp` is not a port"),
            ("1.2.3.4:80", "the host port `1.2.3.4` is not a port"),
            ("1.2.3:80:80", "`1.2.3` is not an IP address"),
            ("1.2.3.400:80:80", "`1.2.3.400` is not an IP address"),
            ("localhost:80:80", "`localhost` is not an IP address"),
            ("[::1:80:80", "`[::1` is not an IP address"),
            ("[]:80:80", "`[]` is not an IP address"),
            ("[::1%lo]:80:80", "`[::1%lo]` is not an IP address"),
            ("80=80", "there is no container port"),
            ("published=80,80", "`80` is not `name=value`"),
            ("=80,target=80", "`=80` is not `name=value`"),
        ] {
            let message = PortText::parse(text).unwrap_err();
            assert!(message.contains(reason), "{text}: {message}");
            assert!(message.starts_with(&format!("is `{text}`: ")), "{message}");
            assert!(message.ends_with(EXPECTED), "{message}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9:\\[\\]./a-z=,-]{0,24}|.*") {
            if let Ok(port) = PortText::parse(&text) {
                prop_assert!(port.container.first > 0 && port.container.first <= port.container.last);
                prop_assert!(port.host.is_none_or(|host| host.first > 0 && host.first <= host.last));
                prop_assert!(port.ip.is_empty() || port.ip.parse::<IpAddr>().is_ok());
            }
        }

        #[test]
        fn reads_what_it_is_told(ip: Option<IpAddr>, host in 1u16.., container in 1u16..) {
            let ip = ip.map(|ip| if ip.is_ipv6() { format!("[{ip}]:") } else { format!("{ip}:") });
            let text = format!("{}{host}:{container}/udp", ip.unwrap_or_default());
            let port = PortText::parse(&text).unwrap();
            prop_assert_eq!(port.host, Some(PortRange { first: host, last: host }));
            prop_assert_eq!(port.container, PortRange { first: container, last: container });
        }
    }
}
