//! What it means that something about the cron jobs could not be done.
#![forbid(unsafe_code)]

use super::ApiError;
use crate::host::cron::CronError;

impl From<CronError> for ApiError {
    fn from(error: CronError) -> Self {
        let message = error.to_string();
        match error {
            CronError::Tool(error) => error.into(),
            CronError::NoDirectory(_) | CronError::Busy | CronError::Path { .. } => Self::Program {
                message,
                details: None,
            },
            CronError::Unknown(_) => Self::NotFound(message),
            CronError::TooMany => Self::TooMany(message),
            CronError::TooLarge => Self::TooMuch(message),
            CronError::OthersCrontab { .. } => Self::conflict(&message),
            CronError::Damaged { .. } => Self::Internal {
                message,
                details: None,
            },
            CronError::Disk {
                doing,
                path,
                source,
            } => Self::from_disk(&format!("{doing} {} failed", path.display()), &source),
        }
    }
}
