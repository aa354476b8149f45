//! `/files/…`: single files and directories below the allowed roots, always through [`crate::store::jail`].
#![forbid(unsafe_code)]

mod content;
mod list;
mod manage;
mod mode;
mod read;
mod text;
mod write;

use crate::clock::Timestamp;
use crate::store::jail::EntryKind;

use super::ApiError;
use super::query::Query;

pub use list::list;
pub use manage::{delete, exists, mkdir};
pub use read::read;
pub use write::write;

/// The path that a query names.
fn path(query: &Query) -> Result<String, ApiError> {
    let path = query.text("path").map(str::to_owned);
    path.ok_or_else(|| ApiError::parameter("path", "is required"))
}

/// Permissions as answers have them.
fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

/// A file's time as answers have it.
fn time(seconds: i64) -> String {
    Timestamp::from_seconds(seconds).to_string()
}

/// What something is, in a word.
fn word(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "file",
        EntryKind::Directory => "directory",
        EntryKind::Link => "link",
        EntryKind::Special => "other",
    }
}
