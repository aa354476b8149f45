//! The regular expressions that patterns are turned into. Go's syntax, as far as such an expression can have it; all its
//! states are followed at once, so that no pattern takes more than its length times the path's (`**a**a**a**b` on a
//! long path would take a backtracking matcher for ever).
#![forbid(unsafe_code)]

use super::class::{Class, Rest, bracketed, escaped, perl};
use super::text::runes;

/// A compiled expression that has to match a path from end to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression {
    steps: Vec<Step>,
    /// It may end before the path does: a backslash at the end of a pattern escapes the `$` that moby puts there.
    is_open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// One character of the set.
    One(Set),
    /// Any number of characters of the set.
    Many(Set),
    /// `(.*/)?`: nothing, or anything that ends in a slash. Another step follows, [`Step::Inside`].
    Directories,
    /// Between the start and the end of [`Step::Directories`].
    Inside,
    /// No character, but a place.
    At(Place),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    End,
    /// Where a word of ASCII starts or ends.
    Boundary,
    NoBoundary,
}

impl Place {
    fn is_between(self, before: Option<char>, after: Option<char>) -> bool {
        let is_word = |rune: Option<char>| {
            rune.is_some_and(|rune| rune.is_ascii_alphanumeric() || rune == '_')
        };
        match self {
            Self::Start => before.is_none(),
            Self::End => after.is_none(),
            Self::Boundary => is_word(before) != is_word(after),
            Self::NoBoundary => is_word(before) == is_word(after),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Set {
    Rune(char),
    /// `.`: a newline is not in it.
    AnyInLine,
    Class(Box<Class>),
}

impl Set {
    fn contains(&self, rune: char) -> bool {
        match self {
            Self::Rune(own) => *own == rune,
            Self::AnyInLine => rune != '\n',
            Self::Class(class) => class.contains(rune),
        }
    }
}

impl Expression {
    /// Compiles `text`. Nothing if Go would refuse it; and nothing for `\p`, `\P` and `\Q`, which it would take but
    /// nobody means by a file's name.
    pub(super) fn compile(text: &str) -> Option<Self> {
        let mut rest = text.chars().peekable();
        let mut steps = Vec::new();
        let mut is_open = false;
        while let Some(rune) = rest.peek().copied() {
            if let Some(place) = place(&mut rest) {
                steps.push(Step::At(place));
            } else if rune == '(' {
                // Only as `(.*/)?`: those that people write are escaped.
                rest.nth("(.*/)?".len() - 1);
                steps.extend([Step::Directories, Step::Inside]);
            } else if rune == '\\' && rest.clone().nth(1).is_none() {
                rest.next();
                steps.push(Step::One(Set::Rune('$')));
                is_open = true;
            } else {
                let set = set(&mut rest)?;
                steps.push(match rest.next_if_eq(&'*') {
                    Some(_) => Step::Many(set),
                    None => Step::One(set),
                });
            }
        }
        Some(Self { steps, is_open })
    }

    /// Whether it matches all of `path`.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        if !self.may_end_like(path) {
            return false;
        }
        // Which steps may come next; the last one is the end.
        let end = self.steps.len();
        let mut now = vec![false; end + 1];
        let mut next = now.clone();
        now[0] = true;
        let mut before = None;
        let mut rest = runes(path).peekable();
        loop {
            self.pass(&mut now, before, rest.peek().copied());
            if self.is_open && now[end] {
                return true;
            }
            let Some(rune) = rest.next() else {
                return now[end];
            };
            if !self.take(rune, &now, &mut next) {
                return false;
            }
            std::mem::swap(&mut now, &mut next);
            before = Some(rune);
        }
    }

    /// Most files fail `*.log` by their last character already.
    fn may_end_like(&self, path: &[u8]) -> bool {
        match (self.steps.last(), path.last()) {
            (Some(Step::One(Set::Rune(rune))), Some(last)) if rune.is_ascii() && !self.is_open => {
                *rune == char::from(*last)
            }
            _ => true,
        }
    }

    /// Marks what can be reached without a character. Every such way leads forward, so one pass finds all.
    fn pass(&self, now: &mut [bool], before: Option<char>, after: Option<char>) {
        for (position, step) in self.steps.iter().enumerate() {
            if !now[position] {
                continue;
            }
            match step {
                Step::Many(_) => now[position + 1] = true,
                Step::At(place) if place.is_between(before, after) => now[position + 1] = true,
                Step::Directories => {
                    now[position + 1] = true;
                    now[position + 2] = true;
                }
                Step::One(_) | Step::Inside | Step::At(_) => {}
            }
        }
    }

    /// Marks in `next` where `rune` leads from `now`. Whether that is anywhere.
    fn take(&self, rune: char, now: &[bool], next: &mut [bool]) -> bool {
        next.fill(false);
        let mut any = false;
        for (position, step) in self.steps.iter().enumerate() {
            if !now[position] {
                continue;
            }
            match step {
                Step::One(set) if set.contains(rune) => next[position + 1] = true,
                Step::Many(set) if set.contains(rune) => next[position] = true,
                Step::Inside if rune == '/' => {
                    next[position] = true;
                    next[position + 1] = true;
                }
                Step::Inside if rune != '\n' => next[position] = true,
                _ => continue,
            }
            any = true;
        }
        any
    }
}

/// The place that comes next; nothing, and nothing read, if it is something else.
fn place(rest: &mut Rest) -> Option<Place> {
    if rest.next_if_eq(&'^').is_some() {
        return Some(Place::Start);
    }
    let mut ahead = rest.clone();
    let place = match (ahead.next()?, ahead.next()?) {
        ('\\', 'A') => Place::Start,
        ('\\', 'z') => Place::End,
        ('\\', 'b') => Place::Boundary,
        ('\\', 'B') => Place::NoBoundary,
        _ => return None,
    };
    *rest = ahead;
    Some(place)
}

fn set(rest: &mut Rest) -> Option<Set> {
    if let Some(ranges) = perl(rest) {
        return Some(Set::Class(Box::new(Class::of(ranges))));
    }
    Some(match rest.next()? {
        '.' => Set::AnyInLine,
        '[' => Set::Class(Box::new(bracketed(rest)?)),
        '\\' => Set::Rune(escaped(rest)?),
        rune => Set::Rune(rune),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str, path: &str) -> bool {
        Expression::compile(text).unwrap().matches(path.as_bytes())
    }

    #[test]
    fn matches_as_go_does() {
        for (text, path, wanted) in [
            ("[^/]*\\.log", "a.log", true),
            ("[^/]*\\.log", "a/b.log", false),
            ("[^/]*\\.log", ".logx", false),
            ("(.*/)?a.*", "x/y/abc/d", true),
            ("(.*/)?a.*", "xa", false),
            ("a/(.*/)?b", "a/b", true),
            ("a/(.*/)?b", "a/x/y/b", true),
            ("a/(.*/)?b", "a/xb", false),
            ("^a[^/]*", "ab", true),
            ("a^b[^/]*", "a^b", false),
            ("[[^/]*]", "[^]", true),
            ("[[^/]*]", "*", false),
            ("\\d\\W\\*[[:upper:]-]", "7-*-", true),
            ("\\d\\W\\*[[:^upper:]]", "7-*Q", false),
            ("\\x41\\101\\_[\\d\\-]", "AA_-", true),
            ("(.*/)?[^/]*\\.x", "new\nline/b.x", false),
            ("[^a]", "/", true),
            ("[a-]", "-", true),
            ("(.*/)?\\bin", "a/in", true),
            ("(.*/)?\\bin", "bin", false),
            ("a\\Bb\\z", "ab", true),
            ("a[^/]*\\", "ab$c/d", true),
            ("a[^/]*\\", "ab", false),
        ] {
            assert_eq!(matches(text, path), wanted, "{text} on {path:?}");
        }
        assert!(Expression::compile("[^/]").unwrap().matches(b"\xff"));
        assert!(!Expression::compile("[^/]").unwrap().matches(b"\xe2\x82"));
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for text in [
            "[z-a]",
            "\\q",
            "\\\u{e9}",
            "[[:nope:]]",
            "\\8",
            "\\1",
            "[a",
            "\\x4",
            "\\pL",
            "[\\q]",
            "[\\b]",
        ] {
            assert_eq!(Expression::compile(text), None, "{text}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_more_than_its_length() {
        let text = format!("{}b", "(.*/)?a".repeat(400));
        let path = "a/".repeat(2000);
        assert!(!matches(&format!("{text}[^/]*"), &path));
    }
}
