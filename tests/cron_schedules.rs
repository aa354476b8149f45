//! Schedules against their counterparts: Debian's `crontab`, a cron that is played minute by minute, and Python's zones.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use node_agent::clock::{Timestamp, date_of_days};
use node_agent::host::cron::schedule::Schedule;
use node_agent::host::zone::Zone;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

const ZONES: &str = "/usr/share/zoneinfo";

/// What Debian's crontab says of these lines; `None` when it takes all of them.
fn complaint(lines: &[String]) -> Option<String> {
    let mut crontab = Command::new("crontab")
        .args(["-n", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = lines.join(" echo\n") + " echo\n";
    crontab
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = crontab.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then_some(said)
}

/// Fields that are often right and often nearly so.
fn field() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        6 => Just("*".to_owned()),
        6 => (0u32..70).prop_map(|n| n.to_string()),
        4 => (0u32..40, 0u32..70).prop_map(|(a, b)| format!("{a}-{b}")),
        3 => (0u32..40, 0u32..70, 0u32..70).prop_map(|(a, b, n)| format!("{a}-{b}/{n}")),
        4 => (0u32..70).prop_map(|n| format!("*/{n}")),
        2 => (0u32..70, 0u32..70).prop_map(|(a, n)| format!("{a}/{n}")),
        3 => prop::sample::select(vec!["mon", "SUN", "Jan", "dec", "fri-sun", "sat-7", "may-aug", "monday"]).prop_map(str::to_owned),
        2 => "[-0-9*/,a-z#?LW]{0,5}",
    ];
    prop::collection::vec(item, 1..3).prop_map(|items| items.join(","))
}

fn schedule() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "@daily",
        "@Daily",
        "@hourly",
        "@reboot",
        "@yearly",
        "@midnight",
        "@x",
    ]);
    prop_oneof![
        30 => (field(), field(), field(), field(), field()).prop_map(|(a, b, c, d, e)| format!("{a} {b} {c} {d} {e}")),
        1 => words.prop_map(str::to_owned),
    ]
}

#[test]
fn what_is_taken_debians_crontab_takes_too() {
    let mut runner = TestRunner::new(Config::default());
    let strategy = schedule();
    let (mut taken, mut refused) = (Vec::new(), 0);
    while taken.len() < 300 {
        let text = strategy.new_tree(&mut runner).unwrap().current();
        match Schedule::parse(&text) {
            Ok(schedule) => taken.push(schedule.text().to_owned()),
            Err(_) => refused += 1,
        }
    }
    assert_eq!(complaint(&taken), None);
    // What follows decides whether the comparison means anything.
    assert!(refused > 300);
    assert!(
        complaint(&["0/15 * * * *".to_owned()])
            .unwrap()
            .contains("bad minute")
    );
}

#[test]
fn what_debians_crontab_refuses_is_refused() {
    let mut runner = TestRunner::new(Config::default());
    let strategy = schedule();
    let texts: Vec<String> = (0..600)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect();
    let mut both = 0;
    for text in texts {
        if complaint(std::slice::from_ref(&text)).is_some() {
            assert!(Schedule::parse(&text).is_err(), "{text}");
            both += 1;
        }
    }
    assert!(both > 50);
}

/// The same schedule as cron reads it, and cron's main loop and `find_jobs` (cron.c), played minute by minute.
struct Played {
    fields: [Vec<u32>; 5],
    stars: [bool; 5],
}

impl Played {
    fn new(text: &str) -> Self {
        let texts: Vec<&str> = text.split(' ').collect();
        let limits = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
        let values = |at: usize| -> Vec<u32> {
            let (low, high) = limits[at];
            let item = |item: &str| -> Vec<u32> {
                let (range, step) = item.split_once('/').unwrap_or((item, "1"));
                let (from, to) = match range {
                    "*" => (low, high),
                    range => {
                        let (from, to) = range.split_once('-').unwrap_or((range, range));
                        (from.parse().unwrap(), to.parse().unwrap())
                    }
                };
                (from..=to).step_by(step.parse().unwrap()).collect()
            };
            texts[at].split(',').flat_map(item).collect()
        };
        Self {
            fields: [0, 1, 2, 3, 4].map(values),
            stars: [0, 1, 2, 3, 4].map(|at| texts[at].starts_with('*')),
        }
    }

