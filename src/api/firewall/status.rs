//! `GET /firewall/status`.
#![forbid(unsafe_code)]

use serde::Serialize;

use super::port::Port;
use crate::api::{ApiError, Context, Reply, Request};
use crate::host::ufw::{Direction, Rule};

#[derive(Serialize)]
struct StatusAnswer<'s> {
    status: &'static str,
    rules: Vec<RuleAnswer<'s>>,
}

/// A rule as answers have it. What is behind `direction` is there only where the rule looks at it.
#[derive(Serialize)]
struct RuleAnswer<'r> {
    action: String,
    port: Port<'r>,
    protocol: &'r str,
    from_ip: &'r str,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_ip: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_port: Option<Port<'r>>,
    /// The ports of the application that `port` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    application_ports: Option<Port<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface_in: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface_out: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'r str>,
}

/// Tells whether the firewall is active, and its rules, also those that wait for it to be.
pub fn status<'a>(context: &'a Context, _: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let found = context.firewall.status()?;
    let warnings: Vec<_> = found
        .unreadable
        .iter()
        .map(|line| format!("a rule of ufw's was not understood: {line}"))
        .collect();
    let answer = StatusAnswer {
        status: if found.is_active {
            "active"
        } else {
            "inactive"
        },
        rules: found.rules.iter().map(describe).collect(),
    };
    Reply::json_warned(&answer, &warnings)
}

fn describe(rule: &Rule) -> RuleAnswer<'_> {
    let ports = rule.port.as_deref().map(Port::of);
    let application = rule.application.as_deref();
    RuleAnswer {
        action: rule.action.to_ascii_uppercase(),
        port: application.map_or(ports.unwrap_or(Port::Text("any")), Port::Text),
        protocol: rule.protocol.as_deref().unwrap_or("any"),
        from_ip: &rule.from,
        direction: match rule.direction {
            Direction::In => "in",
            Direction::Out => "out",
            Direction::Forward => "forward",
        },
        to_ip: rule.to.as_deref(),
        from_port: rule.from_port.as_deref().map(Port::of),
        application_ports: application.and(ports),
        interface_in: rule.interface_in.as_deref(),
        interface_out: rule.interface_out.as_deref(),
        log: rule.log.as_deref(),
        comment: rule.comment.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plain() -> Rule {
        Rule::parse("allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in").unwrap()
    }

    fn shown(rule: &Rule) -> serde_json::Value {
        serde_json::to_value(describe(rule)).unwrap()
    }

    #[test]
    fn a_plain_rule_is_the_references() {
        assert_eq!(
            shown(&plain()),
            json!({"action": "ALLOW", "port": 80, "protocol": "tcp", "from_ip": "0.0.0.0/0", "direction": "in"})
        );
    }

    #[test]
    fn ports_are_numbers_texts_or_any() {
        let with = |port: Option<&str>, application: Option<&str>| {
            let rule = Rule {
                port: port.map(str::to_owned),
                application: application.map(str::to_owned),
                ..plain()
            };
            let shown = shown(&rule);
            (shown["port"].clone(), shown["application_ports"].clone())
        };
        assert_eq!(with(Some("6000:6007"), None).0, "6000:6007");
        assert_eq!(with(Some("80,443"), None).0, "80,443");
        assert_eq!(with(None, None), (json!("any"), json!(null)));
        assert_eq!(
            with(Some("80"), Some("Nginx HTTP")),
            (json!("Nginx HTTP"), json!(80))
        );
    }
}
