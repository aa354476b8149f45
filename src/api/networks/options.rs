//! `options`: the driver's own. Those of a bridge that are known are held to their kind, because the engine answers a bad
//! one with 500.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use super::body::BRIDGE;
use crate::api::ApiError;
use crate::engine::networks::BRIDGE_NAME;

/// From here on it is an IPv4 link (RFC 791, 3.2); the kernel's bridges end at 65535.
const MTU: std::ops::RangeInclusive<u32> = 68..=65535;
/// Bytes of an interface's name (IFNAMSIZ, less the NUL).
const INTERFACE_NAME_BYTES: usize = 15;

/// The options, of which one without a value has the empty one.
pub(super) fn read(
    given: Vec<(String, Option<String>)>,
    driver: &str,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut options = BTreeMap::new();
    for (name, value) in given {
        let value = value.unwrap_or_default();
        let expected = if driver == BRIDGE {
            problem(&name, &value)
        } else {
            None
        };
        if let Some(what) = expected {
            return Err(ApiError::field(&format!("options.{name}"), what));
        }
        options.insert(name, value);
    }
    Ok(options)
}

/// What is wrong with this option of a bridge.
fn problem(name: &str, value: &str) -> Option<&'static str> {
    match name {
        "com.docker.network.driver.mtu" => (!value.parse().is_ok_and(|mtu| MTU.contains(&mtu)))
            .then_some("must be a number from 68 to 65535"),
        "com.docker.network.bridge.enable_icc"
        | "com.docker.network.bridge.enable_ip_masquerade" => {
            (!["true", "false", "1", "0"].contains(&value)).then_some("must be true or false")
        }
        BRIDGE_NAME => (!is_interface_name(value))
            .then_some("must be a name of 1 to 15 letters, digits, `_`, `.` and `-`"),
        // The engine removes the default network that it has to make room for this one (20.10, seen).
        "com.docker.network.bridge.default_bridge" => {
            Some("is for the engine's own default network alone")
        }
        _ => None,
    }
}

fn is_interface_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=INTERFACE_NAME_BYTES).contains(&name.len())
        && name.bytes().all(allowed)
        && !matches!(name, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken(name: &str, value: &str) -> bool {
        read(vec![(name.to_owned(), Some(value.to_owned()))], BRIDGE).is_ok()
    }

    #[test]
    fn known_options_are_held_to_their_kind() {
        for (name, good, bad) in [
            ("com.docker.network.driver.mtu", "1400", "x"),
            ("com.docker.network.driver.mtu", "65535", "65536"),
            ("com.docker.network.bridge.enable_icc", "false", "maybe"),
            (
                "com.docker.network.bridge.name",
                "br-app",
                "averyveryverylongname",
            ),
            ("com.docker.network.bridge.name", "br.1", "../x"),
            ("com.docker.network.bridge.name", "a", ""),
        ] {
            assert!(is_taken(name, good), "{name}={good}");
            assert!(!is_taken(name, bad), "{name}={bad}");
        }
        assert!(!is_taken(
            "com.docker.network.bridge.default_bridge",
            "true"
        ));
        assert!(is_taken("anything", "else"));
    }

    #[test]
    fn other_drivers_have_their_own() {
        let given = vec![("com.docker.network.driver.mtu".to_owned(), None)];
        assert_eq!(read(given, "macvlan").unwrap().len(), 1);
    }
}
