//! What is to be done with an upload when it is complete. It may come with any chunk, in parts.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::UploadError;
use crate::limits;

/// The options of the request that extracts, as texts: what they mean is not known here. What was not given is `None`.
// An agent that does not know one of them must not extract without it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Where to.
    pub extract_path: Option<String>,
    /// Merge or replace.
    pub mode: Option<String>,
    /// The checksum of the whole archive.
    pub sha256: Option<String>,
    /// Leading components that members lose.
    pub strip_components: Option<String>,
    /// What links may point to.
    pub links: Option<String>,
}

/// Their names in a request, in the order of [`Terms::values`].
const NAMES: [&str; 5] = [
    "extract_path",
    "mode",
    "sha256",
    "strip_components",
    "links",
];

/// What happens to a term that is known otherwise already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It stands, and the request is refused: chunks of two different uploads got the same name.
    Stands,
    /// It gives way: with it the set could not be extracted.
    GivesWay,
}

impl Terms {
    /// Refuses what no path, number or checksum can be.
    pub(super) fn check(&self) -> Result<(), UploadError> {
        for (name, value) in NAMES.into_iter().zip(self.values()) {
            if value.is_some_and(|value| value.len() > limits::PATH_BYTES) {
                return Err(UploadError::TermTooLong { name });
            }
        }
        Ok(())
    }

    /// These with what `given` adds to them.
    pub(super) fn with(&self, given: &Self, known: Known) -> Result<Self, UploadError> {
        let mut all = self.clone();
        for ((name, value), given) in NAMES.into_iter().zip(all.values_mut()).zip(given.values()) {
            match (value.as_deref(), given) {
                (Some(is), Some(given)) if is != given && known == Known::Stands => {
                    return Err(differs(name, Some(is), given));
                }
                (_, Some(given)) => *value = Some(given.to_owned()),
                (_, None) => {}
            }
        }
        Ok(all)
    }

    /// Refuses `given` when it has anything that these have not: they are being used, or were.
    pub(super) fn agree(&self, given: &Self) -> Result<(), UploadError> {
        for ((name, value), given) in NAMES.into_iter().zip(self.values()).zip(given.values()) {
            if let Some(given) = given.filter(|_| given != value) {
                return Err(differs(name, value, given));
            }
        }
        Ok(())
    }

    fn values(&self) -> [Option<&str>; 5] {
        [
            self.extract_path.as_deref(),
            self.mode.as_deref(),
            self.sha256.as_deref(),
            self.strip_components.as_deref(),
            self.links.as_deref(),
        ]
    }

    fn values_mut(&mut self) -> [&mut Option<String>; 5] {
        [
            &mut self.extract_path,
            &mut self.mode,
            &mut self.sha256,
            &mut self.strip_components,
            &mut self.links,
        ]
    }
}

fn differs(name: &'static str, known: Option<&str>, given: &str) -> UploadError {
    UploadError::TermDiffers {
        name,
        known: known.map(str::to_owned),
        given: given.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(path: Option<&str>, mode: Option<&str>) -> Terms {
        Terms {
            extract_path: path.map(str::to_owned),
            mode: mode.map(str::to_owned),
            ..Terms::default()
        }
    }

    #[test]
    fn later_terms_add_to_the_known_ones() {
        let known = terms(Some("/a"), None);
        let more = known.with(&terms(Some("/a"), Some("merge")), Known::Stands);
        assert_eq!(more.unwrap(), terms(Some("/a"), Some("merge")));
        let other = terms(Some("/b"), None);
        let refused = known.with(&other, Known::Stands).unwrap_err();
        assert!(refused.to_string().contains("extract_path"), "{refused}");
        assert_eq!(known.with(&other, Known::GivesWay).unwrap(), other);
    }

    #[test]
    fn terms_in_use_take_nothing_new() {
        let used = terms(Some("/a"), None);
        assert!(used.agree(&Terms::default()).is_ok());
        assert!(used.agree(&used).is_ok());
        assert!(used.agree(&terms(None, Some("merge"))).is_err());
        assert!(used.agree(&terms(Some("/b"), None)).is_err());
        let long = terms(Some(&"x".repeat(limits::PATH_BYTES + 1)), None);
        assert!(long.check().is_err());
    }
}
