//! From a pattern to how it is compared, exactly as moby's patternmatcher does it: most patterns are compared as text,
//! the rest is turned into a regular expression, character by character and without regard to brackets. That is why
//! `[*]` matches no star, `a^*` nothing at all and `\d` a digit.
#![forbid(unsafe_code)]

use super::text::runes;

/// How a pattern is compared with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// It is the path.
    Exact,
    /// The path begins with it, less the `**` at its end.
    Prefix,
    /// The path ends with it, less the `**` at its start.
    Suffix,
    /// The path matches the expression between `^` and `$`.
    Expression(String),
}

/// How `pattern` is compared.
pub(super) fn translate(pattern: &[u8]) -> Comparison {
    let mut expression = String::new();
    let mut comparison = Kind::Exact;
    let mut rest = runes(pattern).peekable();
    // Go's text/scanner drops a byte order mark at the start.
    rest.next_if_eq(&'\u{feff}');
    let mut is_first = true;
    while let Some(rune) = rest.next() {
        match rune {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                comparison = match (rest.peek(), comparison) {
                    (None, Kind::Exact) => Kind::Prefix,
                    (None, _) => add(&mut expression, ".*"),
                    (Some(_), _) => add(&mut expression, "(.*/)?"),
                };
                if is_first {
                    comparison = Kind::Suffix;
                }
            }
            '*' => comparison = add(&mut expression, "[^/]*"),
            '?' => comparison = add(&mut expression, "[^/]"),
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => expression.extend(['\\', rune]),
            '\\' => {
                expression.push('\\');
                if let Some(escaped) = rest.next() {
                    comparison = Kind::Expression;
                    expression.push(escaped);
                }
            }
            '[' | ']' => comparison = add(&mut expression, rune.encode_utf8(&mut [0; 4])),
            _ => expression.push(rune),
        }
        is_first = false;
    }
    match comparison {
        Kind::Exact => Comparison::Exact,
        Kind::Prefix => Comparison::Prefix,
        Kind::Suffix => Comparison::Suffix,
        Kind::Expression => Comparison::Expression(expression),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Expression,
}

fn add(expression: &mut String, text: &str) -> Kind {
    expression.push_str(text);
    Kind::Expression
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_compared_the_cheapest_way() {
        for (pattern, wanted) in [
            ("a.b/c^", Comparison::Exact),
            ("a/**", Comparison::Prefix),
            ("a**", Comparison::Prefix),
            ("**", Comparison::Suffix),
            ("**/a.b", Comparison::Suffix),
            ("**a", Comparison::Suffix),
        ] {
            assert_eq!(translate(pattern.as_bytes()), wanted, "{pattern}");
        }
        for (pattern, wanted) in [
            ("a/*.b", "a/[^/]*\\.b"),
            ("**/*", "(.*/)?[^/]*"),
            ("****", "(.*/)?.*"),
            ("a/**/b?", "a/(.*/)?b[^/]"),
            ("**a**", "(.*/)?a.*"),
            ("[*]", "[[^/]*]"),
            ("\\*\\d", "\\*\\d"),
            ("$]", "\\$]"),
        ] {
            let wanted = Comparison::Expression(wanted.to_owned());
            assert_eq!(translate(pattern.as_bytes()), wanted, "{pattern}");
        }
    }
}
