//! What it means that a path was refused, or what stands there cannot be used.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;

use super::ApiError;
use crate::dockerfile::DetectError;
use crate::store::context::PackError;
use crate::store::ignore::IgnoreError;
use crate::store::jail::JailError;

impl From<JailError> for ApiError {
    fn from(error: JailError) -> Self {
        let sentence = error.to_string();
        match error {
            JailError::NotAbsolute { .. }
            | JailError::Nul { .. }
            | JailError::TooLong { .. }
            | JailError::Reserved { .. }
            | JailError::NotADirectory { .. }
            | JailError::NotAFile { .. } => Self::bad_request(&sentence),
            JailError::Outside { .. } | JailError::Links { .. } | JailError::Planted { .. } => {
                Self::Forbidden(sentence)
            }
            JailError::NotFound { .. } => Self::NotFound(sentence),
            JailError::InTheWay { .. } | JailError::IsADirectory { .. } => {
                Self::conflict(&sentence)
            }
            JailError::Write { path, source } => Self::not_written(&path, &source),
            // Also the kernel's word for a link that was planted.
            JailError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Self::Forbidden(sentence)
            }
            JailError::Io { .. } => Self::Internal {
                message: sentence,
                details: None,
            },
        }
    }
}

impl From<IgnoreError> for ApiError {
    fn from(error: IgnoreError) -> Self {
        Self::bad_request(&error.to_string())
    }
}

impl From<PackError> for ApiError {
    fn from(error: PackError) -> Self {
        let sentence = error.to_string();
        match error {
            PackError::Start(error) => error.into(),
            PackError::TooDeep { .. } => Self::bad_request(&sentence),
            PackError::Changed { .. } => Self::conflict(&sentence),
            PackError::Read { .. } | PackError::Out(_) => Self::Internal {
                message: sentence,
                details: None,
            },
        }
    }
}

impl ApiError {
    /// What the failure `source` to write `path` means.
    pub fn not_written(path: &Path, source: &io::Error) -> Self {
        let path = path.display();
        match Self::from_disk(&format!("{path} cannot be written"), source) {
            Self::NoRoom { details, .. } => Self::NoRoom {
                message: format!("the disk has no room for {path}"),
                details,
            },
            other => other,
        }
    }

    /// Why no Dockerfile could be made for the project in `context_path`.
    pub fn detection(context_path: &str, error: &DetectError) -> Self {
        match error {
            DetectError::Io { .. } => {
                Self::internal(&format!("{context_path} cannot be looked at"), error)
            }
            DetectError::Nothing { .. } => {
                let sentence = format!("nothing in {context_path} tells how to build it");
                Self::bad_request(&sentence).with_details(error.to_string())
            }
            error => {
                let sentence = format!("no Dockerfile can be made for {context_path}");
                Self::bad_request(&sentence).with_details(error.to_string())
            }
        }
    }
}
