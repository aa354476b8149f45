//! The next time a job is due. cron thinks in minutes of the local clock and looks at it once a minute (cron.c, `main`
//! and `find_jobs`):
//! - When clocks are put forward, a job with a fixed time in the hour that is left out runs at once afterwards. One whose
//!   minute or hour begins with `*` follows the clock, and so has nothing to do in that hour.
//! - When they are put back, a fixed time in the hour that comes twice runs the first time only; the others run in both.
//! - A change by more than three hours is no change of summer time: everything follows the new clock.
#![forbid(unsafe_code)]

use super::Times;
use crate::clock::{date_of_days, days_of_date};
use crate::host::zone::Zone;

const DAY: i64 = 86_400;
const DAY_MINUTES: i64 = 1440;
/// A change of the clock that is no summer time any more.
const JUMP: i64 = 3 * 3600;
/// After so many years the calendar begins again, weekdays included.
const CALENDAR_YEARS: i64 = 400;
/// No zone is further from Greenwich than this.
const FARTHEST: i64 = 26 * 3600;

impl Times {
    /// Whether there is a day for it at all.
    pub(super) fn ever_comes(&self) -> bool {
        let first = days_of_date(2000, 1, 1);
        let end = days_of_date(2000 + CALENDAR_YEARS, 1, 1);
        (first..end).any(|day| self.has_day(day))
    }

    pub(super) fn next_after(&self, now: i64, zone: &Zone) -> Option<i64> {
        let today = now.saturating_add(zone.offset_at(now)).div_euclid(DAY);
        let end = today.checked_add(366 * CALENDAR_YEARS)?;
        let mut days = (today - 1..end).filter(|day| self.has_day(*day));
        let (day, found) = days.find_map(|day| Some((day, self.next_on(day, now, zone)?)))?;
        // Where clocks go back over midnight, a day comes back after the beginning of the next.
        let tomorrow = Some(day + 1).filter(|day| self.has_day(*day));
        let other = tomorrow.and_then(|day| self.next_on(day, now, zone));
        Some(other.map_or(found, |other| other.min(found)))
    }

    /// Whether this day, counted from 1970-01-01, is one of its days.
    fn has_day(&self, day: i64) -> bool {
        let (_, month, of_month) = date_of_days(day);
        // 1970-01-01 was a Thursday.
        let of_week = (day + 4).rem_euclid(7);
        let (by_day, by_week) = (
            self.days & 1 << of_month != 0,
            self.weekdays & 1 << of_week != 0,
        );
        let has_day = if self.is_either {
            by_day || by_week
        } else {
            by_day && by_week
        };
        has_day && self.months & 1 << month != 0
    }

    /// The next time on this day after `now`.
    fn next_on(&self, day: i64, now: i64, zone: &Zone) -> Option<i64> {
        let is_due = |minute: &i64| {
            self.hours & 1 << (minute / 60) != 0 && self.minutes & 1 << (minute % 60) != 0
        };
        let minutes = (0..DAY_MINUTES).filter(is_due);
        let locals = minutes.map(|minute| day * DAY + minute * 60);
        match steady_offset(day, zone) {
            Some(offset) => locals.map(|local| local - offset).find(|time| *time > now),
            None => locals
                .flat_map(|local| self.times_of(local, zone))
                .flatten()
                .filter(|time| *time > now)
                .min(),
        }
    }

    /// When the clock shows `local`, seconds of the local calendar: once, never, or twice. Twice a year all of this
    /// matters.
    fn times_of(&self, local: i64, zone: &Zone) -> [Option<i64>; 2] {
        let before = zone.offset_at(local - FARTHEST);
        let after = zone.offset_at(local + FARTHEST);
        let shown =
            |offset: i64| Some(local - offset).filter(|time| zone.offset_at(*time) == offset);
        let is_summer_time = (after - before).abs() <= JUMP;
        match (shown(before), shown(after)) {
            (first, second) if before == after => [first.or(second), None],
            (Some(first), Some(_)) if is_summer_time && !self.is_wild => [Some(first), None],
            (None, None) if is_summer_time && !self.is_wild => [
                Some(change_between(local - after, local - before, zone)),
                None,
            ],
            (first, second) => [first, second],
        }
    }
}

/// The offset of a day on which no clock is changed, nor on the days beside it.
fn steady_offset(day: i64, zone: &Zone) -> Option<i64> {
    let noon = zone.offset_at(day * DAY + DAY / 2);
    let around = [
        day * DAY - FARTHEST,
        day * DAY,
        day * DAY + DAY,
        day * DAY + DAY + FARTHEST,
    ];
    let is_steady = around.iter().all(|time| zone.offset_at(*time) == noon);
    is_steady.then_some(noon)
}

/// When the offset changes between these two times: the first second of the new one.
fn change_between(mut before: i64, mut after: i64, zone: &Zone) -> i64 {
    let old = zone.offset_at(before);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if zone.offset_at(middle) == old {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}
