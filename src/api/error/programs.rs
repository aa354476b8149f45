//! What it means that a program could not be run to its end.
#![forbid(unsafe_code)]

use super::ApiError;
use crate::engine::buildkit::BuildKitError;
use crate::host::systemd::SystemdError;
use crate::host::tool::ToolError;
use crate::host::ufw::UfwError;

impl From<BuildKitError> for ApiError {
    fn from(error: BuildKitError) -> Self {
        match error {
            BuildKitError::Argument { name } => Self::field(
                &format!("build_args.{name}"),
                "has a name that means something to the docker CLI itself, so that BuildKit cannot be given it",
            ),
            BuildKitError::Failed { .. } => Self::Build {
                message: "the build failed".to_owned(),
                output: String::new(),
            },
            BuildKitError::TooLong => Self::Timeout {
                message: "the build took too long and was ended".to_owned(),
                details: None,
            },
            BuildKitError::Abandoned => {
                Self::ClientGone(std::io::ErrorKind::ConnectionReset.into())
            }
            BuildKitError::Taker(error) => Self::ClientGone(error),
            BuildKitError::NotRun(error) if error.is_exhausted() => Self::Exhausted {
                message: "the docker CLI, which BuildKit needs, cannot be run now".to_owned(),
                details: Some(error.to_string()),
            },
            BuildKitError::NotRun(error) => Self::Program {
                message: "the docker CLI, which BuildKit needs, cannot be run".to_owned(),
                details: Some(error.to_string()),
            },
            BuildKitError::NoId(error) => {
                Self::from_disk("BuildKit did not tell which image it built", &error)
            }
        }
    }
}

impl From<ToolError> for ApiError {
    fn from(error: ToolError) -> Self {
        let message = error.to_string();
        match error {
            ToolError::NotRun(error) if error.is_exhausted() => Self::Exhausted {
                message,
                details: None,
            },
            ToolError::Missing(_) | ToolError::NotRun(_) => Self::Program {
                message,
                details: None,
            },
            ToolError::TooLong { words, .. } => Self::Timeout {
                message,
                details: Some(words).filter(|words| !words.is_empty()),
            },
            ToolError::Failed { words, .. } => Self::Internal {
                message,
                details: Some(words).filter(|words| !words.is_empty()),
            },
            ToolError::Abandoned => Self::ClientGone(std::io::ErrorKind::ConnectionReset.into()),
        }
    }
}

impl From<SystemdError> for ApiError {
    fn from(error: SystemdError) -> Self {
        let message = error.to_string();
        match error {
            SystemdError::Tool(error) => error.into(),
            SystemdError::NotRunning => Self::Program {
                message,
                details: None,
            },
            SystemdError::NotInstalled(_) => Self::NotFound(message),
            SystemdError::Masked(_) => Self::conflict(&message),
            SystemdError::NotRestarted { words, .. } => Self::Internal {
                message,
                details: Some(words),
            },
        }
    }
}

impl From<UfwError> for ApiError {
    fn from(error: UfwError) -> Self {
        let message = error.to_string();
        match error {
            UfwError::Tool(error) => error.into(),
            UfwError::NoStatus { words } => Self::internal(&message, &words),
            UfwError::Unreadable { source, .. } => Self::internal(&message, &source),
            UfwError::NoIpv6 | UfwError::Lost => Self::conflict(&message),
        }
    }
}
