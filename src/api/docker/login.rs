//! `POST /docker/login`: checked with the registry, then saved where the docker CLI keeps logins.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use crate::api::image_reference::is_registry;
use crate::api::secret::Secret;
use crate::api::{ApiError, Context, Reply, Request};
use crate::host::registry::in_engine_words;
use crate::store::logins::Login;

/// The request's body. No Debug: it holds a password.
#[derive(Deserialize)]
struct LoginBody {
    registry: Option<String>,
    username: String,
    password: Secret,
}

#[derive(Serialize)]
struct LoggedIn<'l> {
    status: &'static str,
    registry: &'l str,
    username: &'l str,
}

/// Logs in. A registry may give a token, which is then saved instead of the password.
pub fn login<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<LoginBody>()?;
    let LoginBody {
        registry,
        username,
        password: Secret(password),
    } = parsed.value;
    for (field, text) in [("username", &username), ("password", &password)] {
        if text.is_empty() {
            return Err(ApiError::field(field, "is empty"));
        }
    }
    if username.contains(':') {
        // `user:password` is how it is saved and sent; the engine would take the rest for the password.
        return Err(ApiError::field(
            "username",
            "has a `:`, which no registry can be told",
        ));
    }
    let registry = registry
        .as_deref()
        .map(host_of)
        .transpose()?
        .filter(|host| !host.is_empty());
    let shown = registry.unwrap_or("docker.io");
    let client = Some(request.client);
    let login = Login::new(registry, username.clone(), password.clone(), None);
    let token = context
        .engine
        .check_login(&in_engine_words(&login), client)
        .map_err(|error| ApiError::login(shown, error))?;
    let login = Login::new(registry, username.clone(), password, token);
    context.logins.save(&login, client)?;
    let answer = LoggedIn {
        status: "logged_in",
        registry: shown,
        username: &username,
    };
    Reply::json_warned(&answer, &parsed.warnings)
}

/// The host of a registry, as people write it: with `https://`, with a path.
fn host_of(registry: &str) -> Result<&str, ApiError> {
    let bare = registry
        .split_once("://")
        .map_or(registry, |(_, rest)| rest);
    let host = bare.split('/').next().unwrap_or_default();
    if host.is_empty() && registry.is_empty() || is_registry(host) {
        return Ok(host);
    }
    Err(ApiError::field(
        "registry",
        "must be a host with an optional port, like registry.example.com:5000",
    ))
}
