//! Looking for a few words in program text (`build.gradle.kts`, `next.config.js`, `mix.exs`, `Gemfile`, `app.py`).
//!
//! No grammar is known here but comments and quotes.
#![forbid(unsafe_code)]

/// How a language writes comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `//` and `/* */`.
    Slashes,
    /// `#`.
    Hash,
}

/// The text without its comments; line ends stay, so that lines keep their numbers.
pub(crate) fn without_comments(text: &str, syntax: Syntax) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if quote.is_none()
            && let Some(length) = comment_length(rest, syntax)
        {
            out.extend(rest[..length].chars().filter(|c| *c == '\n'));
            rest = &rest[length..];
            continue;
        }
        let mut taken = c.len_utf8();
        match quote {
            Some(_) if c == '\\' => taken += rest[1..].chars().next().map_or(0, char::len_utf8),
            // A quote that never closes (an apostrophe in prose) ends with its line, unless it is a template literal.
            Some(open) if c == open || (c == '\n' && open != '`') => quote = None,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            _ => {}
        }
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

/// The length of the comment that `rest` begins with.
fn comment_length(rest: &str, syntax: Syntax) -> Option<usize> {
    let line = || Some(rest.find('\n').unwrap_or(rest.len()));
    match syntax {
        Syntax::Hash if rest.starts_with('#') => line(),
        Syntax::Slashes if rest.starts_with("//") => line(),
        Syntax::Slashes if rest.starts_with("/*") => {
            Some(rest[2..].find("*/").map_or(rest.len(), |end| end + 4))
        }
        _ => None,
    }
}

/// Whether `word` stands somewhere with no letter, digit or `_` beside it.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    words(text, word).next().is_some()
}

/// What follows each place where `word` stands alone.
pub(crate) fn words<'t>(text: &'t str, word: &str) -> impl Iterator<Item = &'t str> {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).filter_map(move |(at, found)| {
        let after = &text[at + found.len()..];
        let alone = !text[..at].ends_with(inside) && !after.starts_with(inside);
        alone.then_some(after)
    })
}

/// The value in `key: 'value'`, `key = "value"`, `key("value")` or `key 'value'`.
pub(crate) fn assigned<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    words(text, key).find_map(|after| quoted(opened(after)))
}

/// The number in `key = 17`, `key: 17` or `key(17)`, as it is written.
pub(crate) fn number<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    words(text, key).find_map(|after| {
        let digits = opened(after);
        let end = digits
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(digits.len());
        (end > 0).then_some(&digits[..end])
    })
}

/// Skips what stands between a key and its value: a closing quote, white space, one of `:`, `=`, `(`.
fn opened(after: &str) -> &str {
    let after = after
        .strip_prefix(['"', '\''])
        .unwrap_or(after)
        .trim_start();
    after
        .strip_prefix([':', '=', '('])
        .unwrap_or(after)
        .trim_start()
}

/// The string that `text` begins with, if it ends in the same line and has no escapes.
pub(crate) fn quoted(text: &str) -> Option<&str> {
    let quote = text
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let (value, _) = text[1..].split_once(quote)?;
    (!value.contains(['\n', '\\'])).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_strings_stay() {
        let text = "a // one\nb /* two\nthree */ c \"// no\" 'it\\'s /* no' `x\n// no`";
        assert_eq!(
            without_comments(text, Syntax::Slashes),
            "a \nb \n c \"// no\" 'it\\'s /* no' `x\n// no`"
        );
        assert_eq!(
            without_comments("a # b\n\"#\" #", Syntax::Hash),
            "a \n\"#\" "
        );
    }

    #[test]
    fn an_open_quote_ends_with_its_line() {
        assert_eq!(
            without_comments("don't\n# gone\nx", Syntax::Hash),
            "don't\n\nx"
        );
    }

    #[test]
    fn unfinished_text_does_not_confuse() {
        for text in ["/*", "/* ä", "\"\\", "'ä\\ä", "//", "/", "`"] {
            let _ = without_comments(text, Syntax::Slashes);
        }
        assert_eq!(without_comments("x /* never closed", Syntax::Slashes), "x ");
    }

    #[test]
    fn values_are_found_in_every_spelling() {
        for text in [
            "output: 'standalone'",
            "output:\"standalone\"",
            "\"output\" : `standalone`",
            "output = 'standalone'",
            "output('standalone')",
            "output 'standalone'",
        ] {
            assert_eq!(assigned(text, "output"), Some("standalone"), "{text}");
        }
        assert_eq!(assigned("myoutput: 'x', output_: 'y'", "output"), None);
        assert_eq!(assigned("output: fn(), b", "output"), None);
        assert_eq!(assigned("output: 'a\nb'", "output"), None);
        assert_eq!(assigned("output: 'never", "output"), None);
    }

    #[test]
    fn numbers_are_found() {
        assert_eq!(number("jvmToolchain(17)", "jvmToolchain"), Some("17"));
        assert_eq!(
            number("sourceCompatibility = 1.8\n", "sourceCompatibility"),
            Some("1.8")
        );
        assert_eq!(
            number("sourceCompatibility = '17'", "sourceCompatibility"),
            None
        );
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("gem 'rails'", "rails"));
        assert!(!has_word("gem 'rails_admin'", "rails"));
    }
}
