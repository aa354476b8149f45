//! When a job is due: what Debian's cron (3.0pl1) runs, and runs as it is written. cron itself takes more: `5-1` and
//! February 30 never come, `*5` is `*`, what follows a number is passed over. All that is refused here, with the field
//! and the reason. crontab(5), and the source of the package `cron`, entry.c.
#![forbid(unsafe_code)]

mod error;
mod field;
mod next;

pub use error::{Problem, ScheduleError};

use crate::host::zone::Zone;
use crate::limits;
use field::{DAY, FIELDS, Field, Set};

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
        let read = |field: &'static Field, text: &str| field.read(text);
        let [minute, hour, day, month, weekday]: [Set; 5] = {
            let mut sets = [Set::default(); 5];
            for ((set, field), text) in sets.iter_mut().zip(&FIELDS).zip(texts) {
                *set = read(field, text)?;
            }
            sets
        };
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

/// The number of the field for days of the month, for those who look at it alone.
const _: () = assert!(DAY == 2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cron_runs_is_taken() {
        for text in [
            "0 2 * * *",
            "*/15 * * * *",
            "0-30/10 8-18 * * 1-5",
            "5,10,15 0 1,15 * sun",
            "0 0 29 2 *",
            "0 0 31 */2 *",
            "00 02 01 01 07",
            "1 2 3 JAN Mon",
            "0 0 * jan-mar mon-fri",
            "*/60 */24 */31 */12 */7",
            "59 23 31 12 7",
            "*/10,5 * * * *",
            "5,*/10 * * * *",
            "0 0 30 2 1",
            "@daily",
            "@hourly",
            "@reboot",
            "@yearly",
            "@annually",
            "@monthly",
            "@weekly",
            "@midnight",
            "0 0 1-7 * sat,sun",
            "0 0 * * 5-7",
            "0 0 * * 0-7",
        ] {
            assert_eq!(Schedule::parse(text).unwrap().text(), text);
        }
        let spaced = Schedule::parse(" 0\t2  * * * ").unwrap();
        assert_eq!(spaced.text(), "0 2 * * *");
        assert!(Schedule::parse("@reboot").unwrap().is_at_boot());
        let words = Schedule::parse("@weekly").unwrap().times;
        assert_eq!(words, Schedule::parse("0 0 * * 7").unwrap().times);
    }

    #[test]
    fn what_cron_does_not_run_as_written_is_refused_with_field_and_reason() {
        for (text, reason) in [
            ("", "is empty"),
            (" \t", "is empty"),
            ("* * * *", "has 4 fields"),
            ("0 * * * * *", "has 6 fields"),
            ("0 0 2 * * * *", "has 7 fields"),
            ("0 2 * * * root", "has 6 fields"),
            ("0 2 * * *\n* * * * * root id", "has a line feed"),
            ("0 2 * * *\r\n", "has a carriage return"),
            ("0 2 * * *\n", "has a line feed"),
            ("0 2 * * *%x", "has a `%`"),
            ("0 2\u{a0}* * *", "has the character U+00A0"),
            ("0 2 * * \u{0}", "has the character U+0000"),
            ("٣ 2 * * *", "has the character U+0663"),
            (
                "@Daily",
                "`@Daily` is not a word that cron knows; it wants lower case: `@daily`",
            ),
            ("@REBOOT", "it wants lower case: `@reboot`"),
            ("@every 5m", "has 2 fields"),
            (
                "@fortnightly",
                "`@fortnightly` is not a word that cron knows; expected",
            ),
            ("@", "is not a word"),
            ("60 * * * *", "minute `60`: 60 is not between 0 and 59"),
            ("0 24 * * *", "hour `24`: 24 is not between 0 and 23"),
            ("0 0 0 * *", "day of month `0`: 0 is not between 1 and 31"),
            ("0 0 32 * *", "day of month `32`"),
            ("0 0 1 0 *", "month `0`: 0 is not between 1 and 12"),
            ("0 0 1 13 *", "month `13`"),
            ("0 0 * * 8", "day of week `8`: 8 is not between 0 and 7"),
            (
                "4294967296 * * * *",
                "minute `4294967296`: 4294967296 is not between",
            ),
            (
                "99999999999999999999 * * * *",
                "minute `99999999999999999999`",
            ),
            (
                "5-1 * * * *",
                "minute `5-1`: the range ends before it begins, so cron would never run it",
            ),
            (
                "0 22-4 * * *",
                "hour `22-4`: the range ends before it begins",
            ),
            (
                "0 0 * * fri-sun",
                "day of week `fri-sun`: the range ends before it begins, so cron would never run it; Sunday at the end of a range is 7",
            ),
            (
                "0/15 * * * *",
                "minute `0/15`: a step needs `*` or a range before it: `0-59/15`",
            ),
            ("*/0 * * * *", "minute `*/0`: a step must be 1 or more"),
            ("*/ * * * *", "minute `*/`: the step is missing"),
            ("*/x * * * *", "minute `*/x`: `x` is not a number"),
            (
                "*/90 * * * *",
                "minute `*/90`: a step of 90 is more than the 60 that there are",
            ),
            ("0 */25 * * *", "hour `*/25`"),
            ("1-5/61 * * * *", "minute `1-5/61`"),
            ("-5 * * * *", "minute `-5`: a number is missing"),
            ("5- * * * *", "minute `5-`: a number is missing"),
            (
                "1,,2 * * * *",
                "minute `1,,2`: an item of the list is empty",
            ),
            (",1 * * * *", "minute `,1`: an item"),
            ("1, * * * *", "minute `1,`: an item"),
            ("*5 * * * *", "minute `*5`: only `/` may follow `*`"),
            ("** * * * *", "minute `**`"),
            ("*-5 * * * *", "minute `*-5`"),
            ("1-2-3 * * * *", "minute `1-2-3`: `2-3` is not a number"),
            ("1-5/2/3 * * * *", "minute `1-5/2/3`: `2/3` is not a number"),
            ("1.5 * * * *", "minute `1.5`: `1.5` is not a number"),
            ("+5 * * * *", "minute `+5`"),
            ("5; * * * *", "minute `5;`"),
            ("0x5 * * * *", "minute `0x5`"),
            ("mon * * * *", "minute `mon`: `mon` is not a number"),
            ("0 0 mon * *", "day of month `mon`"),
            (
                "0 0 * mon *",
                "month `mon`: `mon` is neither a number nor one of jan, feb",
            ),
            (
                "0 0 * * jan",
                "day of week `jan`: `jan` is neither a number nor one of sun, mon",
            ),
            (
                "0 0 * * monday",
                "day of week `monday`: `monday` is neither",
            ),
            ("0 0 * january *", "month `january`"),
            ("0 0 L * *", "day of month `L`"),
            ("0 0 15W * *", "day of month `15W`"),
            ("0 0 ? * *", "day of month `?`"),
            ("0 0 * * 5#2", "day of week `5#2`"),
            ("0 0 * * 5L", "day of week `5L`"),
            ("H * * * *", "minute `H`"),
            ("~ * * * *", "minute `~`"),
            ("0 0 30 2 *", "never comes"),
            ("0 0 31 2,4,6,9,11 *", "never comes"),
            ("0 0 30 2 */2", "never comes"),
            (
                "0 0 1,* * mon",
                "day of month `1,*`: `*` must be the first item",
            ),
            (
                "0 0 1 * 1,*/2",
                "day of week `1,*/2`: `*` must be the first item",
            ),
        ] {
            let message = Schedule::parse(text).unwrap_err().to_string();
            assert!(message.contains(reason), "{text:?}: {message}");
        }
        let long = format!("0{} * * * *", ",0".repeat(300));
        assert!(matches!(
            Schedule::parse(&long),
            Err(ScheduleError::TooLong)
        ));
    }
}
