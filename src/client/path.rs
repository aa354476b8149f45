//! Request targets: what a person names is never part of one before it is encoded.
#![forbid(unsafe_code)]

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters (RFC 3986, 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A path and its query.
#[derive(Clone)]
pub(super) struct Path {
    text: String,
    has_query: bool,
}

impl Path {
    /// A path without anything of a person's.
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            has_query: text.contains('?'),
        }
    }

    /// `/containers/<name>/<what>`.
    pub(super) fn container(name: &str, what: &str) -> Self {
        Self::new(&format!(
            "/containers/{}/{what}",
            utf8_percent_encode(name, ENCODED)
        ))
    }

    /// With a parameter more.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.text.push_str(name);
        self.text.push('=');
        self.text.extend(utf8_percent_encode(value, ENCODED));
        self
    }

    /// The same, if there is a value.
    pub(super) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same for a flag, which is left out where it is not set.
    pub(super) fn with_flag(self, name: &str, is_set: bool) -> Self {
        self.with_some(name, is_set.then_some("true"))
    }

    /// As it goes into the request.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_stays_in_its_place() {
        let path = Path::container("a/b?c", "logs")
            .with("tail", "1&x=ä")
            .with_flag("follow", true)
            .with_flag("x", false);
        assert_eq!(
            path.as_str(),
            "/containers/a%2Fb%3Fc/logs?tail=1%26x%3D%C3%A4&follow=true"
        );
    }
}
