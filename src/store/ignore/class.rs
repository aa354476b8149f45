//! Sets of characters in a regular expression: `[…]`, `\d` and the like, as Go's regexp/syntax reads them.
#![forbid(unsafe_code)]

use std::iter::Peekable;
use std::str::Chars;

/// The rest of an expression.
pub(super) type Rest<'a> = Peekable<Chars<'a>>;

/// First and last characters.
pub(super) type Ranges = Vec<(char, char)>;

/// Characters, or all but these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    is_negated: bool,
    ranges: Ranges,
}

impl Class {
    /// The characters in `ranges`.
    pub(super) fn of(ranges: Ranges) -> Self {
        Self {
            is_negated: false,
            ranges,
        }
    }

    /// Whether `rune` is in it.
    pub(super) fn contains(&self, rune: char) -> bool {
        let is_listed = self
            .ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&rune));
        is_listed != self.is_negated
    }
}

/// The class whose `[` is already read. Nothing if Go refuses it.
pub(super) fn bracketed(rest: &mut Rest) -> Option<Class> {
    let mut class = Class {
        is_negated: rest.next_if_eq(&'^').is_some(),
        ranges: Vec::new(),
    };
    let mut is_first = true;
    while is_first || rest.peek() != Some(&']') {
        is_first = false;
        if let Some(ranges) = named(rest).ok()? {
            class.ranges.extend(ranges);
        } else if let Some(ranges) = perl(rest) {
            class.ranges.extend(ranges);
        } else {
            class.ranges.push(range(rest)?);
        }
    }
    rest.next();
    Some(class)
}

fn range(rest: &mut Rest) -> Option<(char, char)> {
    let low = member(rest)?;
    let mut ahead = rest.clone();
    // A minus before the closing bracket is a minus.
    let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
    if !is_range {
        return Some((low, low));
    }
    rest.next();
    let high = member(rest)?;
    (low <= high).then_some((low, high))
}

fn member(rest: &mut Rest) -> Option<char> {
    match rest.next()? {
        '\\' => escaped(rest),
        rune => Some(rune),
    }
}

/// The character that the escape stands for whose `\` is already read. Nothing for what Go refuses.
pub(super) fn escaped(rest: &mut Rest) -> Option<char> {
    Some(match rest.next()? {
        'a' => '\u{7}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => {
            let high = rest.next()?.to_digit(16)?;
            char::from_u32(high * 16 + rest.next()?.to_digit(16)?)?
        }
        rune @ '0'..='7' => octal(rune, rest)?,
        rune if rune.is_ascii() && !rune.is_ascii_alphanumeric() => rune,
        _ => return None,
    })
}

/// Up to three octal digits; one alone that is not zero would be a back reference, which Go has not.
fn octal(first: char, rest: &mut Rest) -> Option<char> {
    let is_octal = |rune: &char| rune.is_digit(8);
    if first != '0' && !rest.peek().is_some_and(is_octal) {
        return None;
    }
    let mut code = first.to_digit(8)?;
    for _ in 0..2 {
        if let Some(digit) = rest.next_if(is_octal) {
            code = code * 8 + digit.to_digit(8)?;
        }
    }
    char::from_u32(code)
}

/// `\d`, `\s`, `\w` and their opposites; nothing, and nothing read, if the rest begins otherwise.
pub(super) fn perl(rest: &mut Rest) -> Option<Ranges> {
    let mut ahead = rest.clone();
    if ahead.next() != Some('\\') {
        return None;
    }
    let letter = ahead.next()?;
    let ranges: Ranges = match letter.to_ascii_lowercase() {
        'd' => vec![('0', '9')],
        's' => vec![('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')],
        'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        _ => return None,
    };
    *rest = ahead;
    Some(if letter.is_ascii_uppercase() {
        all_but(&ranges)
    } else {
        ranges
    })
}

/// `[:nope:]`.
struct UnknownName;

/// `[:alpha:]` and the like, only ASCII as in Go; nothing, and nothing read, if the rest begins otherwise.
fn named(rest: &mut Rest) -> Result<Option<Ranges>, UnknownName> {
    let mut ahead = rest.clone();
    if ahead.next() != Some('[') || ahead.next() != Some(':') {
        return Ok(None);
    }
    let text: String = rest.clone().collect();
    let Some((name, _)) = text
        .strip_prefix("[:")
        .and_then(|text| text.split_once(":]"))
    else {
        return Ok(None);
    };
    let is_negated = name.starts_with('^');
    let ranges = posix(name.strip_prefix('^').unwrap_or(name)).ok_or(UnknownName)?;
    for _ in 0.."[::]".len() + name.chars().count() {
        rest.next();
    }
    Ok(Some(if is_negated { all_but(&ranges) } else { ranges }))
}

fn posix(name: &str) -> Option<Ranges> {
    Some(match name {
        "alnum" => vec![('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => vec![('A', 'Z'), ('a', 'z')],
        "ascii" => vec![('\0', '\x7f')],
        "blank" => vec![('\t', '\t'), (' ', ' ')],
        "cntrl" => vec![('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => vec![('0', '9')],
        "graph" => vec![('!', '~')],
        "lower" => vec![('a', 'z')],
        "print" => vec![(' ', '~')],
        "punct" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => vec![('\t', '\r'), (' ', ' ')],
        "upper" => vec![('A', 'Z')],
        "word" => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => vec![('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    })
}

/// The gaps between `ranges`, which are sorted and ASCII.
fn all_but(ranges: &[(char, char)]) -> Ranges {
    let mut gaps = Vec::new();
    let mut low = Some('\0');
    for (first, last) in ranges {
        // Every range here ends in ASCII: there is always a character before and after.
        if let (Some(low), Some(high)) = (low, before(*first))
            && low <= high
        {
            gaps.push((low, high));
        }
        low = char::from_u32(u32::from(*last) + 1);
    }
    gaps.extend(low.map(|low| (low, char::MAX)));
    gaps
}

fn before(rune: char) -> Option<char> {
    char::from_u32(u32::from(rune).checked_sub(1)?)
}
