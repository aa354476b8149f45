//! Times as people write them: `90s`, `30m`, `24h`, `7d`, `1h30m`.
#![forbid(unsafe_code)]

/// The seconds of `text`; `None` when it is something else, or too long to count.
pub(super) fn seconds_of(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let seconds = match rest.as_bytes()[digits] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(seconds)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sums_of_units() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1800),
            ("7d", 604_800),
            ("1h30m", 5400),
            ("0s", 0),
        ] {
            assert_eq!(seconds_of(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "5",
            "m",
            "-5m",
            "5x",
            "5m3",
            "1.5h",
            "99999999999999999999h",
            "9999999999999999d",
        ] {
            assert_eq!(seconds_of(text), None, "{text}");
        }
    }
}
