//! A rule that lets somebody in: ufw's words for it, and whether it is there.
#![forbid(unsafe_code)]

use super::rule::{Direction, Rule};
use crate::cidr::Cidr;

/// A transport protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What is to be let in.
#[derive(Clone, Debug)]
pub struct Allow {
    /// To which ports: `80`, `6000:6007`, `80,443`. More than one port needs a protocol.
    pub ports: String,
    /// By which protocol; `None`: both.
    pub protocol: Option<Protocol>,
    /// From where; `None`: from anywhere, by IPv4, and by IPv6 where ufw has that.
    pub from: Option<Cidr>,
}

impl Allow {
    /// Whether these rules, or more of them where it is from anywhere, are this one already. What is looked at besides
    /// (an interface, another destination) makes a rule another one.
    pub(super) fn is_there(&self, rules: &[Rule], has_ipv6: bool) -> bool {
        let sources = match self.from {
            Some(from) => vec![from],
            None if has_ipv6 => vec![Cidr::everything_ipv4(), Cidr::everything_ipv6()],
            None => vec![Cidr::everything_ipv4()],
        };
        sources
            .into_iter()
            .all(|from| rules.iter().any(|rule| self.is(rule, from)))
    }

    fn is(&self, rule: &Rule, from: Cidr) -> bool {
        let ports = |ports: &str| {
            let mut ports: Vec<_> = ports.split(',').map(str::to_owned).collect();
            ports.sort_unstable();
            ports
        };
        let plain = Rule {
            action: "allow".to_owned(),
            direction: Direction::In,
            protocol: self.protocol.map(|protocol| protocol.name().to_owned()),
            port: rule.port.clone(),
            application: None,
            to: None,
            from: rule.from.clone(),
            from_port: None,
            interface_in: None,
            interface_out: None,
            log: None,
            comment: rule.comment.clone(),
        };
        // ufw writes ports in their order, and addresses in its own way.
        *rule == plain
            && rule.port.as_deref().map(ports) == Some(ports(&self.ports))
            && Cidr::parse(&rule.from) == Ok(from)
    }

    /// ufw's long form, in which no word can be taken for another.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut words = vec!["allow".to_owned()];
        if let Some(protocol) = self.protocol {
            words.extend(["proto".to_owned(), protocol.name().to_owned()]);
        }
        let from = self.from.map_or("any".to_owned(), |from| {
            if from.is_single() {
                from.address().to_string()
            } else {
                from.to_string()
            }
        });
        words.extend(["from", &from, "to", "any", "port", &self.ports].map(str::to_owned));
        words
    }
}

impl Protocol {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule;
    use super::*;

    #[test]
    fn arguments_of_each_form() {
        for (ports, protocol, from, expected) in [
            ("8080", None, None, "allow from any to any port 8080"),
            (
                "8080",
                Some(Protocol::Tcp),
                Some("10.0.0.0/8"),
                "allow proto tcp from 10.0.0.0/8 to any port 8080",
            ),
            (
                "6000:6007",
                Some(Protocol::Udp),
                Some("fd00::1"),
                "allow proto udp from fd00::1 to any port 6000:6007",
            ),
            (
                "1",
                None,
                Some("0.0.0.0/0"),
                "allow from 0.0.0.0/0 to any port 1",
            ),
        ] {
            let allow = Allow {
                ports: ports.to_owned(),
                protocol,
                from: from.map(|text| Cidr::parse(text).unwrap()),
            };
            assert_eq!(allow.arguments().join(" "), expected);
        }
    }

    #[test]
    fn a_rule_that_is_there_is_found() {
        let kept = |text: &str| -> Vec<Rule> {
            rule::lines(text)
                .map(|line| Rule::parse(line).unwrap())
                .collect()
        };
        let both = [
            include_str!("fixtures/user.rules"),
            include_str!("fixtures/user6.rules"),
        ]
        .concat();
        let ask = |ports: &str, protocol, from: Option<&str>, has_ipv6| {
            let allow = Allow {
                ports: ports.to_owned(),
                protocol,
                from: from.map(|text| Cidr::parse(text).unwrap()),
            };
            allow.is_there(&kept(&both), has_ipv6)
        };
        let (tcp, udp) = (Some(Protocol::Tcp), Some(Protocol::Udp));
        assert!(ask("8080", None, None, true));
        assert!(ask("443,80", tcp, None, true));
        assert!(ask("7000:7001,8000", udp, None, true), "it has a comment");
        assert!(ask("9000", tcp, Some("10.0.0.0/8"), true));
        assert!(ask("9003", udp, Some("fd00::/8"), true));
        // It is there for one family alone.
        assert!(!ask("9001", None, None, true));
        assert!(ask("9001", None, None, false));
        assert!(ask("9001", None, Some("0.0.0.0/0"), true));
        assert!(ask("9002", None, Some("::/0"), true));
        for (ports, protocol) in [
            ("8080", tcp), // both protocols are another rule
            ("22", tcp),   // limit
            ("25", tcp),   // deny
            ("3306", tcp), // on an interface
            ("999", tcp),  // logged
            ("5432", tcp), // to and from an address
            ("53", None),  // outgoing
            ("6000:6006", tcp),
        ] {
            assert!(!ask(ports, protocol, None, true), "{ports}");
        }
    }
}
