//! The options of a cleanup.
#![forbid(unsafe_code)]

use serde::Deserialize;

use crate::api::ApiError;
use crate::api::duration::seconds_of;
use crate::clock::Timestamp;

/// Images of each repository that `all` keeps when the request does not say: enough to roll back twice.
const KEEP_LAST: u64 = 3;

/// The request's body, which may be left out.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CleanupBody {
    all: Option<bool>,
    keep_last: Option<u64>,
    older_than: Option<String>,
    prefix: Option<String>,
    dry_run: Option<bool>,
}

/// What is to go.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// Images with a name too.
    pub(super) all: bool,
    /// Of each repository so many stay, the newest.
    pub(super) keep_last: usize,
    /// Only images made before this moment, in seconds since 1970.
    pub(super) made_before: Option<i64>,
    /// Only names that begin so.
    pub(super) prefix: String,
    /// Only say what would go.
    pub(super) dry_run: bool,
}

impl Options {
    /// Reads the body; `older_than` counts from `now`.
    pub(super) fn read(body: &CleanupBody, now: Timestamp) -> Result<Self, ApiError> {
        let before = |text: &str| {
            let seconds = seconds_of(text).ok_or_else(|| {
                ApiError::field("older_than", "must be a time like 24h, 30m, 7d or 1h30m")
            })?;
            Ok::<_, ApiError>(now.seconds.saturating_sub(seconds))
        };
        let older_than = body.older_than.as_deref().filter(|text| !text.is_empty());
        Ok(Self {
            all: body.all.unwrap_or_default(),
            keep_last: usize::try_from(body.keep_last.unwrap_or(KEEP_LAST)).unwrap_or(usize::MAX),
            made_before: older_than.map(before).transpose()?,
            prefix: body.prefix.clone().unwrap_or_default(),
            dry_run: body.dry_run.unwrap_or_default(),
        })
    }
}
