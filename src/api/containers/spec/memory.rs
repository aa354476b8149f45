//! `memory`: bytes, or a number with a unit of 1024s as `docker run --memory` takes: `256m`, `1.5g`, `1GiB`.
#![forbid(unsafe_code)]

use super::decimal::scaled;
use super::error::{SpecError, quote};
use super::words::Text;

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
