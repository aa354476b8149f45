//! Decimal numbers, exactly: `0.1` is a tenth, not the float next to it.
#![forbid(unsafe_code)]

/// Reads `text`, digits with at most one point, times `scale`, a power of ten or two. What is below one is cut off.
/// `None` when it is no such number or the product is too large for the engine's 63 bits.
pub(super) fn scaled(text: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole: u128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let product = whole
        .checked_mul(u128::from(scale))?
        .checked_add(fraction_of(fraction, scale)?)?;
    u64::try_from(product)
        .ok()
        .filter(|product| i64::try_from(*product).is_ok())
}

/// Digits beyond the eighteenth are below one for every scale in use, or were not meant.
fn fraction_of(digits: &str, scale: u64) -> Option<u128> {
    let digits = digits.get(..18).unwrap_or(digits);
    if digits.is_empty() {
        return Some(0);
    }
    let power = 10u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    Some(
        digits
            .parse::<u128>()
            .ok()?
            .checked_mul(u128::from(scale))?
            / power,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_exact() {
        for (text, scale, expected) in [
            ("0", 1, 0),
            ("007", 1, 7),
            ("1.5", 1 << 20, 1_572_864),
            ("1.", 10, 10),
            (".5", 10, 5),
            ("0.1", 1_000_000_000, 100_000_000),
            ("0.30000000000000004", 1_000_000_000, 300_000_000),
            ("1.9999999999999999999999999999", 1, 1),
            ("9223372036854775807", 1, 9_223_372_036_854_775_807),
        ] {
            assert_eq!(scaled(text, scale), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "", ".", "1.2.3", "-1", "+1", "1e3", " 1", "0x10", "½", "1_000",
        ] {
            assert_eq!(scaled(text, 10), None, "{text}");
        }
        assert_eq!(scaled("9223372036854775808", 1), None);
        assert_eq!(scaled("9999999999", 1 << 50), None);
        assert_eq!(scaled(&"9".repeat(1000), 1), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9.]{0,60}|.*", scale in 1..=1_u64 << 50) {
            let _ = scaled(&text, scale);
        }
    }
}
