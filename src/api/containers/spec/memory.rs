//! `memory`: bytes, or a number with a unit of 1024s as `docker run --memory` takes: `256m`, `1.5g`, `1GiB`.
#![forbid(unsafe_code)]

use super::decimal::scaled;
use super::error::{SpecError, quote};
use super::scalars::Text;

/// What the engine asks for: less than this no container starts with.
const MIN_BYTES: u64 = 6 * 1024 * 1024;

/// Reads the field; `None` for 0, which is no limit.
pub(super) fn read(Text(text): &Text) -> Result<Option<u64>, SpecError> {
    let error = |reason: &str| SpecError::field("memory", format!("is {}; {reason}", quote(text)));
    match bytes(text) {
        None => Err(error(
            "expected bytes or a number with a unit, such as `256m` or `1.5g`",
        )),
        Some(0) => Ok(None),
        Some(bytes) if bytes < MIN_BYTES => Err(error("the least that the engine takes is `6m`")),
        Some(bytes) => Ok(Some(bytes)),
    }
}

fn bytes(text: &str) -> Option<u64> {
    let end = text.rfind(|letter: char| letter.is_ascii_digit() || letter == '.')? + 1;
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let shift = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        "p" | "pb" | "pib" => 50,
        _ => return None,
    };
    scaled(number, 1 << shift)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{create, refusal};

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn takes_bytes_and_units() {
        for (given, expected) in [
            (json!(null), None),
            (json!(0), None),
            (json!("0"), None),
            (json!(268_435_456), Some(256 * MIB)),
            (json!(268_435_456.0), Some(256 * MIB)),
            (json!("268435456"), Some(256 * MIB)),
            (json!("268435456b"), Some(256 * MIB)),
            (json!("8192k"), Some(8 * MIB)),
            (json!("256m"), Some(256 * MIB)),
            (json!("256M"), Some(256 * MIB)),
            (json!("256mb"), Some(256 * MIB)),
            (json!("256 MiB"), Some(256 * MIB)),
            (json!("1.5g"), Some(1536 * MIB)),
            (json!(".5gb"), Some(512 * MIB)),
            (json!("1GiB"), Some(1024 * MIB)),
            (json!("1t"), Some(1024 * 1024 * MIB)),
            (json!("1p"), Some(1024 * 1024 * 1024 * MIB)),
            (json!("6m"), Some(6 * MIB)),
        ] {
            let created = create(&json!({ "memory": given }));
            let memory = created
                .get("HostConfig")
                .map_or(&Value::Null, |host| &host["Memory"]);
            assert_eq!(memory.as_u64(), expected, "{given}");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        let expected = "expected bytes or a number with a unit, such as `256m` or `1.5g`";
        for given in [
            json!(""),
            json!("m"),
            json!("256x"),
            json!("256mi"),
            json!("256mbb"),
            json!("-256m"),
            json!(-1),
            json!("1e9"),
            json!("256  m"),
            json!("many"),
            json!("9999999p"),
            json!("1,5g"),
        ] {
            let message = refusal(&json!({ "memory": given }));
            assert!(message.starts_with("field `memory` is `"), "{message}");
            assert!(message.ends_with(expected), "{message}");
        }
        assert_eq!(
            refusal(&json!({"memory": "5m"})),
            "field `memory` is `5m`; the least that the engine takes is `6m`"
        );
        let message = refusal(&json!({"memory": true}));
        assert!(message.starts_with(
            "field `memory`: invalid type: boolean `true`, expected a string or a number"
        ));
    }
}
