//! What holds after the last change that a zone's file lists: a `TZ` text as POSIX has it, `CET-1CEST,M3.5.0,M10.5.0/3`,
//! with the longer times of RFC 8536, 3.3.1.
#![forbid(unsafe_code)]

use crate::clock::{date_of_days, days_of_date};

const DAY: i64 = 86_400;

/// The offsets of every year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Seconds east of Greenwich in winter.
    standard: i64,
    summer: Option<Summer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Summer {
    offset: i64,
    start: Change,
    end: Change,
}

/// When clocks are changed: a day, and seconds from its midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    day: Day,
    time: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Day {
    /// `Mm.w.d`: the week's day in the month; week 5 is the last.
    Weekday { month: i64, week: i64, weekday: i64 },
    /// `Jn`, from 1; February 29 has none.
    Julian(i64),
    /// `n`, from 0.
    OfYear(i64),
}

impl Rule {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut scan = Scan(text);
        scan.name()?;
        let standard = -scan.time()?;
        if scan.0.is_empty() {
            return Some(Self {
                standard,
                summer: None,
            });
        }
        scan.name()?;
        let offset = if scan.0.starts_with(',') {
            standard + 3600
        } else {
            -scan.time()?
        };
        let (start, end) = (scan.change()?, scan.change()?);
        scan.0.is_empty().then_some(Self {
            standard,
            summer: Some(Summer { offset, start, end }),
        })
    }

    /// The offset at this moment, in seconds since 1970.
    pub(super) fn offset_at(&self, seconds: i64) -> i64 {
        let Some(summer) = &self.summer else {
            return self.standard;
        };
        let (year, _, _) = date_of_days(seconds.saturating_add(self.standard).div_euclid(DAY));
        // A change may be in the year beside its own.
        let changes = (year - 1..=year + 1).flat_map(|year| {
            let start = summer.start.local_seconds(year) - self.standard;
            let end = summer.end.local_seconds(year) - summer.offset;
            [(start, summer.offset), (end, self.standard)]
        });
        let past = changes.filter(|(from, _)| *from <= seconds);
        past.max_by_key(|(from, _)| *from)
            .map_or(self.standard, |(_, offset)| offset)
    }
}

impl Change {
    fn local_seconds(&self, year: i64) -> i64 {
        let first = days_of_date(year, 1, 1);
        let day = match self.day {
            Day::OfYear(day) => first + day,
            Day::Julian(day) => {
                let is_leap = days_of_date(year + 1, 1, 1) - first == 366;
                first + day - 1 + i64::from(is_leap && day >= 60)
            }
            Day::Weekday {
                month,
                week,
                weekday,
            } => weekday_in_month(year, month, week, weekday),
        };
        day * DAY + self.time
    }
}

fn weekday_in_month(year: i64, month: i64, week: i64, weekday: i64) -> i64 {
    let first = days_of_date(year, month, 1);
    let next_month = match month {
        12 => days_of_date(year + 1, 1, 1),
        month => days_of_date(year, month + 1, 1),
    };
    // 1970-01-01 was a Thursday.
    let first_match = first + (weekday - (first + 4)).rem_euclid(7);
    let wanted = first_match + (week - 1) * 7;
    if wanted < next_month {
        wanted
    } else {
        wanted - 7
    }
}

/// What is left of the text.
struct Scan<'t>(&'t str);

impl Scan<'_> {
    fn name(&mut self) -> Option<()> {
        let end = match self.0.strip_prefix('<') {
            Some(quoted) => quoted.find('>')? + 2,
            None => self.0.find(|letter: char| !letter.is_ascii_alphabetic())?,
        };
        self.0 = self.0.get(end..)?;
        (end >= 3).then_some(())
    }

    fn eat(&mut self, letter: char) -> bool {
        let rest = self.0.strip_prefix(letter);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn number(&mut self, most: i64) -> Option<i64> {
        let end = self.0.find(|digit: char| !digit.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        digits.parse().ok().filter(|number| *number <= most)
    }

    /// `[+-]hh[:mm[:ss]]` as seconds.
    fn time(&mut self) -> Option<i64> {
        let is_negative = self.eat('-');
        if !is_negative {
            self.eat('+');
        }
        let mut seconds = self.number(167)? * 3600;
        for unit in [60, 1] {
            if self.eat(':') {
                seconds += self.number(59)? * unit;
            }
        }
        Some(if is_negative { -seconds } else { seconds })
    }

    fn change(&mut self) -> Option<Change> {
        if !self.eat(',') {
            return None;
        }
        let day = if self.eat('J') {
            Day::Julian(self.number(365)?)
        } else if self.eat('M') {
            let month = self.number(12).filter(|month| *month >= 1)?;
            let week = self.eat('.').then(|| self.number(5))??;
            let weekday = self.eat('.').then(|| self.number(6))??;
            Day::Weekday {
                month,
                week,
                weekday,
            }
        } else {
            Day::OfYear(self.number(365)?)
        };
        let time = if self.eat('/') {
            self.time()?
        } else {
            2 * 3600
        };
        Some(Change { day, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn offset(rule: &str, moment: &str) -> i64 {
        let rule = Rule::parse(rule).unwrap();
        rule.offset_at(Timestamp::parse(moment).unwrap().seconds)
    }

    #[test]
    fn summer_begins_and_ends_to_the_second() {
        let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
        for (moment, hours) in [
            ("2050-03-27T00:59:59Z", 1),
            ("2050-03-27T01:00:00Z", 2),
            ("2050-10-30T00:59:59Z", 2),
            ("2050-10-30T01:00:00Z", 1),
        ] {
            assert_eq!(offset(berlin, moment), hours * 3600, "{moment}");
        }
        let sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
        for (moment, hours) in [
            ("2050-01-01T00:00:00Z", 11),
            ("2050-06-01T00:00:00Z", 10),
            ("2050-12-31T23:59:59Z", 11),
        ] {
            assert_eq!(offset(sydney, moment), hours * 3600, "{moment}");
        }
        assert_eq!(offset("<+0545>-5:45", "2050-06-01T00:00:00Z"), 20_700);
    }

    #[test]
    fn what_is_no_rule_is_none() {
        for text in [
            "",
            "CET",
            "C-1",
            "CET-1CEST",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M13.5.0,M1.1.0",
            "CET-999",
            "UTC0x",
        ] {
            assert_eq!(Rule::parse(text), None, "{text}");
        }
    }
}
