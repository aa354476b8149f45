//! The section "Docker Networks" of the reference.
#![forbid(unsafe_code)]

mod body;
mod create;
mod details;
mod options;
mod pools;

pub use create::create;
pub use details::details;

use super::ApiError;
use crate::limits;

/// Fails unless `name` can be a network's name or id. The engine itself takes slashes and blanks, and then cannot be
/// asked about that network any more.
fn check_name(name: &str) -> Result<(), &'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let starts_well = name
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric);
    if starts_well && name.len() <= limits::NETWORK_NAME_CHARS && name.bytes().all(allowed) {
        return Ok(());
    }
    Err("a name has letters, digits, `_`, `.` and `-`, and begins with a letter or digit")
}

/// No network of this name.
fn missing(name: &str) -> ApiError {
    ApiError::NotFound(format!("there is no network `{name}`"))
}
