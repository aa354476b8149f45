//! Query strings: `a=b&c=d`, percent-encoded UTF-8, `+` for a space.
#![forbid(unsafe_code)]

use percent_encoding::percent_decode_str;

use super::ApiError;

/// The parameters of a query string, decoded.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Takes `text` apart. A parameter given twice, a bad escape and text that is not UTF-8 are a 400.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if pairs.iter().any(|(earlier, _)| *earlier == name) {
                return Err(ApiError::parameter(&name, "is given twice"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of `name`; an empty one counts as not given.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())?;
        Some(value)
    }

    /// The value of the boolean `name`: `true`, `false`, `1` or `0`; a bare `name` is true; not given is false.
    pub fn flag(&self, name: &str) -> Result<bool, ApiError> {
        let given = self
            .0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str());
        match given {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1" | "") => Ok(true),
            Some(_) => Err(ApiError::parameter(name, "must be true, false, 1 or 0")),
        }
    }

    /// The same, with a default for when it is not given.
    pub fn flag_or(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        if self.0.iter().any(|(known, _)| known == name) {
            self.flag(name)
        } else {
            Ok(default)
        }
    }

    /// The value of the whole number `name`, between 0 and `most`.
    pub fn number(&self, name: &str, most: u64) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse::<u64>() {
            // parse takes a leading plus, people do not write one.
            Ok(number) if number <= most && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(Some(number))
            }
            _ => Err(ApiError::parameter(
                name,
                &format!("must be a whole number from 0 to {most}"),
            )),
        }
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    decode_component(&text.replace('+', " "))
        .ok_or_else(|| ApiError::bad_request("the query string is not percent-encoded UTF-8"))
}

/// Decodes `%XX`; `None` when an escape is broken, or the result is not UTF-8 or has a NUL.
pub fn decode_component(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_hex = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_hexdigit);
    if memchr::memchr_iter(b'%', bytes).any(|index| !is_hex(index + 1) || !is_hex(index + 2)) {
        return None;
    }
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    (!decoded.contains('\0')).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes() {
        let query = Query::parse("a=1&b=x%20y+z&&c&d=%C3%A9").unwrap();
        assert_eq!(query.text("a"), Some("1"));
        assert_eq!(query.text("b"), Some("x y z"));
        assert_eq!(query.text("c"), None);
        assert_eq!(query.text("d"), Some("é"));
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        for bad in ["a=1&a=2", "a=%", "a=%4", "a=%zz", "a=%ff", "a=%00"] {
            assert!(Query::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn flags_and_numbers() {
        let query =
            Query::parse("yes=true&no=0&bare&odd=maybe&n=12&big=99&plus=%2B1&minus=-1").unwrap();
        assert!(query.flag("yes").unwrap() && query.flag("bare").unwrap());
        assert!(!query.flag("no").unwrap() && !query.flag("absent").unwrap());
        assert!(query.flag_or("absent", true).unwrap());
        assert!(query.flag("odd").is_err());
        assert_eq!(query.number("n", 20).unwrap(), Some(12));
        assert!(query.number("big", 20).is_err() && query.number("plus", 20).is_err());
        assert!(query.number("minus", 20).is_err());
        assert_eq!(query.number("absent", 20).unwrap(), None);
    }
}
