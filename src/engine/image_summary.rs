//! An image as the engine's list shows it, borrowed from the text of the list. `/images/json`.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use serde::Deserialize;

use super::EngineError;
use super::summary::Text;

/// One element of the list. Everything may be missing or null.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageSummary<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    parent_id: Option<Text<'a>>,
    #[serde(borrow)]
    repo_tags: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    repo_digests: Option<Vec<Text<'a>>>,
    /// Seconds since 1970; before the year 1 when the image does not say.
    pub created: Option<i64>,
    /// Bytes, shared layers included.
    pub size: Option<i64>,
}

impl ImageSummary<'_> {
    /// `sha256:` and 64 hex digits.
    pub fn id(&self) -> &str {
        self.id.as_ref().map_or("", |text| text.0.as_ref())
    }

    /// The image that it was built on here; empty when it came from elsewhere.
    pub fn parent_id(&self) -> &str {
        self.parent_id.as_ref().map_or("", |text| text.0.as_ref())
    }

    /// Its names, `repository:tag`. Engines before API 1.43 write `<none>:<none>` for an image without one.
    pub fn tags(&self) -> Vec<&str> {
        named(self.repo_tags.as_deref())
    }

    /// `repository@sha256:…`, for each registry it came from or went to.
    pub fn digests(&self) -> Vec<&str> {
        named(self.repo_digests.as_deref())
    }
}

fn named<'t>(texts: Option<&'t [Text<'_>]>) -> Vec<&'t str> {
    texts
        .unwrap_or_default()
        .iter()
        .map(|text| match &text.0 {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => text.as_str(),
        })
        .filter(|text| !text.starts_with("<none>"))
        .collect()
}

/// `text`, an element of the list.
pub(super) fn parse(text: &[u8]) -> Result<ImageSummary<'_>, EngineError> {
    serde_json::from_slice(text).map_err(|error| EngineError::Nonsense {
        call: "GET /images/json".to_owned(),
        problem: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_may_be_missing_or_null() {
        for text in [
            "{}",
            r#"{"Id":null,"ParentId":null,"RepoTags":null,"RepoDigests":null,"Created":null,"Size":null}"#,
            r#"{"RepoTags":["<none>:<none>"],"RepoDigests":["<none>@<none>"]}"#,
            r#"{"RepoTags":[],"RepoDigests":[]}"#,
        ] {
            let image = parse(text.as_bytes()).unwrap();
            assert_eq!((image.id(), image.parent_id()), ("", ""), "{text}");
            assert!(
                image.tags().is_empty() && image.digests().is_empty(),
                "{text}"
            );
        }
    }
}
