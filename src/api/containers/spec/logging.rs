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
