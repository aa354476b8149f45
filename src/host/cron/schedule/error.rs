//! Why a schedule is refused.
#![forbid(unsafe_code)]

use std::fmt;

use super::{REBOOT, WORDS};

/// Characters of the schedule that a message repeats.
const QUOTED_CHARS: usize = 40;

/// A schedule that Debian's cron would not run as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleError {
    /// Nothing there.
    Empty,
    /// Longer than every schedule that says something.
    TooLong,
    /// A character that has no place in a crontab's line, or another meaning there.
    Character(char),
    /// Not five fields, but so many.
    Fields(usize),
    /// A word beginning with `@` that cron does not know.
    Word(String),
    /// A field that makes no sense.
    Field {
        /// Which: `day of month`.
        field: &'static str,
        /// What it says.
        text: String,
        /// Why that is nothing.
        problem: Problem,
    },
    /// There is no such day.
    Never,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Two commas in a row, or one at an end.
    EmptyItem,
    /// Nothing before or after `-`.
    NoNumber,
    /// Neither a number nor a name.
    NoValue {
        /// What it is.
        text: String,
        /// The names there are.
        names: &'static [&'static str],
    },
    /// A number that the field does not have.
    OutOfRange {
        /// The number.
        value: String,
        /// The least.
        low: u32,
        /// The largest.
        high: u32,
    },
    /// `5-1`, which cron takes and never runs.
    Reversed {
        /// Whether it ends with Sunday as 0.
        is_sunday: bool,
    },
    /// `0/15`.
    StepWithoutRange {
        /// What was meant.
        instead: String,
    },
    /// `*/`.
    NoStep,
    /// `*/0`.
    StepZero,
    /// `*/90` minutes, which would be every hour.
    StepTooLarge {
        /// The step.
        step: String,
        /// How many values there are.
        count: u32,
    },
    /// `*5`, which cron takes for `*`.
    AfterStar,
    /// `1,*` for a day: cron looks for the `*` at the beginning only.
    LateStar,
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => out.write_str(
                "is empty; expected five fields as in `0 2 * * *`, or a word like `@daily`",
            ),
            Self::TooLong => out.write_str("is too long to be a schedule"),
            Self::Character('%') => {
                out.write_str("has a `%`, which has a meaning of its own in a crontab")
            }
            Self::Character('\n') => out.write_str("has a line feed"),
            Self::Character('\r') => out.write_str("has a carriage return"),
            Self::Character(letter) => {
                write!(
                    out,
                    "has the character U+{:04X}, which no schedule has",
                    u32::from(*letter)
                )
            }
            Self::Fields(count) => write!(
                out,
                "has {count} fields; cron takes five: minute, hour, day of month, month, day of week"
            ),
            Self::Word(word) => write_word(word, out),
            Self::Field {
                field,
                text,
                problem,
            } => {
                write!(out, "has the {field} `{}`: {problem}", shorten(text))
            }
            Self::Never => out.write_str("never comes: none of its months has such a day"),
        }
    }
}

fn write_word(word: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        out,
        "is no schedule: `{}` is not a word that cron knows; ",
        shorten(word)
    )?;
    let lower = word.to_ascii_lowercase();
    let words = || WORDS.iter().map(|(word, _)| *word).chain([REBOOT]);
    if words().any(|known| known == lower) {
        return write!(out, "it wants lower case: `{lower}`");
    }
    let all: Vec<&str> = words().collect();
    write!(out, "expected {}", all.join(", "))
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyItem => out.write_str("an item of the list is empty"),
            Self::NoNumber => out.write_str("a number is missing"),
            Self::NoValue { text, names: [] } => write!(out, "`{}` is not a number", shorten(text)),
            Self::NoValue { text, names } => write!(
                out,
                "`{}` is neither a number nor one of {}",
                shorten(text),
                names.join(", ")
            ),
            Self::OutOfRange { value, low, high } => {
                write!(out, "{} is not between {low} and {high}", shorten(value))
            }
            Self::Reversed { is_sunday } => {
                out.write_str("the range ends before it begins, so cron would never run it")?;
                let hint = if *is_sunday { "; Sunday at the end of a range is 7" } else { "" };
                out.write_str(hint)
            }
            Self::StepWithoutRange { instead } => write!(
                out,
                "a step needs `*` or a range before it: `{}`",
                shorten(instead)
            ),
            Self::NoStep => out.write_str("the step is missing"),
            Self::StepZero => out.write_str("a step must be 1 or more"),
            Self::StepTooLarge { step, count } => write!(
                out,
                "a step of {} is more than the {count} that there are",
                shorten(step)
            ),
            Self::AfterStar => out.write_str("only `/` may follow `*`"),
            Self::LateStar => out.write_str(
                "`*` must be the first item: behind others cron would run the job on more days than it says",
            ),
        }
    }
}

impl std::error::Error for ScheduleError {}

/// What was written, which is graphic ASCII, or its beginning.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
