//! Unpacking, and what is answered to it.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::Read;

use serde::Serialize;

use crate::api::{ApiError, Context};
use crate::store::unpack::{UnpackError, Unpacked, unpack};
use crate::store::uploads::Terms;

/// The answer to an archive that was unpacked.
#[derive(Serialize)]
pub(super) struct Extracted {
    status: &'static str,
    extract_path: String,
    files: u64,
    directories: u64,
    links: u64,
    bytes: u64,
    sha256: String,
}

/// Unpacks `source` as `terms` say. `read_failure` tells what a failure to read it means.
pub(super) fn extract(
    context: &Context,
    source: &mut dyn Read,
    terms: &Terms,
    read_failure: impl FnOnce(std::io::Error) -> ApiError,
) -> Result<Extracted, ApiError> {
    let (path, options) = super::terms::read(context, terms)?;
    match unpack(source, &context.jail, &path, &options) {
        Ok(unpacked) => Ok(Extracted::new(path, &unpacked)),
        Err(UnpackError::Source(error)) => Err(read_failure(error)),
        Err(error) => Err(error.into()),
    }
}

impl Extracted {
    pub(super) fn new(extract_path: String, unpacked: &Unpacked) -> Self {
        let mut sha256 = String::new();
        for byte in unpacked.sha256 {
            // Writing to a String cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        Self {
            status: "extracted",
            extract_path,
            files: unpacked.files,
            directories: unpacked.directories,
            links: unpacked.links,
            bytes: unpacked.bytes,
            sha256,
        }
    }

    /// As it is answered.
    pub(super) fn to_json(&self) -> String {
        // Numbers and texts always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}
