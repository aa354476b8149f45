//! Versions as projects write them, and the choice of a base image's tag from them.
//!
//! A [`Version`] is up to three numbers, so whatever a project wrote, only digits and dots reach the Dockerfile.
#![forbid(unsafe_code)]

pub(crate) mod choice;
pub(crate) mod defaults;
pub(crate) mod range;

use std::cmp::Ordering;
use std::fmt;

/// Larger numbers than this are no version of anything (`9007199254740993` is a mistake or an attack).
const LARGEST: u32 = 99_999;

/// One to three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    numbers: [u32; 3],
    parts: usize,
}

impl Version {
    /// Reads `3`, `3.12`, `v20.11.1`, `1.22.0-rc1` (as 1.22: there is seldom an image of a pre-release).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', 'V']);
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (digits, suffix) = text.split_at(end);
        let mut numbers = [0; 3];
        let mut parts = 0;
        for (slot, part) in numbers
            .iter_mut()
            .zip(digits.trim_end_matches('.').split('.'))
        {
            *slot = part.parse().ok().filter(|number| *number <= LARGEST)?;
            parts += 1;
        }
        let version = Self { numbers, parts };
        match suffix.chars().next() {
            None => Some(version),
            Some(c) if c.is_ascii_alphabetic() || "-+_".contains(c) => Some(version.cut(2)),
            Some(_) => None,
        }
    }

    /// The first `parts` numbers of it.
    pub(crate) fn cut(self, parts: usize) -> Self {
        let parts = parts.min(self.parts);
        let mut numbers = self.numbers;
        numbers[parts..].fill(0);
        Self { numbers, parts }
    }

    /// How many numbers are written.
    pub(crate) fn parts(self) -> usize {
        self.parts
    }

    /// The first number.
    pub(crate) fn major(self) -> u32 {
        self.numbers[0]
    }

    /// The second number, 0 when it is not written.
    pub(crate) fn minor(self) -> u32 {
        self.numbers[1]
    }

    /// Whether it is this version or a later one; numbers that are not written are 0.
    pub(crate) fn at_least(self, major: u32, minor: u32) -> bool {
        (self.numbers[0], self.numbers[1]) >= (major, minor)
    }

    /// Compares the numbers that both have.
    pub(crate) fn common(self, other: Self) -> Ordering {
        let parts = self.parts.min(other.parts);
        self.numbers[..parts].cmp(&other.numbers[..parts])
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written: Vec<String> = self.numbers[..self.parts]
            .iter()
            .map(u32::to_string)
            .collect();
        f.write_str(&written.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_the_ways_people_write_them() {
        for (text, read) in [
            ("20", "20"),
            ("v20.11.1", "20.11.1"),
            (" 3.12 \r\n", "3.12"),
            ("3.13.0rc1", "3.13"),
            ("17.0.2-tem", "17.0"),
            ("8.0.100.4", "8.0.100"),
            ("3.", "3"),
            ("1.2.3+build", "1.2"),
        ] {
            let version = Version::parse(text).unwrap();
            assert_eq!(version.to_string(), read, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in [
            "",
            "v",
            "latest",
            "lts/*",
            "3 4",
            "3\nRUN id",
            "3\"",
            "$(id)",
            "3;x",
            ".3",
            "3..4",
            "99999999999",
            "100000",
        ] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
    }
}
