//! What it means that nginx was not tested or reloaded.
#![forbid(unsafe_code)]

use super::ApiError;
use crate::host::nginx::NginxError;

/// When a reload may be tried again while another one goes on: one that fails takes ten seconds.
const RETRY_AFTER_SECONDS: u32 = 10;

impl From<NginxError> for ApiError {
    fn from(error: NginxError) -> Self {
        let (message, details) = (error.to_string(), error.words());
        match error {
            NginxError::Invalid { .. } => Self::BadRequest { message, details },
            NginxError::Several { .. }
            | NginxError::NamedNotRunning { .. }
            | NginxError::NoMaster { .. }
            | NginxError::NotTold { .. }
            | NginxError::Kept { .. } => Self::Conflict { message, details },
            NginxError::None { .. }
            | NginxError::NamedMissing { .. }
            | NginxError::NotInside { .. } => Self::Program { message, details },
            NginxError::TooLong { .. } => Self::Timeout { message, details },
            NginxError::NoTurn => Self::Busy {
                retry_after_seconds: RETRY_AFTER_SECONDS,
            },
            NginxError::Tool(error) => error.into(),
            NginxError::Engine(error) => error.into(),
        }
    }
}
