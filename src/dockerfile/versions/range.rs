//! Ranges of versions in the dialects of npm, composer, PEP 440, poetry, Bundler and Mix.
//!
//! They agree on everything but `~`, see [`Tilde`]. Candidates are image tags: `3.12` is the newest patch of 3.12, so it
//! satisfies `>=3.12.4`.
#![forbid(unsafe_code)]

use std::cmp::Ordering;

use super::Version;

/// A longer requirement is not read.
const LONGEST: usize = 200;

/// What `~1.2` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tilde {
    /// npm and poetry: 1.2 in any patch.
    Patch,
    /// composer: any 1 from 1.2 on.
    Minor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exact,
    Not,
    AtLeast,
    Above,
    AtMost,
    Below,
    Caret,
    Tilde,
    Pessimistic,
}

/// Longer spellings first.
const OPERATORS: &[(&str, Operator)] = &[
    ("===", Operator::Exact),
    ("==", Operator::Exact),
    ("!=", Operator::Not),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("~>", Operator::Pessimistic),
    ("~=", Operator::Pessimistic),
    ("=", Operator::Exact),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("^", Operator::Caret),
    ("~", Operator::Tilde),
];

#[derive(Clone, Copy, Debug)]
struct Comparator {
    operator: Operator,
    bound: Version,
}

/// Alternatives, each a list of conditions.
#[derive(Clone, Debug)]
pub(crate) struct Range(Vec<Vec<Comparator>>);

impl Range {
    /// Reads `^18 || >=20.1 <21`, `>=3.10,<3.13`, `~> 3.1`, `1.2 - 2`, `20.x`, `*`.
    pub(crate) fn parse(text: &str, tilde: Tilde) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let text = text.replace(" or ", "|").replace(" and ", " ");
        let alternatives: Option<Vec<_>> = text
            .split('|')
            .filter(|part| !part.trim().is_empty())
            .map(|part| conditions(part, tilde))
            .collect();
        alternatives.filter(|all| !all.is_empty()).map(Self)
    }

    /// Whether an image with this tag satisfies the range.
    pub(crate) fn allows(&self, tag: Version) -> bool {
        self.0
            .iter()
            .any(|all| all.iter().all(|condition| condition.allows(tag)))
    }

    /// The one version it names, if it names one and nothing else.
    pub(crate) fn exact(&self) -> Option<Version> {
        match self.0.as_slice() {
            [all] => match all.as_slice() {
                [one] if one.operator == Operator::Exact => Some(one.bound),
                _ => None,
            },
            _ => None,
        }
    }

    /// A version that the range names as allowed or as its lower end.
    pub(crate) fn floor(&self) -> Option<Version> {
        let upper = [Operator::Not, Operator::Below, Operator::AtMost];
        let lower = |condition: &&Comparator| !upper.contains(&condition.operator);
        self.0
            .iter()
            .flatten()
            .find(lower)
            .map(|condition| condition.bound)
    }
}

impl Comparator {
    fn allows(self, tag: Version) -> bool {
        let order = tag.common(self.bound);
        let newest_of_bound = order == Ordering::Equal && tag.parts() < self.bound.parts();
        match self.operator {
            Operator::Exact => order == Ordering::Equal,
            Operator::Not => order != Ordering::Equal || newest_of_bound,
            Operator::AtLeast => order != Ordering::Less,
            Operator::Above => order == Ordering::Greater || newest_of_bound,
            Operator::AtMost => order != Ordering::Greater && !newest_of_bound,
            Operator::Below => order == Ordering::Less,
            Operator::Caret => self.within(tag, if self.bound.major() == 0 { 2 } else { 1 }),
            Operator::Tilde => self.within(tag, 2),
            Operator::Pessimistic => self.within(tag, self.bound.parts().max(2) - 1),
        }
    }

    /// At least the bound, and equal to it in the first `parts` numbers.
    fn within(self, tag: Version, parts: usize) -> bool {
        tag.common(self.bound) != Ordering::Less
            && tag.common(self.bound.cut(parts)) == Ordering::Equal
    }
}

