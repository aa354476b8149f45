//! Timestamps: RFC 3339 in UTC with `Z`, out and in. A leaf: uses std alone.
#![forbid(unsafe_code)]

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECONDS_A_DAY: i64 = 86_400;

/// A moment, as seconds and nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Whole seconds since 1970-01-01T00:00:00Z; negative before.
    pub seconds: i64,
    /// Nanoseconds on top, under a thousand million.
    pub nanoseconds: u32,
}

impl Timestamp {
    /// Now.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// A moment given in whole seconds.
    pub fn from_seconds(seconds: i64) -> Self {
        Self {
            seconds,
            nanoseconds: 0,
        }
    }

    /// Writes it with three digits of a second.
    pub fn with_milliseconds(self) -> impl fmt::Display {
        Milliseconds(self)
    }

    /// Writes it with all nine digits of a second, as the engine does.
    pub fn with_nanoseconds(self) -> impl fmt::Display {
        Nanoseconds(self)
    }

    /// Reads `2024-01-15T10:30:00.5Z` or the same with an offset (RFC 3339, 5.6).
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(['T', 't', ' '])?;
        let [year, month, day] = numbers(date, '-')?;
        let zone = time.rfind(['Z', 'z', '+', '-'])?;
        let (clock, zone) = time.split_at(zone);
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let [hour, minute, second] = numbers(clock, ':')?;
        let in_range = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        if !in_range || date.len() != 10 || clock.len() != 8 {
            return None;
        }
        let seconds =
            days_of_date(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
        Some(Self {
            seconds: seconds - offset_seconds(zone)?,
            nanoseconds: nanoseconds(fraction)?,
        })
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self {
            seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: since.subsec_nanos(),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.seconds, out)?;
        out.write_str("Z")
    }
}

struct Milliseconds(Timestamp);

impl fmt::Display for Milliseconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.0.seconds, out)?;
        write!(out, ".{:03}Z", self.0.nanoseconds / 1_000_000)
    }
}

struct Nanoseconds(Timestamp);

impl fmt::Display for Nanoseconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.0.seconds, out)?;
        write!(out, ".{:09}Z", self.0.nanoseconds)
    }
}

fn write_seconds(seconds: i64, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (year, month, day) = date_of_days(seconds.div_euclid(SECONDS_A_DAY));
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(
        out,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    )
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let digits =
            !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

fn offset_seconds(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let [hours, minutes, _] = numbers(&format!("{}:0", zone.get(1..)?), ':')?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

/// The date (year, month, day) of a day counted from 1970-01-01: Howard Hinnant's `civil_from_days`, in eras of 400
/// years.
pub fn date_of_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse: `days_from_civil`.
pub fn days_of_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_705_314_600, "2024-01-15T10:30:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::from_seconds(seconds).to_string(), text);
            assert_eq!(Timestamp::parse(text).unwrap().seconds, seconds);
        }
        let time = Timestamp {
            seconds: 1,
            nanoseconds: 23_456_789,
        };
        assert_eq!(
            time.with_milliseconds().to_string(),
            "1970-01-01T00:00:01.023Z"
        );
    }

    #[test]
    fn reads_fractions_and_offsets() {
        let parsed = Timestamp::parse("2024-01-15T12:30:00.25+02:00").unwrap();
        assert_eq!(
            parsed,
            Timestamp {
                seconds: 1_705_314_600,
                nanoseconds: 250_000_000
            }
        );
        for bad in [
            "",
            "2024-01-15",
            "2024-13-15T10:30:00Z",
            "2024-01-15T10:30:00",
            "2024-01-15T24:00:00Z",
            "x",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad:?}");
        }
    }
}
