//! The section "Container Management" of the reference.
#![forbid(unsafe_code)]

mod exec;
mod exec_output;
mod health;
mod inspect;
mod lifecycle;
mod list;
mod log_times;
mod logs;
mod pace;
mod run;
pub mod spec;
mod status;

pub use exec::exec;
pub use health::{all_health, health};
pub use inspect::inspect;
pub use lifecycle::{remove, restart, start, stop};
pub use list::list;
pub use logs::logs;
pub use run::{recover, run};
pub use status::status;

use super::{ApiError, Request};
use crate::engine::EngineError;

/// The container that the path names. Only what can be a name or id is handed to the engine.
fn container_name<'r>(request: &'r Request<'_>) -> Result<&'r str, ApiError> {
    let name = request.name();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let starts_well = name
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric);
    if starts_well && name.len() <= 255 && name.bytes().all(allowed) {
        return Ok(name);
    }
    Err(ApiError::bad_request(
        "the path does not name a container: a name or id has letters, digits, `_`, `.` and `-`",
    ))
}

/// A failed call about the container `name`: the engine's 404 is about it.
fn about(name: &str) -> impl Fn(EngineError) -> ApiError + '_ {
    move |error| match error.status() {
        Some(404) => ApiError::NotFound(format!("there is no container `{name}`")),
        _ => ApiError::from(error),
    }
}
