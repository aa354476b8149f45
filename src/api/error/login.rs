//! What it means that a saved registry login could not be had or saved.
#![forbid(unsafe_code)]

use std::io;

use super::ApiError;
use crate::store::logins::LoginError;

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        let (message, details) = (error.to_string(), error.words());
        match error {
            LoginError::Abandoned => {
                Self::ClientGone(io::Error::from(io::ErrorKind::ConnectionReset))
            }
            LoginError::Helper { .. } => Self::Program { message, details },
            LoginError::Unwritable { source, .. } => Self::from_disk(&message, &source),
            LoginError::Unreadable { .. } | LoginError::Entry { .. } => {
                Self::Internal { message, details }
            }
        }
    }
}