    fn matches(&self, local_minute: i64) -> bool {
        let day = local_minute.div_euclid(1440);
        let (_, month, of_month) = date_of_days(day);
        let minute = local_minute.rem_euclid(1440);
        let has = |at: usize, value: i64| {
            self.fields[at]
                .iter()
                .any(|field| i64::from(*field) == value)
        };
        let weekday = (day + 4).rem_euclid(7);
        let by_week = has(4, weekday) || (weekday == 0 && has(4, 7));
        let by_day = has(2, of_month);
        let day_fits = if self.stars[2] || self.stars[4] {
            by_day && by_week
        } else {
            by_day || by_week
        };
        has(0, minute % 60) && has(1, minute / 60) && has(3, month) && day_fits
    }

    /// The minutes, in UTC, at which cron starts the job from `from` on, for `count` minutes.
    fn play(&self, zone: &Zone, from: i64, count: i64) -> Vec<i64> {
        let is_wild = self.stars[0] || self.stars[1];
        let clock = |minute: i64| (minute * 60 + zone.offset_at(minute * 60)).div_euclid(60);
        let mut started = Vec::new();
        let mut virtual_time = clock(from - 1);
        for now in from..from + count {
            let mut find = |minute: i64, wild: bool, fixed: bool| {
                if self.matches(minute) && ((fixed && !is_wild) || (wild && is_wild)) {
                    started.push(now);
                }
            };
            let running = clock(now);
            match running - virtual_time {
                1 => {
                    virtual_time = running;
                    find(running, true, true);
                }
                6..=180 => {
                    find(running, true, false);
                    while virtual_time < running {
                        virtual_time += 1;
                        find(virtual_time, false, true);
                    }
                }
                -179..=0 => find(running, true, false),
                difference => {
                    assert!(!(2..=5).contains(&difference));
                    virtual_time = running;
                    find(running, true, true);
                }
            }
        }
        started.dedup();
        started
    }
}

fn zone(name: &str) -> Zone {
    Zone::read(&Path::new(ZONES).join(name))
        .unwrap_or_else(|| panic!("no zone {name}: package tzdata"))
}

fn minute_of(text: &str) -> i64 {
    Timestamp::parse(text).unwrap().seconds / 60
}

/// Days on which clocks were changed: forward and back, by an hour and by half of one, at midnight and over it, and by a
/// whole day.
const CHANGES: [(&str, &str); 12] = [
    ("Etc/UTC", "2026-02-28T00:00:00Z"),
    ("Europe/Berlin", "2026-03-28T12:00:00Z"),
    ("Europe/Berlin", "2026-10-24T12:00:00Z"),
    ("America/New_York", "2026-03-07T17:00:00Z"),
    ("America/New_York", "2026-10-31T17:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T02:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T02:00:00Z"),
    ("America/Havana", "2026-03-07T17:00:00Z"),
    ("America/Havana", "2026-10-31T17:00:00Z"),
    ("Asia/Beirut", "2026-10-24T12:00:00Z"),
    ("Pacific/Apia", "2011-12-29T12:00:00Z"),
    ("Europe/Berlin", "2060-10-30T12:00:00Z"),
];

fn check(text: &str, zone_name: &str, from: &str) {
    let zone = zone(zone_name);
    let schedule = Schedule::parse(text).unwrap();
    let from = minute_of(from);
    let span = 3 * 1440;
    let expected = Played::new(text).play(&zone, from, span);
    // Just before each and at each, as far as the span goes, and some between.
    let near = expected
        .iter()
        .flat_map(|minute| [minute - 1, *minute])
        .step_by(expected.len() / 15 + 1);
    let questions = near.chain((from..from + span).step_by(397));
    for now in questions.filter(|now| *now >= from) {
        let told = schedule.next_after(now * 60 + 30, &zone).unwrap();
        let shown = |seconds: i64| Timestamp::from_seconds(seconds).to_string();
        let what = format!("{text} in {zone_name} after {}", shown(now * 60 + 30));
        match expected.iter().find(|minute| **minute > now) {
            Some(minute) => assert_eq!(shown(told), shown(minute * 60), "{what}"),
            None => assert!(told >= (from + span) * 60, "{what}: {}", shown(told)),
        }
    }
}

