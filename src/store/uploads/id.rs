//! The name of an upload, which is also that of its directory.
#![forbid(unsafe_code)]

use std::ffi::OsStr;

use super::UploadError;

/// Characters of a name: fits into a file name (255) with room to spare.
const MOST: usize = 128;

/// A name that was checked: letters, digits, `.`, `_` and `-`, the first a letter or a digit. So it is one component of
/// a path, is not `..`, and is none of our own temporary names, which begin with a dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct UploadId(String);

impl UploadId {
    pub(super) fn parse(text: &str) -> Result<Self, UploadError> {
        if is_valid(text.as_bytes()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UploadError::BadId)
        }
    }

    /// The same from a name found in the directory.
    pub(super) fn from_name(name: &OsStr) -> Option<Self> {
        let text = name.to_str()?;
        is_valid(text.as_bytes()).then(|| Self(text.to_owned()))
    }

    pub(super) fn as_name(&self) -> &OsStr {
        OsStr::new(&self.0)
    }
}

fn is_valid(text: &[u8]) -> bool {
    let Some((first, rest)) = text.split_first() else {
        return false;
    };
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    text.len() <= MOST && first.is_ascii_alphanumeric() && rest.iter().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_single_and_plain() {
        let longest = "a".repeat(MOST);
        for good in ["a", "0", "a.b_c-d", "A..", &longest] {
            assert_eq!(UploadId::parse(good).unwrap().as_name(), good);
        }
        let longer = "a".repeat(MOST + 1);
        let bad = [
            "", ".", "..", ".a", "-a", "_a", "a/b", "/a", "a\0", "a b", "ä", "a\n", &longer,
        ];
        for bad in bad {
            assert!(
                matches!(UploadId::parse(bad), Err(UploadError::BadId)),
                "{bad:?}"
            );
        }
    }
}
