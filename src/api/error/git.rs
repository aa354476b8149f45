//! What it means that a repository was not cloned. Its own login that was refused is 401, as a registry's is.
#![forbid(unsafe_code)]

use std::io;

use super::ApiError;
use crate::host::git::{CloneFailure, Failure, GitError};
use crate::store::fresh::FreshError;
use crate::store::jail::JailError;

impl From<FreshError> for ApiError {
    fn from(error: FreshError) -> Self {
        let sentence = error.to_string();
        match error {
            // Where a file is, a directory is to be.
            FreshError::Target(JailError::NotADirectory { .. })
            | FreshError::NotEmpty { .. }
            | FreshError::Changed { .. } => Self::conflict(&sentence),
            FreshError::Target(error) => error.into(),
            FreshError::NoRoom(shortage) => shortage.into(),
            FreshError::Io { source, .. } | FreshError::HalfWay { source, .. } => {
                Self::from_disk(&sentence, &source)
            }
        }
    }
}

impl From<GitError> for ApiError {
    fn from(error: GitError) -> Self {
        let message = error.to_string();
        match error {
            GitError::Tool(error) => error.into(),
            GitError::TooLong { words, .. } => Self::Timeout {
                message,
                details: Some(words).filter(|words| !words.is_empty()),
            },
            GitError::Unreachable { source, .. } if source.kind() == io::ErrorKind::TimedOut => {
                Self::Timeout {
                    message,
                    details: None,
                }
            }
            GitError::Unreachable { .. } => Self::Remote {
                status: 502,
                message,
                details: None,
            },
            GitError::NoRoom(shortage) => shortage.into(),
            GitError::Clone(failure) => not_cloned(message, failure),
            GitError::Io(source) => Self::from_disk("git could not be run", &source),
        }
    }
}

fn not_cloned(message: String, failure: CloneFailure) -> ApiError {
    let details = Some(failure.words).filter(|words| !words.is_empty());
    let status = match failure.failure {
        Failure::NoRoom => return ApiError::NoRoom { message, details },
        Failure::TooSlow => return ApiError::Timeout { message, details },
        Failure::Other => return ApiError::Internal { message, details },
        Failure::Forbidden => return ApiError::BadRequest { message, details },
        Failure::Denied | Failure::NoLogin => 401,
        Failure::NoBranch | Failure::NoRepository => 404,
        Failure::HostKey | Failure::Unreachable => 502,
    };
    ApiError::Remote {
        status,
        message,
        details,
    }
}
