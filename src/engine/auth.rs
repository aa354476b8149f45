//! Checking a login with its registry, by the engine. Docker API, /auth.
#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;

use serde::Deserialize;

use super::registry_auth::RegistryAuth;
use super::transport::{Body, Call};
use super::{Engine, EngineError, Patience};
use crate::limits;

#[derive(Deserialize)]
struct Checked {
    #[serde(rename = "IdentityToken", default)]
    token: Option<String>,
}

impl Engine {
    /// Asks the registry. What it gives for the password, if it gives something. The engine remembers nothing; a wrong
    /// password is a 401, or a 500 from 20.10 on a registry with basic authentication.
    pub fn check_login(
        &self,
        login: &RegistryAuth<'_>,
        client: Option<BorrowedFd<'_>>,
    ) -> Result<Option<String>, EngineError> {
        // Texts always serialize.
        let body = serde_json::to_vec(login).unwrap_or_default();
        let call = Call {
            method: "POST",
            path: "/auth",
            body: Body::Json(&body),
            headers: &[],
            hijack: false,
        };
        let patience = Patience {
            first_byte: limits::REGISTRY_ANSWER,
            client,
            ..Patience::default()
        };
        let mut answer = self.call(&call, patience)?;
        if answer.head.status == 204 {
            return Ok(None);
        }
        let checked: Checked = answer.json()?;
        Ok(checked.token.filter(|token| !token.is_empty()))
    }
}
