//! `POST /firewall/allow`.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::port::{Port, Ports};
use crate::api::{ApiError, Context, Reply, Request};
use crate::cidr::Cidr;
use crate::host::ufw::{Allow, Protocol};

#[derive(Debug, Deserialize)]
struct AllowBody {
    port: Ports,
    protocol: Option<String>,
    from_ip: Option<String>,
}

#[derive(Serialize)]
struct AllowAnswer<'r> {
    status: &'static str,
    changed: bool,
    rule: RuleAnswer<'r>,
    active: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct RuleAnswer<'r> {
    action: &'static str,
    port: Port<'r>,
    protocol: &'static str,
    from_ip: String,
    direction: &'static str,
}

/// Lets somebody in, now and after the next start of the machine.
pub fn allow<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<AllowBody>()?;
    let allow = parsed.value.rule()?;
    let allowed = context.firewall.allow(&allow)?;
    let mut warnings = parsed.warnings;
    if !allowed.is_active {
        warnings
            .push("the firewall is inactive; the rule is kept for when it is enabled".to_owned());
    }
    Reply::json(&AllowAnswer {
        status: "allowed",
        changed: allowed.is_changed,
        rule: describe(&allow),
        active: allowed.is_active,
        warnings,
    })
}

fn describe(allow: &Allow) -> RuleAnswer<'_> {
    RuleAnswer {
        action: "ALLOW",
        port: Port::of(&allow.ports),
        protocol: allow.protocol.map_or("any", Protocol::name),
        from_ip: match allow.from {
            Some(from) if from.is_single() => from.address().to_string(),
            Some(from) => from.to_string(),
            None => "0.0.0.0/0".to_owned(),
        },
        direction: "in",
    }
}

impl AllowBody {
    fn rule(&self) -> Result<Allow, ApiError> {
        let ports = self
            .port
            .read()
            .map_err(|what| ApiError::field("port", &what))?;
        let protocol = match self.protocol.as_deref() {
            // `any` is what the list of rules says of both.
            None | Some("any") => None,
            Some("tcp") => Some(Protocol::Tcp),
            Some("udp") => Some(Protocol::Udp),
            Some(_) => {
                return Err(ApiError::field(
                    "protocol",
                    "must be tcp or udp; any, or left out, for both",
                ));
            }
        };
        if protocol.is_none() && self.port.is_several() {
            return Err(ApiError::field(
                "protocol",
                "is required where `port` is a range or a list",
            ));
        }
        Ok(Allow {
            ports: ports.to_owned(),
            protocol,
            from: self.from_ip.as_deref().map(source).transpose()?,
        })
    }
}

fn source(text: &str) -> Result<Cidr, ApiError> {
    match Cidr::parse(text) {
        // Packets from it come by IPv4 (RFC 4291, 2.5.5.2).
        Ok(cidr) if cidr.is_single() => Ok(cidr.address().to_canonical().into()),
        Ok(cidr) => Ok(cidr),
        Err(error) => Err(ApiError::field(
            "from_ip",
            &format!("must be an address or a network: {error}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn shown(body: &Value) -> Value {
        let body: AllowBody = serde_json::from_value(body.clone()).unwrap();
        match body.rule() {
            Ok(allow) => serde_json::to_value(describe(&allow)).unwrap(),
            Err(error) => json!(error.to_string()),
        }
    }

    #[test]
    fn the_forms_of_a_rule() {
        assert_eq!(
            shown(&json!({"port": 8080})),
            json!({"action": "ALLOW", "port": 8080, "protocol": "any", "from_ip": "0.0.0.0/0", "direction": "in"})
        );
        assert_eq!(
            shown(&json!({"port": 8080, "protocol": "any"})),
            shown(&json!({"port": 8080}))
        );
        let full = shown(&json!({"port": "6000:6007", "protocol": "udp", "from_ip": "fd00::/8"}));
        assert_eq!(full["port"], "6000:6007");
        assert_eq!(
            (&full["protocol"], &full["from_ip"]),
            (&json!("udp"), &json!("fd00::/8"))
        );
        for (given, kept) in [
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1/32", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(
                shown(&json!({"port": 1, "from_ip": given}))["from_ip"],
                kept
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        for (body, field) in [
            (json!({"port": 0}), "port"),
            (json!({"port": 65536}), "port"),
            (json!({"port": "ssh"}), "port"),
            (json!({"port": "6000:6007"}), "protocol"),
            (json!({"port": "80,443"}), "protocol"),
            (json!({"port": "80,443", "protocol": "any"}), "protocol"),
            (json!({"port": 80, "protocol": "TCP"}), "protocol"),
            (json!({"port": 80, "protocol": "icmp"}), "protocol"),
            (json!({"port": 80, "protocol": ""}), "protocol"),
            (json!({"port": 80, "from_ip": ""}), "from_ip"),
            (json!({"port": 80, "from_ip": "any"}), "from_ip"),
            (json!({"port": 80, "from_ip": "10.0.0.1/8"}), "from_ip"),
            (json!({"port": 80, "from_ip": "10.0.0.0/33"}), "from_ip"),
            (
                json!({"port": 80, "from_ip": "10.0.0.0/8 to any"}),
                "from_ip",
            ),
            (json!({"port": 80, "from_ip": "--force"}), "from_ip"),
        ] {
            let text = shown(&body);
            let start = format!("field `{field}` ");
            assert!(
                text.as_str().is_some_and(|text| text.starts_with(&start)),
                "{body}: {text}"
            );
        }
    }
}
