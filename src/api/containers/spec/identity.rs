//! `name`, `hostname`, `user` and `workdir`.
#![forbid(unsafe_code)]

use super::error::{SpecError, quote, refuse_nul};

/// Most bytes of a host name: the kernel's.
const MAX_HOSTNAME_BYTES: usize = 64;

/// The engine's rule for containers and volumes: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
pub(super) fn is_restricted_name(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Reads `name`. The slash in front that the engine's own listings have may stand.
pub(super) fn read_name(text: &str) -> Result<String, SpecError> {
    let name = text.strip_prefix('/').unwrap_or(text);
    if is_restricted_name(name) {
        return Ok(name.to_owned());
    }
    let expected =
        "expected at least two of letters, digits, `_`, `.` and `-`, the first a letter or digit";
    Err(SpecError::field(
        "name",
        format!("is {}; {expected}", quote(text)),
    ))
}

/// Reads `hostname`.
pub(super) fn read_hostname(text: &str) -> Result<(), SpecError> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if text.len() <= MAX_HOSTNAME_BYTES && text.split('.').all(is_label) {
        return Ok(());
    }
    let expected = "expected letters, digits, `-` and `.`, at most 64";
    Err(SpecError::field(
        "hostname",
        format!("is {}; {expected}", quote(text)),
    ))
}

/// Reads `user`: a name or number, perhaps with a group. Whether the image knows it, the engine says at start.
pub(super) fn read_user(text: &str) -> Result<(), SpecError> {
    refuse_nul("user", text)
}

/// Reads `workdir`.
pub(super) fn read_workdir(text: &str) -> Result<(), SpecError> {
    if !text.starts_with('/') {
        return Err(SpecError::field(
            "workdir",
            format!("is {}; expected an absolute path", quote(text)),
        ));
    }
    refuse_nul("workdir", text)
}
