//! The parameters of a header value, `; name=value; name="value"`, one at a time. Pure text.
#![forbid(unsafe_code)]

use std::borrow::Cow;

/// What is left of the parameters.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    rest: &'a [u8],
}

/// A parameter that is none, or a quoted value that does not end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A name and its value, quotes and escapes undone.
pub(super) type Parameter<'a> = (&'a [u8], Cow<'a, [u8]>);

impl<'a> Parameters<'a> {
    /// The word before the first `;`, and the parameters behind it.
    pub(super) fn of(value: &'a [u8]) -> (&'a [u8], Self) {
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let (word, rest) = value.split_at(end);
        (word.trim_ascii(), Self { rest })
    }

    /// The next one. An empty one (`;;`, or `;` at the end) is skipped, as RFC 9110, 5.6.6 wants.
    pub(super) fn next(&mut self) -> Result<Option<Parameter<'a>>, Malformed> {
        self.rest = self.rest.trim_ascii_start();
        while let Some(rest) = self.rest.strip_prefix(b";") {
            self.rest = rest.trim_ascii_start();
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let equals = memchr::memchr2(b'=', b';', self.rest).ok_or(Malformed)?;
        let (name, rest) = self.rest.split_at(equals);
        let rest = rest.strip_prefix(b"=").ok_or(Malformed)?;
        let value = match rest.strip_prefix(b"\"") {
            Some(quoted) => self.quoted(quoted)?,
            None => self.plain(rest),
        };
        Ok(Some((name, value)))
    }

    fn plain(&mut self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let end = memchr::memchr(b';', text).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        self.rest = rest;
        Cow::Borrowed(value.trim_ascii_end())
    }

    /// A backslash escapes `"` and itself and is a backslash before everything else: Windows clients send paths.
    fn quoted(&mut self, text: &'a [u8]) -> Result<Cow<'a, [u8]>, Malformed> {
        let mut value = Cow::Borrowed(&text[..0]);
        let mut position = 0;
        loop {
            let found = memchr::memchr2(b'"', b'\\', &text[position..]).ok_or(Malformed)?;
            let end = position + found;
            append(&mut value, &text[position..end]);
            if text[end] == b'"' {
                self.rest = text[end + 1..].trim_ascii_start();
                return match self.rest {
                    [] | [b';', ..] => Ok(value),
                    _ => Err(Malformed),
                };
            }
            let escaped = text[end + 1..]
                .first()
                .filter(|byte| b"\"\\".contains(byte));
            value.to_mut().push(*escaped.unwrap_or(&b'\\'));
            position = end + 1 + usize::from(escaped.is_some());
        }
    }
}

/// Most values have no escape and are never copied.
fn append<'a>(value: &mut Cow<'a, [u8]>, more: &'a [u8]) {
    if value.is_empty() {
        *value = Cow::Borrowed(more);
    } else {
        value.to_mut().extend_from_slice(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(value: &str) -> Result<Vec<(String, String)>, Malformed> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (word, mut parameters) = Parameters::of(value.as_bytes());
        let mut found = vec![(text(word), String::new())];
        while let Some((name, value)) = parameters.next()? {
            found.push((text(name), text(&value)));
        }
        Ok(found)
    }

    fn values(value: &str) -> Vec<String> {
        let parameters = all(value).unwrap().into_iter().skip(1);
        parameters.map(|(_, value)| value).collect()
    }

    #[test]
    fn words_names_and_values() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            all(" form-data ; a=b ;;c=\"d; e\" ; f=;").unwrap(),
            [
                pair("form-data", ""),
                pair("a", "b"),
                pair("c", "d; e"),
                pair("f", "")
            ]
        );
        assert_eq!(all("x").unwrap(), [pair("x", "")]);
    }

    #[test]
    fn quotes_and_backslashes() {
        assert_eq!(values(r#"x; a="\"\"""#), [r#""""#]);
        assert_eq!(values(r#"x; a="say \"hi\" to \\""#), [r#"say "hi" to \"#]);
        assert_eq!(values(r#"x; a="C:\temp\a.tar""#), [r"C:\temp\a.tar"]);
        assert_eq!(values(r#"x; a="""#), [""]);
    }

    #[test]
    fn malformed() {
        for bad in [
            "x; a",
            "x; a; b=c",
            "x; a=\"b",
            "x; a=\"b\\\"",
            "x; a=\"b\"c",
        ] {
            assert_eq!(all(bad), Err(Malformed), "{bad}");
        }
    }
}