fn conditions(text: &str, tilde: Tilde) -> Option<Vec<Comparator>> {
    if let Some((from, to)) = text.split_once(" - ") {
        let from = comparator(Operator::AtLeast, Version::parse(from)?);
        let to = comparator(Operator::AtMost, Version::parse(to)?);
        return Some(vec![from, to]);
    }
    let mut rest = text.trim_start_matches([' ', ',', '\t']);
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (spelled, operator) = OPERATORS
            .iter()
            .find(|(spelled, _)| rest.starts_with(spelled))
            .copied()
            .unwrap_or(("", Operator::Exact));
        rest = rest[spelled.len()..].trim_start();
        let end = rest
            .find([' ', ',', '\t', '<', '>', '!'])
            .unwrap_or(rest.len());
        let operator = match (operator, tilde) {
            (Operator::Tilde, Tilde::Minor) => Operator::Pessimistic,
            (other, _) => other,
        };
        all.push(condition(operator, &rest[..end])?);
        rest = rest[end..].trim_start_matches([' ', ',', '\t']);
    }
    Some(all)
}

/// One condition; `*`, `20.x` and `3.11.*` end a version early, and so does composer's `@stable`.
fn condition(operator: Operator, text: &str) -> Option<Comparator> {
    let text = text.split('@').next().unwrap_or(text);
    let wild = text
        .split_once(['*', 'x', 'X'])
        .map_or(text, |(before, _)| before.trim_end_matches('.'));
    if wild.is_empty() && !text.is_empty() {
        let anything = Version {
            numbers: [0; 3],
            parts: 1,
        };
        return Some(comparator(Operator::AtLeast, anything));
    }
    Version::parse(wild).map(|bound| comparator(operator, bound))
}

fn comparator(operator: Operator, bound: Version) -> Comparator {
    Comparator { operator, bound }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(range: &str, tag: &str) -> bool {
        let range = Range::parse(range, Tilde::Patch).unwrap();
        range.allows(Version::parse(tag).unwrap())
    }

    #[test]
    fn ranges_of_all_dialects() {
        for (range, yes, no) in [
            (">=18", "24", "16"),
            ("^18.17.0 || >=20.5", "20", "19"),
            ("18 || 20 || 22", "22", "24"),
            ("20.x", "20", "21"),
            (">= 18.0.0 < 21", "20", "21"),
            (">=18,<21", "20", "22"),
            ("18 - 20", "20", "21"),
            ("^3.10", "3.13", "4.0"),
            ("~3.11", "3.11", "3.12"),
            ("~=3.11", "3.13", "4.0"),
            ("==3.11.*", "3.11", "3.12"),
            ("~> 3.1.2", "3.1", "3.2"),
            ("~> 3.1", "3.4", "4.0"),
            ("~> 3", "3.4", "4.0"),
            ("~> 1.15 or ~> 1.17", "1.18", "2.0"),
            (">=3.9, !=3.11.*", "3.12", "3.11"),
            (">=3.12.4", "3.12", "3.11"),
            (">3.12.4", "3.12", "3.11"),
            ("<=3.12", "3.12", "3.13"),
            ("<3.13", "3.12", "3.13"),
            ("^0.4", "0.4", "0.5"),
            ("*", "1", "0x"),
        ] {
            assert!(allows(range, yes), "{range} {yes}");
            if let Some(no) = Version::parse(no).filter(|_| no != "0x") {
                let range_ = Range::parse(range, Tilde::Patch).unwrap();
                assert!(!range_.allows(no), "{range} {no}");
            }
        }
    }

    #[test]
    fn composer_has_another_tilde() {
        let range = Range::parse("~8.1", Tilde::Minor).unwrap();
        assert!(range.allows(Version::parse("8.4").unwrap()));
        assert!(!allows("~8.1", "8.4"));
        let piped = Range::parse("^7.4|^8.0", Tilde::Minor).unwrap();
        assert!(piped.allows(Version::parse("8.3").unwrap()));
    }

    #[test]
    fn what_is_no_range_is_none() {
        for text in [
            "",
            "  ",
            "latest",
            "lts/*\"",
            ">=",
            "^",
            "dev-main",
            "1.2\nRUN id",
            ">=3 $(id)",
            "|",
            "||",
        ] {
            assert!(Range::parse(text, Tilde::Patch).is_none(), "{text:?}");
        }
        assert!(Range::parse(&"1|".repeat(200), Tilde::Patch).is_none());
    }
}
