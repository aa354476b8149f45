//! Ports as ufw writes them: a number, a range `6000:6007`, a list of both.
#![forbid(unsafe_code)]

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

/// Ports of one rule at most: what the kernel's `multiport` takes, a range counted twice (iptables-extensions(8)).
const MOST: usize = 15;

/// A port in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Port<'p> {
    /// One.
    Number(u16),
    /// Several, or the name of an application.
    Text(&'p str),
}

/// A port in a request: a number, or a text with one or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ports(String);

impl<'p> Port<'p> {
    /// The ports that ufw writes as `text`.
    pub(super) fn of(text: &'p str) -> Self {
        text.parse().map_or(Self::Text(text), Self::Number)
    }
}

impl Ports {
    /// As ufw takes it, or what is wrong with it.
    pub(super) fn read(&self) -> Result<&str, String> {
        let mut count = 0;
        for part in self.0.split(',') {
            let (first, last) = part.split_once(':').unwrap_or((part, part));
            let numbers = number(first).zip(number(last));
            count += if part.contains(':') { 2 } else { 1 };
            match numbers {
                Some((first, last)) if first < last || !part.contains(':') => {}
                _ => return Err(EXPECTED.to_owned()),
            }
        }
        if count > MOST {
            return Err(format!(
                "has more than {MOST} ports, a range counted twice; more of them need another rule"
            ));
        }
        Ok(&self.0)
    }

    /// Whether it is more than one port.
    pub(super) fn is_several(&self) -> bool {
        self.0.contains([',', ':'])
    }
}

const EXPECTED: &str =
    "must be a port from 1 to 65535, a range like \"6000:6007\" or a list like \"80,443\"";

/// As ufw writes it: digits, no sign, no leading zero.
fn number(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}

struct PortsVisitor;

impl Visitor<'_> for PortsVisitor {
    type Value = Ports;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a port as a number, or a string like \"6000:6007\"")
    }

    // Out of range is told with the field's own words.
    fn visit_u64<E: Error>(self, port: u64) -> Result<Ports, E> {
        Ok(Ports(port.to_string()))
    }

    fn visit_i64<E: Error>(self, port: i64) -> Result<Ports, E> {
        Ok(Ports(port.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Ports, E> {
        Ok(Ports(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PortsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn ports(given: &Value) -> Ports {
        serde_json::from_value(given.clone()).unwrap()
    }

    #[test]
    fn what_ufw_takes() {
        for (given, several) in [
            (json!(1), false),
            (json!(65535), false),
            (json!("8080"), false),
            (json!("6000:6007"), true),
            (json!("80,443"), true),
            (json!("11,7:9"), true),
            (json!("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"), true),
        ] {
            let ports = ports(&given);
            assert!(ports.read().is_ok(), "{given}");
            assert_eq!(ports.is_several(), several, "{given}");
        }
    }

    #[test]
    fn what_it_does_not() {
        for given in [
            json!(0),
            json!(65536),
            json!(-1),
            json!(""),
            json!("0"),
            json!("65536"),
            json!("+80"),
            json!("080"),
            json!("80 "),
            json!("9:7"),
            json!("7:7"),
            json!("7:"),
            json!(":7"),
            json!("7-9"),
            json!("80,"),
            json!(",80"),
            json!("1:2:3"),
            json!("ssh"),
            json!("Nginx Full"),
            json!("80/tcp"),
            json!("--force"),
            json!("8\n"),
            json!(18_446_744_073_709_551_615_u64),
            json!("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"),
            json!("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15:16"),
        ] {
            assert!(ports(&given).read().is_err(), "{given}");
        }
        for given in [json!(1.5), json!(null), json!([80]), json!(true), json!({})] {
            assert!(
                serde_json::from_value::<Ports>(given.clone()).is_err(),
                "{given}"
            );
        }
    }

    #[test]
    fn a_port_in_an_answer() {
        assert_eq!(Port::of("80"), Port::Number(80));
        assert_eq!(Port::of("80:81"), Port::Text("80:81"));
    }
}
