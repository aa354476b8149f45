//! `since` and `until`: a moment, as people write it, into the seconds since 1970 that the engine wants.
#![forbid(unsafe_code)]

use crate::api::duration::seconds_of;
use crate::clock::Timestamp;

/// Reads seconds since 1970 (`1700000000.5`), RFC 3339 (`2024-01-15T10:30:00Z`), or how long before `now` (`10m`,
/// `1h30m`). The result has nine decimals.
pub(super) fn moment(text: &str, now: Timestamp) -> Option<String> {
    let moment = seconds(text)
        .or_else(|| Timestamp::parse(text))
        .or_else(|| before(text, now))?;
    (moment.seconds >= 0).then(|| format!("{}.{:09}", moment.seconds, moment.nanoseconds))
}

fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    Some(Timestamp {
        seconds: whole.parse().ok()?,
        nanoseconds: format!("{fraction:0<9}").parse().ok()?,
    })
}

fn before(text: &str, now: Timestamp) -> Option<Timestamp> {
    let seconds = now.seconds.checked_sub(seconds_of(text)?)?;
    Some(Timestamp {
        seconds: seconds.max(0),
        ..now
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms() {
        let now = Timestamp {
            seconds: 1_700_000_000,
            nanoseconds: 5,
        };
        let read = |text| moment(text, now);
        assert_eq!(read("12").as_deref(), Some("12.000000000"));
        assert_eq!(read("12.5").as_deref(), Some("12.500000000"));
        assert_eq!(read("1970-01-01T00:00:01Z").as_deref(), Some("1.000000000"));
        assert_eq!(read("1h30m").as_deref(), Some("1699994600.000000005"));
        for bad in [
            "",
            "x",
            "-5",
            "10x",
            "m",
            "1.2.3",
            "5m3",
            "99999999999999999999h",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
