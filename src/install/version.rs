//! Versions, as `--version` prints them.
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::fmt;

/// A version: `2.6.1`, or `2.7.0-rc.1`, which comes before `2.7.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u32; 3],
    pre_release: Option<String>,
}

impl Version {
    /// This program's.
    pub(super) fn own() -> Option<Self> {
        Self::parse(env!("CARGO_PKG_VERSION"))
    }

    /// Reads `2.6.1` or `2.6.1-rc.1`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (numbers, pre_release) = match text.split_once('-') {
            Some((numbers, pre_release)) if !pre_release.is_empty() => (numbers, Some(pre_release)),
            Some(_) => return None,
            None => (text, None),
        };
        let mut parts = numbers.split('.').map(str::parse);
        let mut next = || parts.next()?.ok();
        let numbers = [next()?, next()?, next()?];
        parts.next().is_none().then(|| Self {
            numbers,
            pre_release: pre_release.map(str::to_owned),
        })
    }

    /// Reads what the program prints for `--version`.
    pub(super) fn said(output: &str) -> Option<Self> {
        Self::parse(output.strip_prefix("node-agent ")?.trim_end())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let release = |version: &Self| version.pre_release.is_none();
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| release(self).cmp(&release(other)))
            .then_with(|| self.pre_release.cmp(&other.pre_release))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}")?;
        match &self.pre_release {
            Some(pre_release) => write!(out, "-{pre_release}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn they_are_in_order() {
        let order = ["2.6.1", "2.6.2-rc1", "2.6.2", "2.6.10", "2.10.0", "10.0.0"];
        for pair in order.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert!(version("2.6.1") == version("2.6.1"));
    }

    #[test]
    fn only_this_program_says_so() {
        assert_eq!(Version::said("node-agent 2.6.1\n"), Version::parse("2.6.1"));
        assert_eq!(
            Version::own().unwrap().to_string(),
            env!("CARGO_PKG_VERSION")
        );
        for other in [
            "",
            "2.6.1",
            "nginx 1.0.0",
            "node-agent 2.6",
            "node-agent 2.6.1.1",
            "node-agent 2.6.1-",
            "node-agent x.y.z",
        ] {
            assert_eq!(Version::said(other), None, "{other}");
        }
    }
}
