//! The sentence for a person.
#![forbid(unsafe_code)]

use std::fmt;

use super::ApiError;
use crate::engine::EngineError;
use crate::engine::pull_failure::{PullFailure, classify};

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRequest { message, .. }
            | Self::Conflict { message, .. }
            | Self::Timeout { message, .. }
            | Self::NoRoom { message, .. }
            | Self::Program { message, .. }
            | Self::Exhausted { message, .. }
            | Self::Build { message, .. }
            | Self::Internal { message, .. }
            | Self::Remote { message, .. }
            | Self::Forbidden(message)
            | Self::NotFound(message)
            | Self::TooMuch(message)
            | Self::TooMany(message)
            | Self::WrongForm(message)
            | Self::NotSupported { message, .. } => out.write_str(message),
            Self::NotAnObject => out.write_str("the body must be a JSON object"),
            Self::Head(error) => error.fmt(out),
            Self::Framing(error) => error.fmt(out),
            Self::Unauthorized => out.write_str("the X-API-Key header is missing or wrong"),
            Self::AddressNotAllowed => {
                out.write_str("this address is not on the agent's allowlist")
            }
            Self::NoRoute => out.write_str("there is no such endpoint"),
            Self::MethodNotAllowed { allow } => write!(out, "this endpoint takes {allow}"),
            Self::RequestTimeout => out.write_str("the request did not arrive in time"),
            Self::LengthRequired => out.write_str(
                "the request needs a body, with Content-Length or in chunks (Transfer-Encoding)",
            ),
            Self::Reported(error) => error.fmt(out),
            Self::TooLarge { limit } => write!(out, "the body is larger than {limit} bytes"),
            Self::UnsupportedMediaType { given, expected } => {
                write!(out, "the body is {given}; this endpoint takes {expected}")
            }
            Self::Busy {
                retry_after_seconds,
            } => {
                write!(
                    out,
                    "the agent is busy; try again in {retry_after_seconds} s"
                )
            }
            Self::Stopping => out.write_str("the agent is stopping"),
            // Its words are in the details.
            Self::Engine { source, .. } => match source {
                EngineError::Answer { status, .. } => {
                    write!(out, "the Docker engine refused it with {status}")
                }
                EngineError::InStream { .. } => out.write_str("the Docker engine could not go on"),
                source => source.fmt(out),
            },
            Self::Pull { image, source } => write_pull(image, source, out),
            Self::Login { registry, source } => write_login(registry, source, out),
            Self::ClientGone(_) => out.write_str("the client went away"),
        }
    }
}

fn write_pull(image: &str, source: &EngineError, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match classify(source) {
        Some(PullFailure::BadReference) => write!(out, "`{image}` is not the name of an image"),
        Some(PullFailure::Denied) => {
            write!(
                out,
                "the registry does not let image `{image}` be pulled with these credentials"
            )
        }
        Some(PullFailure::Unknown) => write!(out, "the registry has no image `{image}`"),
        Some(PullFailure::Registry) => write!(
            out,
            "the registry of image `{image}` cannot be reached, or failed"
        ),
        None => write!(out, "{source}"),
    }
}

fn write_login(registry: &str, source: &EngineError, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match classify(source) {
        Some(PullFailure::Denied) => {
            write!(
                out,
                "registry `{registry}` does not accept this user and password"
            )
        }
        Some(PullFailure::BadReference) => {
            write!(out, "`{registry}` is not the name of a registry")
        }
        Some(_) => write!(out, "registry `{registry}` cannot be reached, or failed"),
        None => write!(out, "{source}"),
    }
}
