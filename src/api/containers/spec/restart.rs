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

#[cfg(test)]
mod tests {
    use super::super::testing::refusal;
    use super::*;

    #[test]
    fn takes_the_four_policies() {
        for (text, expected) in [
            ("", json!({"Name": "no"})),
            ("no", json!({"Name": "no"})),
            ("always", json!({"Name": "always"})),
            ("unless-stopped", json!({"Name": "unless-stopped"})),
            ("on-failure", json!({"Name": "on-failure"})),
            (
                "on-failure:5",
                json!({"Name": "on-failure", "MaximumRetryCount": 5}),
            ),
            (
                "on-failure:0",
                json!({"Name": "on-failure", "MaximumRetryCount": 0}),
            ),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, reason) in [
            ("always:3", "only `on-failure` takes a number of retries"),
            ("no:0", "only `on-failure` takes a number of retries"),
            ("on-failure:", "the number of retries is not a whole number"),
            (
                "on-failure:-1",
                "the number of retries is not a whole number",
            ),
            (
                "on-failure:+1",
                "the number of retries is not a whole number",
            ),
            (
                "on-failure:1:2",
                "the number of retries is not a whole number",
            ),
            (
                "on-failure:99999999999",
                "the number of retries is not a whole number",
            ),
            (":3", "expected `no`"),
            ("Always", "expected `no`"),
            ("sometimes", "expected `no`"),
        ] {
            let message = refusal(&json!({"restart_policy": text}));
            let start = format!("field `restart_policy` is `{text}`: {reason}");
            assert!(message.starts_with(&start), "{message}");
        }
    }
}
