//! Words of the project that were checked, character by character, and may therefore stand in a Dockerfile.
//!
//! What does not fit is `None`; the caller falls back to a default or says which field it cannot use. The sets leave
//! out everything that a Dockerfile, its `${}` expansion, JSON, a shell or a wildcard gives a meaning to: spaces and
//! line ends, quotes, backslash, `$`, `` ` ``, `*`, `?`, `[`, `{`, `(`, `;`, `&`, `|`, `<`, `>`, `#`, `!`, `~`, `^`.
#![forbid(unsafe_code)]

/// The longest word that is taken from a project.
const LONGEST: usize = 200;

/// A checked word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token(String);

impl Token {
    /// The name of a program, package, module or artifact: `[A-Za-z0-9_][A-Za-z0-9._-]*`.
    pub(crate) fn name(text: &str) -> Option<Self> {
        let first = text.chars().next()?;
        let fits = (first.is_ascii_alphanumeric() || first == '_') && only(text, "._-");
        fits.then(|| Self(text.to_owned()))
    }

    /// A path below the project: segments of `[A-Za-z0-9._@+-]`, none of them `..`, the first not starting with `-`.
    /// A leading `./` is dropped, and so is a slash at the end.
    pub(crate) fn path(text: &str) -> Option<Self> {
        let text = text.trim_start_matches("./");
        let text = text.strip_suffix('/').unwrap_or(text);
        let fits = only(text, "._@+-/")
            && !text.starts_with('-')
            && text
                .split('/')
                .all(|segment| !segment.is_empty() && segment != ".." && segment != ".");
        fits.then(|| Self(text.to_owned()))
    }

    /// One word of a command: `[A-Za-z0-9._/@:=,+%-]+`.
    pub(crate) fn word(text: &str) -> Option<Self> {
        only(text, "._/@:=,+%-").then(|| Self(text.to_owned()))
    }

    /// A dotted name (`mysite.wsgi`, `com.example.Main`), each part an identifier.
    pub(crate) fn dotted(text: &str) -> Option<Self> {
        let identifier = |part: &str| {
            part.chars()
                .next()
                .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        };
        let fits = only(text, "._") && text.split('.').all(identifier);
        fits.then(|| Self(text.to_owned()))
    }

    /// The word.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn only(text: &str, beside_letters_and_digits: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || beside_letters_and_digits.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &[&str] = &[
        "",
        "a b",
        "a\nRUN x",
        "a\rb",
        "a\"b",
        "a'b",
        "a`b`",
        "$(id)",
        "${HOME}",
        "$HOME",
        "a\\",
        "a;b",
        "a&&b",
        "a|b",
        "a>b",
        "a#b",
        "a*",
        "a?",
        "[a]",
        "{a}",
        "(a)",
        "!a",
        "~a",
        "a\u{0}",
        "ä",
        "a\u{2028}b",
        "{{port}}",
    ];

    #[test]
    fn hostile_words_fit_nowhere() {
        for text in HOSTILE {
            assert_eq!(Token::name(text), None, "{text:?}");
            assert_eq!(Token::path(text), None, "{text:?}");
            assert_eq!(Token::word(text), None, "{text:?}");
            assert_eq!(Token::dotted(text), None, "{text:?}");
        }
    }

    #[test]
    fn names_and_paths_have_shapes() {
        assert!(Token::name("my-app_2.0").is_some());
        assert_eq!(Token::name("--help"), None);
        assert_eq!(Token::name("a/b"), None);
        assert_eq!(Token::path("./src/app/").unwrap().as_str(), "src/app");
        for path in ["../x", "a/../b", "/etc", "a//b", "-x", ".", "./", "a/./b"] {
            assert_eq!(Token::path(path), None, "{path}");
        }
        assert!(Token::dotted("com.example.MainKt").is_some());
        assert_eq!(Token::dotted("com..Main"), None);
        assert_eq!(Token::dotted("1a.b"), None);
    }

    #[test]
    fn length_is_bounded() {
        assert!(Token::name(&"a".repeat(LONGEST)).is_some());
        assert_eq!(Token::name(&"a".repeat(LONGEST + 1)), None);
    }
}
