//! Schedules that are taken, and those that are refused.
#![forbid(unsafe_code)]

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

/// What is written, and the beginning of the reason.
const REFUSED: &[(&str, &str)] = &[
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
];

#[test]
fn what_cron_does_not_run_as_written_is_refused_with_field_and_reason() {
    for (text, reason) in REFUSED {
        let message = Schedule::parse(text).unwrap_err().to_string();
        assert!(message.contains(reason), "{text:?}: {message}");
    }
    let long = format!("0{} * * * *", ",0".repeat(300));
    assert!(matches!(
        Schedule::parse(&long),
        Err(ScheduleError::TooLong)
    ));
}
