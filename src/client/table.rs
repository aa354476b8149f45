//! Figures and tables for people.
#![forbid(unsafe_code)]

use crate::clock::Timestamp;

/// Rows under a head, each column as wide as its widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max();
        widest
            .unwrap_or(0)
            .max(head.get(column).map_or(0, |cell| cell.len()))
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    let head: Vec<_> = head.iter().map(|&cell| cell.to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            let blanks = width.saturating_sub(cell.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Bytes with a unit of 1000s, as docker shows them.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    let (mut rest, mut unit) = (count, "B");
    let mut tenths = 0;
    for next in UNITS {
        if rest < 1000 {
            break;
        }
        tenths = rest % 1000 / 100;
        rest /= 1000;
        unit = next;
    }
    if unit == "B" || rest >= 100 {
        format!("{rest} {unit}")
    } else {
        format!("{rest}.{tenths} {unit}")
    }
}

/// Seconds as `4m05s`.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// How long ago the RFC 3339 time `text` was.
pub(super) fn ago(text: &str) -> String {
    let then = Timestamp::parse(text).map(|time| time.seconds);
    let Some(then) = then else {
        return text.to_owned();
    };
    let seconds = Timestamp::now().seconds.saturating_sub(then);
    format!("{} ago", duration(u64::try_from(seconds).unwrap_or(0)))
}

/// The first twelve digits of an id, as docker shows it.
pub(super) fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (count, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1_550_000, "1.5 MB"),
            (123_456_789, "123 MB"),
        ] {
            assert_eq!(bytes(count), shown);
        }
        for (seconds, shown) in [
            (5, "5s"),
            (65, "1m05s"),
            (3_660, "1h01m"),
            (90_000, "1d01h"),
        ] {
            assert_eq!(duration(seconds), shown);
        }
        assert_eq!(short("sha256:0123456789abcdef"), "0123456789ab");
    }

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        let rows = [
            vec!["a".to_owned(), "long cell".to_owned()],
            vec!["äöü".to_owned(), String::new()],
        ];
        assert_eq!(table(&["X", "Y"], &rows), "X    Y\na    long cell\näöü\n");
    }
}
