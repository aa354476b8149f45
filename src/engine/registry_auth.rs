//! Registry logins as the engine wants them in headers: JSON in padded base64url. Any other alphabet, and it goes on
//! without a login and without a word.
#![forbid(unsafe_code)]

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde::{Serialize, Serializer};

/// A login in the engine's words. Docker API, "Authentication".
#[derive(Clone, Copy, Serialize)]
pub struct RegistryAuth<'l> {
    /// The name.
    pub username: &'l str,
    /// The password.
    pub password: &'l str,
    /// What the registry gave for the password.
    #[serde(rename = "identitytoken", skip_serializing_if = "str::is_empty")]
    pub identity_token: &'l str,
    /// A bearer token.
    #[serde(rename = "registrytoken", skip_serializing_if = "str::is_empty")]
    pub registry_token: &'l str,
    /// The registry.
    #[serde(rename = "serveraddress")]
    pub server_address: &'l str,
}

impl RegistryAuth<'_> {
    /// The value of `X-Registry-Auth`, for a pull or a push.
    pub fn header(&self) -> String {
        encode(self)
    }
}

impl fmt::Debug for RegistryAuth<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RegistryAuth")
            .field("username", &self.username)
            .field("server_address", &self.server_address)
            .finish_non_exhaustive()
    }
}

/// The value of `X-Registry-Config`, for a build: all logins by their registries.
pub fn config_header<'l>(
    logins: impl IntoIterator<Item = (&'l str, RegistryAuth<'l>)> + Clone,
) -> String {
    struct Map<I>(I);
    impl<'l, I: IntoIterator<Item = (&'l str, RegistryAuth<'l>)> + Clone> Serialize for Map<I> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.clone())
        }
    }
    encode(&Map(logins))
}

fn encode(value: &impl Serialize) -> String {
    // Texts always serialize.
    URL_SAFE.encode(serde_json::to_vec(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn decode(header: &str) -> Value {
        serde_json::from_slice(&URL_SAFE.decode(header).unwrap()).unwrap()
    }

    #[test]
    fn the_engine_is_told_in_its_words() {
        let plain = RegistryAuth {
            username: "user",
            password: "pä:ss??>",
            identity_token: "",
            registry_token: "",
            server_address: "a:5000",
        };
        let said = json!({"username": "user", "password": "pä:ss??>", "serveraddress": "a:5000"});
        assert_eq!(decode(&plain.header()), said);
        let token = RegistryAuth {
            identity_token: "t",
            ..plain
        };
        assert_eq!(decode(&token.header())["identitytoken"], "t");
        let map = config_header([("a:5000", plain), ("b", token)]);
        assert_eq!(decode(&map)["a:5000"], said);
        assert_eq!(decode(&map)["b"]["identitytoken"], "t");
        assert!(!format!("{plain:?}").contains("ss??"));
    }
}
