//! The section "Nginx" of the reference: `GET /nginx/test`, `POST /nginx/reload`.
#![forbid(unsafe_code)]

use serde::Serialize;

use super::{ApiError, Context, Reply, Request};

#[derive(Serialize)]
struct TestAnswer<'t> {
    valid: bool,
    output: &'t str,
    target: String,
}

#[derive(Serialize)]
struct ReloadAnswer<'r> {
    status: &'static str,
    target: String,
    output: &'r str,
}

/// What stands in `warnings` when nobody could see whether nginx took its configuration.
const NOT_CONFIRMED: &str = "whether nginx took the new configuration could not be seen: the Docker engine cannot list its processes";

/// Whether the configuration is valid. An invalid one is an answer, not an error.
pub fn test<'a>(context: &'a Context, _: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let tested = context.nginx.test()?;
    Reply::json(&TestAnswer {
        valid: tested.is_valid,
        output: &tested.output,
        target: tested.target.to_string(),
    })
}

/// Reloads it, after a test. A client that goes away does not stop it halfway.
pub fn reload<'a>(context: &'a Context, _: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let reloaded = context.nginx.reload()?;
    let answer = ReloadAnswer {
        status: "reloaded",
        target: reloaded.target.to_string(),
        output: &reloaded.output,
    };
    let warnings = [NOT_CONFIRMED.to_owned()];
    let count = usize::from(!reloaded.is_confirmed);
    Reply::json_warned(&answer, &warnings[..count])
}
