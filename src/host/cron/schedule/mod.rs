//! When a job is due: what Debian's cron (3.0pl1) runs, and runs as it is written. cron itself takes more: `5-1` and
//! February 30 never come, `*5` is `*`, what follows a number is passed over. All that is refused here, with the field
//! and the reason. crontab(5), and the source of the package `cron`, entry.c.
#![forbid(unsafe_code)]

mod error;
mod field;
mod next;
#[cfg(test)]
mod tests;

pub use error::{Problem, ScheduleError};

use crate::host::zone::Zone;
use crate::limits;
use field::{FIELDS, Set};

/// A schedule that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    /// `None`: when the machine is started.
    times: Option<Times>,
}

/// The minutes at which a job is due, a bit for each value of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Times {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Sunday is both 0 and 7.
    weekdays: u64,
    /// Whether one of the day and the weekday is enough: neither begins with `*`.
    is_either: bool,
    /// Whether the minute or the hour begins with `*`: such a job follows the clock when it is changed, others are
    /// neither left out nor run twice.
    is_wild: bool,
}

/// cron's words for whole schedules, and what they stand for. It knows them in lower case only.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// The word for the start of the machine.
const REBOOT: &str = "@reboot";

impl Schedule {
    /// Reads a schedule: five fields with blanks between them, or one of cron's words.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        if text.len() > limits::CRON_SCHEDULE_BYTES {
            return Err(ScheduleError::TooLong);
        }
        let is_foreign =
            |letter: &char| !(letter.is_ascii_graphic() || [' ', '\t'].contains(letter));
        if let Some(letter) = text
            .chars()
            .find(|letter| is_foreign(letter) || *letter == '%')
        {
            return Err(ScheduleError::Character(letter));
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let times = match fields[..] {
            [] => return Err(ScheduleError::Empty),
            [REBOOT] => None,
            [word] if word.starts_with('@') => Some(Times::of_word(word)?),
            [minute, hour, day, month, weekday] => {
                Some(Times::of_fields([minute, hour, day, month, weekday])?)
            }
            _ => return Err(ScheduleError::Fields(fields.len())),
        };
        let schedule = Self {
            text: fields.join(" "),
            times,
        };
        if schedule.times.is_some_and(|times| !times.ever_comes()) {
            return Err(ScheduleError::Never);
        }
        Ok(schedule)
    }

    /// It, with one blank between the fields.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is the start of the machine.
    pub fn is_at_boot(&self) -> bool {
        self.times.is_none()
    }

    /// The next minute after `now` at which cron runs the job on a machine in `zone`, both in seconds since 1970.
    /// `None` for the start of the machine.
    pub fn next_after(&self, now: i64, zone: &Zone) -> Option<i64> {
        self.times?.next_after(now, zone)
    }
}

impl Times {
    fn of_word(word: &str) -> Result<Self, ScheduleError> {
        let known = WORDS.iter().find(|(known, _)| *known == word);
        let Some((_, fields)) = known else {
            return Err(ScheduleError::Word(word.to_owned()));
        };
        match fields.split(' ').collect::<Vec<_>>()[..] {
            [minute, hour, day, month, weekday] => {
                Self::of_fields([minute, hour, day, month, weekday])
            }
            _ => Err(ScheduleError::Word(word.to_owned())),
        }
    }

    fn of_fields(texts: [&str; 5]) -> Result<Self, ScheduleError> {
        let mut sets = [Set::default(); 5];
        for ((set, field), text) in sets.iter_mut().zip(&FIELDS).zip(texts) {
            *set = field.read(text)?;
        }
        let [minute, hour, day, month, weekday] = sets;
        Ok(Self {
            minutes: minute.bits,
            hours: hour.bits,
            days: day.bits,
            months: month.bits,
            weekdays: weekday.with_both_sundays().bits,
            is_either: !day.has_star && !weekday.has_star,
            is_wild: minute.has_star || hour.has_star,
        })
    }
}
