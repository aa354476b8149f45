//! The request target (RFC 9112, 3.2): `/path?query`, `http://host/path?query` or, for OPTIONS, `*`.
#![forbid(unsafe_code)]

use super::head_error::HeadError;

/// A request target, still percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    text: String,
    query_start: Option<usize>,
}

impl Target {
    /// Takes the target of a `method` request apart. An absolute form loses scheme and host: there is one site here.
    pub fn parse(text: &str, method: &str) -> Result<Self, HeadError> {
        if !text
            .bytes()
            .all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'#')
        {
            return Err(HeadError::Target);
        }
        let origin = match text {
            "*" if method == "OPTIONS" => "*",
            _ if text.starts_with('/') => text,
            _ => strip_authority(text).ok_or(HeadError::Target)?,
        };
        Ok(Self {
            query_start: origin.find('?'),
            text: origin.to_owned(),
        })
    }

    /// The path, as it was sent. `*` for the server as a whole.
    pub fn path(&self) -> &str {
        &self.text[..self.query_start.unwrap_or(self.text.len())]
    }

    /// What stands behind the first `?`.
    pub fn query(&self) -> Option<&str> {
        self.query_start.map(|start| &self.text[start + 1..])
    }
}

fn strip_authority(text: &str) -> Option<&str> {
    let scheme_end = text.find("://")?;
    let scheme = &text[..scheme_end];
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let rest = &text[scheme_end + 3..];
    match rest.find(['/', '?']) {
        Some(0) => None,
        Some(start) if rest[start..].starts_with('/') => Some(&rest[start..]),
        Some(_) => None,
        None if rest.is_empty() => None,
        None => Some("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, Option<String>)> {
        let target = Target::parse(text, "GET").ok()?;
        Some((target.path().to_owned(), target.query().map(str::to_owned)))
    }

    #[test]
    fn forms() {
        assert_eq!(parts("/a?b?c"), Some(("/a".into(), Some("b?c".into()))));
        assert_eq!(parts("/"), Some(("/".into(), None)));
        assert_eq!(
            parts("http://h:1/a?q="),
            Some(("/a".into(), Some("q=".into())))
        );
        assert_eq!(parts("HTTP://h"), Some(("/".into(), None)));
        for bad in [
            "",
            "a",
            "*",
            "ftp://h/",
            "http:///a",
            "http://",
            "/a#b",
            "/a\u{e9}",
            "h:443",
            "http://h?a",
        ] {
            assert_eq!(parts(bad), None, "{bad:?}");
        }
        assert_eq!(Target::parse("*", "OPTIONS").unwrap().path(), "*");
    }
}
