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
