//! Image references, `[domain/]path[:tag][@digest]`, by the grammar that registries and the engine use. Pure text: for
//! `run`, `pull`, `build` and `tag` alike; uses nothing.
#![forbid(unsafe_code)]

mod grammar;

use std::fmt;

use grammar::{is_digest, is_domain, is_hex, is_path_component, is_tag};

/// Most bytes of domain and path together, as registries have it.
const MAX_NAME_BYTES: usize = 255;
/// The tag that is meant when there is none.
const DEFAULT_TAG: &str = "latest";
/// A reference to an image, by tag or digest or neither.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference {
    /// The registry's host and perhaps port, when the text names one.
    pub domain: Option<String>,
    /// The repository within the registry.
    pub path: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest, `sha256:…`.
    pub digest: Option<String>,
}

/// Why a text is no image reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceError {
    /// Nothing, or nothing before the tag or digest.
    Empty,
    /// Domain and path are longer than registries take.
    TooLong,
    /// 64 hex digits, or `sha256:` and as many: that would be taken for an image id.
    LooksLikeId,
    /// The part before the first slash is no host.
    Domain,
    /// The path has a capital letter.
    UpperCase,
    /// The path breaks the grammar.
    Path,
    /// The tag breaks the grammar.
    Tag,
    /// The digest is of no known form.
    Digest,
}

