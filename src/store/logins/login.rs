//! One login.
#![forbid(unsafe_code)]

use std::fmt;

use super::address::server_address;

/// A login for one registry. An identity token stands in for the password; a registry token is sent as it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
    /// What the registry gave for the password.
    pub identity_token: String,
    /// A bearer token.
    pub registry_token: String,
    /// The registry: its host, or Docker Hub's URL.
    pub server_address: String,
}

impl Login {
    /// A login for `registry` (`None` is Docker Hub), as the CLI saves it: the identity token, if there is one, instead
    /// of the password.
    pub fn new(
        registry: Option<&str>,
        username: String,
        password: String,
        identity_token: Option<String>,
    ) -> Self {
        let identity_token = identity_token.unwrap_or_default();
        Self {
            username,
            password: if identity_token.is_empty() {
                password
            } else {
                String::new()
            },
            identity_token,
            registry_token: String::new(),
            server_address: server_address(registry).into_owned(),
        }
    }

    /// Itself, unless there is nothing in it to log in with.
    pub(super) fn unless_empty(self) -> Option<Self> {
        let parts = [&self.username, &self.identity_token, &self.registry_token];
        parts.iter().any(|part| !part.is_empty()).then_some(self)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Login")
            .field("username", &self.username)
            .field("server_address", &self.server_address)
            .finish_non_exhaustive()
    }
}
