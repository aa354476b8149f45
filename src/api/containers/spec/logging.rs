//! `log_opts`: options of the json-file driver, unless a `driver` (or `type`) among them names another.
#![forbid(unsafe_code)]

use serde_json::{Map, Value, json};

use super::error::SpecError;

/// The driver that the options are for when none is named, whatever the daemon's own is.
const DRIVER: &str = "json-file";

/// Reads the field: the engine's `LogConfig`; `None` when it says nothing. Which options a driver takes, the engine knows
/// and says at create.
pub(super) fn read(options: &[(String, Option<String>)]) -> Result<Option<Value>, SpecError> {
    let mut driver = None;
    let mut config = Map::new();
    for (name, value) in options {
        let Some(value) = value else {
            return Err(SpecError::member(
                "log_opts",
                name,
                "is null; expected a string, a number or a boolean",
            ));
        };
        if name == "driver" || name == "type" {
            if value.is_empty() || driver.is_some_and(|earlier| earlier != value) {
                return Err(SpecError::member(
                    "log_opts",
                    name,
                    "must name one log driver",
                ));
            }
            driver = Some(value);
        } else {
            config.insert(name.clone(), json!(value));
        }
    }
    if options.is_empty() {
        return Ok(None);
    }
    let driver = driver.map_or(DRIVER, String::as_str);
    Ok(Some(json!({"Type": driver, "Config": config})))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plan, refusal};
    use super::*;

    #[test]
    fn becomes_a_log_config() {
        for (given, expected) in [
            (json!(null), Value::Null),
            (json!({}), Value::Null),
            (
                json!({"max-size": "5m", "max-file": 2, "compress": true}),
                json!({"Type": "json-file", "Config": {"max-size": "5m", "max-file": "2", "compress": "true"}}),
            ),
            (
                json!({"driver": "syslog", "syslog-address": "udp://127.0.0.1:514"}),
                json!({"Type": "syslog", "Config": {"syslog-address": "udp://127.0.0.1:514"}}),
            ),
            (
                json!({"type": "none"}),
                json!({"Type": "none", "Config": {}}),
            ),
        ] {
            let plan = plan(&json!({ "log_opts": given })).unwrap();
            let config = plan
                .create
                .get("HostConfig")
                .map_or(&Value::Null, |host| &host["LogConfig"]);
            assert_eq!(config, &expected, "{given}");
            assert_eq!(plan.has_own_log_config, !expected.is_null(), "{given}");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        for (given, message) in [
            (
                json!({"driver": ""}),
                "field `log_opts.driver` must name one log driver",
            ),
            (
                json!({"driver": "a", "type": "b"}),
                "field `log_opts.type` must name one log driver",
            ),
            (
                json!({"tag": null}),
                "field `log_opts.tag` is null; expected a string, a number or a boolean",
            ),
        ] {
            assert_eq!(refusal(&json!({ "log_opts": given })), message);
        }
        for given in [json!(["max-size=5m"]), json!("5m")] {
            let message = refusal(&json!({ "log_opts": given }));
            assert!(
                message.starts_with("field `log_opts`: invalid type: "),
                "{message}"
            );
            assert!(message.contains(", expected an object"), "{message}");
        }
    }
}