#[test]
fn the_next_run_is_when_cron_runs_it() {
    let schedules = [
        "* * * * *",
        "30 2 * * *",
        "0 0 * * *",
        "*/20 2 * * *",
        "15 * * * *",
        "*/7 0-3 * * *",
        "0,30 1,2,3 * * *",
        "59 23 * * *",
        "0 0 1 * *",
        "45 1 * * 0",
        "0 12 1 * 6",
        "0 12 */2 * 6",
        "10 3 28,29 */1 */2",
    ];
    for (zone, from) in CHANGES {
        for schedule in schedules {
            check(schedule, zone, from);
        }
    }
}

#[test]
fn so_it_is_for_any_schedule() {
    let field = |low: u32, high: u32| {
        prop_oneof![
            2 => Just("*".to_owned()),
            2 => (low..=high).prop_map(|n| n.to_string()),
            1 => (low..=high, low..=high).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
            1 => (2..=5u32).prop_map(|n| format!("*/{n}")),
            1 => (low..=high, low..=high).prop_map(|(a, b)| format!("{a},{b}")),
        ]
    };
    let strategy = (
        field(0, 59),
        field(0, 4),
        field(1, 31),
        field(1, 12),
        field(0, 7),
        0..CHANGES.len(),
    );
    let mut runner = TestRunner::new(Config::with_cases(60));
    runner
        .run(&strategy, |(minute, hour, day, month, weekday, change)| {
            let text = format!("{minute} {hour} {day} {month} {weekday}");
            prop_assume!(Schedule::parse(&text).is_ok());
            check(&text, CHANGES[change].0, CHANGES[change].1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn far_away_runs_are_found() {
    let zone = zone("Europe/Berlin");
    for (text, now, next) in [
        ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-28T23:00:00Z"),
        (
            "0 0 29 2 */6",
            "2021-01-01T00:00:00Z",
            "2032-02-28T23:00:00Z",
        ),
        ("@yearly", "2026-01-01T00:00:00Z", "2026-12-31T23:00:00Z"),
        (
            "0 0 31 12 5",
            "2026-12-25T12:00:00Z",
            "2026-12-30T23:00:00Z",
        ),
    ] {
        let now = Timestamp::parse(now).unwrap().seconds;
        let told = Schedule::parse(text)
            .unwrap()
            .next_after(now, &zone)
            .unwrap();
        assert_eq!(Timestamp::from_seconds(told).to_string(), next, "{text}");
    }
    assert_eq!(
        Schedule::parse("@reboot").unwrap().next_after(0, &zone),
        None
    );
}

#[test]
fn zones_are_read_as_python_reads_them() {
    let script = r"
import sys, datetime, zoneinfo
for line in sys.stdin:
    name, second = line.split()
    moment = datetime.datetime.fromtimestamp(int(second), zoneinfo.ZoneInfo(name))
    print(int(moment.utcoffset().total_seconds()))
";
    let names = [
        "Etc/UTC",
        "Europe/Berlin",
        "Europe/Dublin",
        "America/New_York",
        "America/Sao_Paulo",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Chatham",
        "America/Havana",
        "Asia/Gaza",
        "America/Nuuk",
        "Antarctica/Troll",
        "EST5EDT",
    ];
    let mut questions = Vec::new();
    for name in names {
        // From 1970 to 2100, in odd steps, so that all hours of all seasons come.
        questions.extend(
            (0..4_102_444_800_i64)
                .step_by(1_234_567 * 3)
                .map(|second| (name, second)),
        );
    }
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let lines: Vec<String> = questions
        .iter()
        .map(|(name, second)| format!("{name} {second}\n"))
        .collect();
    let text = lines.concat();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    let mut compared = 0;
    for ((name, second), answer) in questions.iter().zip(answers.lines()) {
        let ours = zone(name).offset_at(*second);
        assert_eq!(
            ours,
            answer.parse::<i64>().unwrap(),
            "{name} at {}",
            Timestamp::from_seconds(*second)
        );
        compared += 1;
    }
    assert_eq!(compared, questions.len());
    assert_eq!(Zone::read(&PathBuf::from("/nowhere")), None);
}
