//! Registry logins between those who save them and the engine: neither side knows the other.
#![forbid(unsafe_code)]

use crate::engine::registry_auth::RegistryAuth;
use crate::store::logins::Login;

/// A saved login as the engine wants it.
pub fn in_engine_words(login: &Login) -> RegistryAuth<'_> {
    RegistryAuth {
        username: &login.username,
        password: &login.password,
        identity_token: &login.identity_token,
        registry_token: &login.registry_token,
        server_address: &login.server_address,
    }
}
