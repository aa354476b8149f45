//! What the failures of the modules below mean here.
#![forbid(unsafe_code)]

use std::io;

use super::ApiError;
use crate::api::containers::spec::SpecError;
use crate::api::form_part::form_error;
use crate::api::upload_body::TooMuch;
use crate::engine::EngineError;
use crate::store::space::{NoRoom, is_exhausted, is_full, shortage};
use crate::wire::body::framing_error;
use crate::wire::json_field::json_field_error;
use crate::wire::multipart::{MultipartError, multipart_error};

impl ApiError {
    /// What a failed pull of `image` means.
    pub fn pull(image: &str, error: EngineError) -> Self {
        match error {
            EngineError::Abandoned => error.into(),
            error if error.is_full_disk() => Self::engine_disk_full(error.details()),
            source => Self::Pull {
                image: image.to_owned(),
                source,
            },
        }
    }

    /// The engine ran out of disk, as it says itself.
    pub fn engine_disk_full(details: Option<String>) -> Self {
        Self::NoRoom {
            message: "the Docker engine's disk is full".to_owned(),
            details,
        }
    }

    /// What a failed login to `registry` means.
    pub fn login(registry: &str, error: EngineError) -> Self {
        match error {
            EngineError::Abandoned => error.into(),
            source => Self::Login {
                registry: registry.to_owned(),
                source,
            },
        }
    }

    /// What a failed read of the request's body means.
    pub fn from_body(error: io::Error) -> Self {
        if let Some(error) = framing_error(&error) {
            return Self::Framing(error);
        }
        if let Some(TooMuch { limit }) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Self::TooLarge { limit: *limit };
        }
        let content = multipart_error(&error)
            .map(ToString::to_string)
            .or_else(|| form_error(&error).map(|error| error.to_string()))
            .or_else(|| json_field_error(&error).map(|error| error.to_string()));
        match content {
            Some(sentence) => Self::bad_request(&sentence),
            None if error.kind() == io::ErrorKind::TimedOut => Self::RequestTimeout,
            None => Self::ClientGone(error),
        }
    }

    /// What a failed write to the disk means: 507 when it is full, 503 when the system has no thread or descriptor for it,
    /// else a 500 with this `message`.
    pub fn from_disk(message: &str, error: &io::Error) -> Self {
        if let Some(shortage) = shortage(error) {
            return no_room(shortage);
        }
        if is_full(error) {
            return Self::NoRoom {
                message: DISK_FULL.to_owned(),
                details: Some(error.to_string()),
            };
        }
        if is_exhausted(error) {
            return Self::Exhausted {
                message: message.to_owned(),
                details: Some(error.to_string()),
            };
        }
        Self::internal(message, error)
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Abandoned => {
                Self::ClientGone(io::Error::from(io::ErrorKind::ConnectionReset))
            }
            EngineError::Taker(error) => Self::ClientGone(error),
            source => Self::Engine {
                details: source.details(),
                source,
            },
        }
    }
}

/// The sentence of a 507.
const DISK_FULL: &str = "the disk has no room for it";

fn no_room(shortage: &NoRoom) -> ApiError {
    ApiError::NoRoom {
        message: DISK_FULL.to_owned(),
        details: Some(shortage.to_string()),
    }
}

impl From<MultipartError> for ApiError {
    fn from(error: MultipartError) -> Self {
        Self::from_body(error.into())
    }
}

impl From<NoRoom> for ApiError {
    fn from(shortage: NoRoom) -> Self {
        no_room(&shortage)
    }
}

impl From<SpecError> for ApiError {
    fn from(error: SpecError) -> Self {
        Self::bad_request(&error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_507_whoever_meets_it() {
        // 20.10's words, inside a pull's stream.
        let engine = EngineError::InStream {
            message: "failed to register layer: Error processing tar file(exit status 1): write /x: no space left on device"
                .to_owned(),
            code: None,
        };
        assert_eq!(ApiError::pull("app:1", engine).status(), 507);
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let login = crate::store::logins::LoginError::Unwritable {
            file: "/root/.docker/config.json".into(),
            source: full(),
        };
        assert_eq!(ApiError::from(login).status(), 507);
        assert_eq!(ApiError::from_disk("it failed", &full()).status(), 507);
    }

    #[test]
    fn what_a_build_printed_is_not_in_the_log() {
        let build = ApiError::Build {
            message: "the build failed".to_owned(),
            output: "TOKEN=secret\nit returned 1".to_owned(),
        };
        assert!(
            build
                .details()
                .is_some_and(|words| words.contains("secret"))
        );
        let reported = ApiError::Reported(Box::new(build));
        assert_eq!(reported.for_log(), "the build failed: it returned 1");
    }
}
