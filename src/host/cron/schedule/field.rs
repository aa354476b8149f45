//! One field of a schedule: a list of numbers, names and ranges with steps.
#![forbid(unsafe_code)]

use super::error::{Problem, ScheduleError};

/// What may stand in a field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    low: u32,
    high: u32,
    /// How many different values there are: Sunday has two numbers.
    count: u32,
    /// Names of the values from `low` on.
    pub(super) names: &'static [&'static str],
    /// Whether a `*` behind others would make cron take the day and the weekday as one being enough.
    star_must_lead: bool,
}

const fn field(name: &'static str, low: u32, high: u32) -> Field {
    Field {
        name,
        low,
        high,
        count: high - low + 1,
        names: &[],
        star_must_lead: false,
    }
}

/// In the order of a crontab's line.
pub(super) static FIELDS: [Field; 5] = [
    field("minute", 0, 59),
    field("hour", 0, 23),
    Field {
        star_must_lead: true,
        ..field("day of month", 1, 31)
    },
    Field {
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
        ..field("month", 1, 12)
    },
    Field {
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        count: 7,
        star_must_lead: true,
        ..field("day of week", 0, 7)
    },
];

/// Values of a field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Set {
    /// A bit for each.
    pub(super) bits: u64,
    /// Whether the text begins with `*`; cron looks at nothing else.
    pub(super) has_star: bool,
}

impl Set {
    /// The same with 7 where 0 is, and the other way round.
    pub(super) fn with_both_sundays(self) -> Self {
        let sundays = 1 | 1 << 7;
        let more = if self.bits & sundays == 0 { 0 } else { sundays };
        Self {
            bits: self.bits | more,
            ..self
        }
    }
}

impl Field {
    /// Reads `text`.
    pub(super) fn read(&'static self, text: &str) -> Result<Set, ScheduleError> {
        let mut set = Set {
            bits: 0,
            has_star: text.starts_with('*'),
        };
        for (index, item) in text.split(',').enumerate() {
            let read = self.read_item(item).and_then(|bits| {
                let is_late = index > 0 && self.star_must_lead && item.starts_with('*');
                if is_late && !set.has_star {
                    return Err(Problem::LateStar);
                }
                Ok(bits)
            });
            set.bits |= read.map_err(|problem| ScheduleError::Field {
                field: self.name,
                text: text.to_owned(),
                problem,
            })?;
        }
        Ok(set)
    }

    fn read_item(&self, item: &str) -> Result<u64, Problem> {
        if item.is_empty() {
            return Err(Problem::EmptyItem);
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let (first, last) = match (range.strip_prefix('*'), range.split_once('-')) {
            (Some(""), _) => (self.low, self.high),
            (Some(_), _) => return Err(Problem::AfterStar),
            (None, Some((first, last))) => (self.value(first)?, self.value(last)?),
            (None, None) => {
                let value = self.value(range)?;
                return match step {
                    None => Ok(1 << value),
                    Some(step) => Err(Problem::StepWithoutRange {
                        instead: format!("{range}-{}/{step}", self.high),
                    }),
                };
            }
        };
        let step = step.map_or(Ok(1), |step| self.step(step))?;
        if first > last {
            let is_sunday = self.count < self.high - self.low + 1 && last == 0;
            return Err(Problem::Reversed { is_sunday });
        }
        let values = (first..=last).step_by(step);
        Ok(values.fold(0, |bits, value| bits | 1 << value))
    }

    fn value(&self, text: &str) -> Result<u32, Problem> {
        if text.is_empty() {
            return Err(Problem::NoNumber);
        }
        let same = |name: &&str| name.eq_ignore_ascii_case(text);
        if let Some(index) = (self.low..).zip(self.names).find(|(_, name)| same(name)) {
            return Ok(index.0);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::NoValue {
                text: text.to_owned(),
                names: self.names,
            });
        }
        let value = text.parse().ok();
        let in_range = value.filter(|value| (self.low..=self.high).contains(value));
        in_range.ok_or_else(|| Problem::OutOfRange {
            value: text.to_owned(),
            low: self.low,
            high: self.high,
        })
    }

    /// A step that is larger than the field goes to its first value only: `*/90` would be every hour.
    fn step(&self, text: &str) -> Result<usize, Problem> {
        if text.is_empty() {
            return Err(Problem::NoStep);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::NoValue {
                text: text.to_owned(),
                names: &[],
            });
        }
        match text.parse::<u32>() {
            Ok(0) => Err(Problem::StepZero),
            Ok(step) if step <= self.count => Ok(step as usize),
            _ => Err(Problem::StepTooLarge {
                step: text.to_owned(),
                count: self.count,
            }),
        }
    }
}
