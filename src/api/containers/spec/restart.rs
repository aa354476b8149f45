//! `restart_policy`: `no`, `always`, `unless-stopped` or `on-failure[:N]`.
#![forbid(unsafe_code)]

use serde_json::{Value, json};

use super::error::{SpecError, quote};

/// Reads the field: the engine's `RestartPolicy`. Nothing at all means `no`.
pub(super) fn read(text: &str) -> Result<Value, SpecError> {
    let (name, count) = match text.split_once(':') {
        Some((name, count)) => (name, Some(count)),
        None => (text, None),
    };
    let error = |reason: &str| {
        let expected = "expected `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:N`";
        Err(SpecError::field(
            "restart_policy",
            format!("is {}: {reason}{expected}", quote(text)),
        ))
    };
    match (name, count) {
        ("", None) => Ok(json!({"Name": "no"})),
        ("no" | "always" | "unless-stopped" | "on-failure", None) => Ok(json!({"Name": name})),
        ("on-failure", Some(count)) => match retries(count) {
            Some(count) => Ok(json!({"Name": name, "MaximumRetryCount": count})),
            None => error("the number of retries is not a whole number; "),
        },
        ("no" | "always" | "unless-stopped", Some(_)) => {
            error("only `on-failure` takes a number of retries; ")
        }
        _ => error(""),
    }
}

fn retries(text: &str) -> Option<i32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}