impl ImageReference {
    /// Takes `text` apart. The first component is a domain when it has a dot or a colon or is `localhost`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if is_image_id(text) {
            return Err(ReferenceError::LooksLikeId);
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = split_tag(name);
        let (domain, path) = split_domain(name);
        check_name(domain, path, name.len())?;
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag);
        }
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(ReferenceError::Digest);
        }
        Ok(Self {
            domain: domain.map(str::to_owned),
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The same with the tag `latest`, unless there is a tag or a digest already.
    #[must_use]
    pub fn with_default_tag(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The same in the registry `domain`, unless it names one already.
    pub fn with_default_domain(mut self, domain: &str) -> Result<Self, ReferenceError> {
        if self.domain.is_some() {
            return Ok(self);
        }
        // `myregistry/app` would be read as a path on the default registry.
        if !names_a_host(domain) {
            return Err(ReferenceError::Domain);
        }
        check_name(Some(domain), &self.path, domain.len() + 1 + self.path.len())?;
        self.domain = Some(domain.to_owned());
        Ok(self)
    }
}

impl ImageReference {
    /// Domain and path, without tag and digest.
    pub fn repository(&self) -> String {
        match &self.domain {
            Some(domain) => format!("{domain}/{}", self.path),
            None => self.path.clone(),
        }
    }

    /// The same as the engine's lists show it: Docker Hub goes without saying, and so does its `library/`.
    pub fn familiar_repository(&self) -> String {
        match self.domain.as_deref() {
            None | Some("docker.io" | "index.docker.io") => {
                let path = self.path.strip_prefix("library/");
                path.filter(|path| !path.contains('/'))
                    .unwrap_or(&self.path)
                    .to_owned()
            }
            Some(_) => self.repository(),
        }
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(domain) = &self.domain {
            write!(out, "{domain}/")?;
        }
        out.write_str(&self.path)?;
        if let Some(tag) = &self.tag {
            write!(out, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(out, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Empty => "it names no image",
            Self::TooLong => "its name is longer than 255 characters",
            Self::LooksLikeId => "64 hex digits would be taken for an image id",
            Self::Domain => "the registry before the first `/` must be a host name with an optional port, without `https://`",
            Self::UpperCase => "the name must be in lower case",
            Self::Path => {
                "the name may have lower-case letters and digits, parts divided by `/`, and single `.`, `_`, `__` or `-` between them"
            }
            Self::Tag => "the tag after `:` may have letters, digits, `_`, `.` and `-`, at most 128, and begins with none of `.` and `-`",
            Self::Digest => "the digest after `@` must be `sha256:` and 64 lower-case hex digits",
        })
    }
}

impl std::error::Error for ReferenceError {}

/// Whether `text` is a registry's host, with an optional port.
pub fn is_registry(text: &str) -> bool {
    is_domain(text)
}

/// Whether `text` may be the beginning of an image's id as `docker images` shows it; a name may look like that too.
pub fn may_be_short_id(text: &str) -> bool {
    (4..64).contains(&text.len()) && is_hex(text, text.len())
}

/// Whether `text` is an image's id, `sha256:` and 64 hex digits or the digits alone.
pub fn is_image_id(text: &str) -> bool {
    is_hex(text.strip_prefix("sha256:").unwrap_or(text), 64)
}

/// A colon before a slash is a port's, not a tag's.
fn split_tag(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (name, None),
    }
}

/// A first part that only looks like a host (`my_host.lan/app`) is part of the path, as for the engine.
fn split_domain(name: &str) -> (Option<&str>, &str) {
    let is_path = || name.split('/').all(is_path_component);
    match name.split_once('/') {
        Some((first, rest)) if names_a_host(first) && (is_domain(first) || !is_path()) => {
            (Some(first), rest)
        }
        _ => (None, name),
    }
}

fn names_a_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

fn check_name(domain: Option<&str>, path: &str, length: usize) -> Result<(), ReferenceError> {
    if path.is_empty() {
        return Err(ReferenceError::Empty);
    }
    if length > MAX_NAME_BYTES {
        return Err(ReferenceError::TooLong);
    }
    if domain.is_some_and(|domain| !is_domain(domain)) {
        return Err(ReferenceError::Domain);
    }
    if path.split('/').all(is_path_component) {
        return Ok(());
    }
    if path.to_ascii_lowercase().split('/').all(is_path_component) {
        return Err(ReferenceError::UpperCase);
    }
    Err(ReferenceError::Path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn parts(text: &str) -> [String; 4] {
        let parsed = ImageReference::parse(text).unwrap();
        assert_eq!(parsed.to_string(), text);
        let or_none = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
        [
            or_none(parsed.domain),
            parsed.path,
            or_none(parsed.tag),
            or_none(parsed.digest),
        ]
    }

    #[test]
    fn takes_references_apart() {
        let digest = format!("sha256:{HEX}");
        for (text, expected) in [
            ("nginx".to_owned(), ["-", "nginx", "-", "-"]),
            (
                "nginx:1.27-alpine".to_owned(),
                ["-", "nginx", "1.27-alpine", "-"],
            ),
            ("team/app:v1".to_owned(), ["-", "team/app", "v1", "-"]),
            ("a/b/c/d".to_owned(), ["-", "a/b/c/d", "-", "-"]),
            (
                "registry.example.com/team/app".to_owned(),
                ["registry.example.com", "team/app", "-", "-"],
            ),
            ("localhost/app".to_owned(), ["localhost", "app", "-", "-"]),
            (
                "localhost:5000/app:1".to_owned(),
                ["localhost:5000", "app", "1", "-"],
            ),
            ("host:5000".to_owned(), ["-", "host", "5000", "-"]),
            (
                "Registry.Example:5000/app".to_owned(),
                ["Registry.Example:5000", "app", "-", "-"],
            ),
            (
                "10.0.0.1:5000/app".to_owned(),
                ["10.0.0.1:5000", "app", "-", "-"],
            ),
            (
                "[::1]:5000/app:x".to_owned(),
                ["[::1]:5000", "app", "x", "-"],
            ),
            ("[fd00::1]/app".to_owned(), ["[fd00::1]", "app", "-", "-"]),
            (format!("app@{digest}"), ["-", "app", "-", &digest]),
            (format!("a.b/app:1@{digest}"), ["a.b", "app", "1", &digest]),
            (
                "a__b/c_d/e.f/g---h".to_owned(),
                ["-", "a__b/c_d/e.f/g---h", "-", "-"],
            ),
            (
                "my_host.lan/app".to_owned(),
                ["-", "my_host.lan/app", "-", "-"],
            ),
            ("app:_X.y-z".to_owned(), ["-", "app", "_X.y-z", "-"]),
        ] {
            assert_eq!(parts(&text), expected, "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let long = "a".repeat(256);
        let long_tag = format!("app:{}", "t".repeat(129));
        let bad_hex = format!("app@sha256:{}", HEX.to_uppercase());
        let id = format!("sha256:{HEX}");
        let two_digests = format!("app@sha256:{HEX}@x");
        let md5 = format!("app@md5:{}", &HEX[..32]);
        let domains = "https://registry.example.com/app -host.example/app host_name:1/app host:port/app \
                       :5000/app host..example/app [::g]/app.x";
        let paths = "a//b /app app/ -app app- a..b a___b a._b äpp a\u{a0}b";
        for (error, texts) in [
            (ReferenceError::Empty, vec!["", ":tag", "localhost:5000/"]),
            (ReferenceError::TooLong, vec![&long]),
            (ReferenceError::LooksLikeId, vec![HEX, &id]),
            (ReferenceError::Domain, domains.split(' ').collect()),
            (
                ReferenceError::UpperCase,
                vec!["Nginx", "Team/app", "localhost/App"],
            ),
            (
                ReferenceError::Path,
                paths.split(' ').chain([" app", "a b"]).collect(),
            ),
            (
                ReferenceError::Tag,
                vec!["app:", "app:.x", "app:-x", "app:x y", &long_tag],
            ),
            (
                ReferenceError::Digest,
                vec!["app@", "app@sha256:abc", &md5, &bad_hex, &two_digests],
            ),
        ] {
            for text in texts {
                assert_eq!(ImageReference::parse(text), Err(error), "{text}");
            }
        }
    }

    #[test]
    fn defaults_fill_what_is_missing() {
        let digest = format!("app@sha256:{HEX}");
        for (text, expected) in [
            ("app", "app:latest"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("app:1", "app:1"),
            (&digest, &digest),
        ] {
            let parsed = ImageReference::parse(text).unwrap();
            assert_eq!(parsed.with_default_tag().to_string(), expected);
        }
        let domain = |text: &str, domain: &str| {
            let parsed = ImageReference::parse(text).unwrap();
            parsed
                .with_default_domain(domain)
                .map(|reference| reference.to_string())
        };
        assert_eq!(
            domain("app:1", "r.example:5000").unwrap(),
            "r.example:5000/app:1"
        );
        assert_eq!(
            domain("r.example/app", "other.example").unwrap(),
            "r.example/app"
        );
        assert_eq!(domain("app", "registry"), Err(ReferenceError::Domain));
        assert_eq!(
            domain("app", "https://r.example"),
            Err(ReferenceError::Domain)
        );
        assert_eq!(
            domain(&"a".repeat(250), "r.example"),
            Err(ReferenceError::TooLong)
        );
    }

    #[test]
    fn ids_are_told() {
        assert!(is_image_id(HEX) && is_image_id(&format!("sha256:{HEX}")));
        assert!(!is_image_id(&HEX[1..]) && !is_image_id("sha256:") && !is_image_id("app"));
        assert!(may_be_short_id(&HEX[..12]) && may_be_short_id("cafe"));
        assert!(!may_be_short_id("abc") && !may_be_short_id("face/1") && !may_be_short_id(HEX));
    }

    proptest! {
        #[test]
        fn what_is_taken_is_given_back(text in "[a-zA-Z0-9:/@._-]{0,24}|.*") {
            if let Ok(parsed) = ImageReference::parse(&text) {
                prop_assert_eq!(parsed.to_string(), text);
                let tagged = parsed.with_default_tag().to_string();
                prop_assert!(ImageReference::parse(&tagged).is_ok());
            }
        }
    }
}
