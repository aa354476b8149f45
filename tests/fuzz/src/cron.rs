//! A schedule: what is taken here, Debian's cron takes too (entry.c of 3.0pl1, `load_entry` and `get_list`, rewritten).
//! `tests/cron_schedules.rs` asks the real `crontab`.

use std::path::Path;
use std::sync::OnceLock;

use node_agent::host::cron::schedule::Schedule;
use node_agent::host::zone::Zone;

const MONTHS: &str = "jan feb mar apr may jun jul aug sep oct nov dec";
const DAYS: &str = "sun mon tue wed thu fri sat sun";

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(schedule) = Schedule::parse(text) else {
        return;
    };
    let shown = schedule.text();
    assert!(!shown.contains(['\n', '%', '\0']), "a crontab's line");
    assert_eq!(Schedule::parse(shown).as_ref(), Ok(&schedule));
    if shown.starts_with('@') {
        return;
    }
    let texts: Vec<&str> = shown.split_ascii_whitespace().collect();
    let kinds = [
        (0, 59, ""),
        (0, 23, ""),
        (1, 31, ""),
        (1, 12, MONTHS),
        (0, 7, DAYS),
    ];
    assert_eq!(texts.len(), kinds.len());
    let fields: Vec<u64> = texts
        .iter()
        .zip(kinds)
        .map(|(text, (low, high, names))| list(text, low, high, names).unwrap())
        .collect();
    // It comes at a minute that is one of its own, and after now.
    static UTC: OnceLock<Zone> = OnceLock::new();
    let zone = UTC.get_or_init(|| Zone::read(Path::new("/usr/share/zoneinfo/UTC")).unwrap());
    let now = 1_700_000_000;
    let next = schedule
        .next_after(now, zone)
        .expect("it was found to come");
    assert!(next > now && next % 60 == 0);
    assert!(fields[0] >> (next / 60 % 60) & 1 == 1 && fields[1] >> (next / 3600 % 24) & 1 == 1);
}

/// The values, a bit each; `None` when cron refuses the list.
fn list(text: &str, low: u64, high: u64, names: &str) -> Option<u64> {
    let mut bits = 0;
    for item in text.split(',') {
        let (range, step) = item
            .split_once('/')
            .map_or((item, None), |(r, s)| (r, Some(s)));
        let step: u64 = step.map_or(Some(1), |step| step.parse().ok())?;
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((first, last)) => (value(first, low, names)?, value(last, low, names)?),
            None => {
                let one = value(range, low, names)?;
                (one, one)
            }
        };
        if step == 0 || first < low || last > high {
            return None;
        }
        let last_of_week = high == 7 && last == 0 && first > 0;
        let last = if last_of_week { 7 } else { last };
        (first..=last)
            .step_by(usize::try_from(step).ok()?)
            .for_each(|value| bits |= 1 << value);
    }
    Some(bits)
}

fn value(text: &str, low: u64, names: &str) -> Option<u64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let at = names
        .split(' ')
        .position(|name| name.eq_ignore_ascii_case(text))?;
    (!text.is_empty()).then_some(at as u64 + low)
}
