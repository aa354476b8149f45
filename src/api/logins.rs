//! From the saved logins to the engine's headers: neither side knows the other.
#![forbid(unsafe_code)]

use super::{ApiError, Context, Request};
use crate::engine::registry_auth::config_header;
use crate::host::registry::in_engine_words;

/// The value of `X-Registry-Auth` for `registry` (`None` is Docker Hub); `None` when there is no login for it.
pub fn registry_auth(
    context: &Context,
    request: &Request<'_>,
    registry: Option<&str>,
) -> Result<Option<String>, ApiError> {
    let login = context.logins.find(registry, Some(request.client))?;
    Ok(login.map(|login| in_engine_words(&login).header()))
}

/// The value of `X-Registry-Config` with every login there is, and a sentence for each that could not be had.
pub fn registry_config(
    context: &Context,
    request: &Request<'_>,
) -> Result<(Option<String>, Vec<String>), ApiError> {
    let all = context.logins.all(Some(request.client))?;
    let logins = all.logins.iter();
    let logins = logins.map(|(address, login)| (address.as_str(), in_engine_words(login)));
    let header = (!all.logins.is_empty()).then(|| config_header(logins));
    Ok((header, all.warnings))
}
