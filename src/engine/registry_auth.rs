//! Saved registry logins, where the docker CLI keeps them: `config.json`, `auths`. Read for each pull, because another
//! program may have written it since. Never logged, never shown.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

/// More than any such file has.
const FILE_BYTES: u64 = 1024 * 1024;
/// What Docker Hub is called there.
const HUB: &str = "index.docker.io";

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(default)]
    auths: BTreeMap<String, Saved>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Saved {
    auth: String,
    identitytoken: String,
}

/// What the engine wants to know, as JSON in padded base64url; any other alphabet is silently anonymous.
#[derive(Serialize)]
struct Credentials<'c> {
    username: &'c str,
    password: &'c str,
    #[serde(skip_serializing_if = "str::is_empty")]
    identitytoken: &'c str,
    serveraddress: &'c str,
}

/// The value of `X-Registry-Auth` for `registry` (a host with an optional port; `None` is Docker Hub) from
/// `directory/config.json`; `None` when there is no login for it.
pub fn saved_login(directory: &Path, registry: Option<&str>) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(directory.join("config.json")).ok()?;
    file.take(FILE_BYTES).read_to_string(&mut text).ok()?;
    let config: ConfigFile = serde_json::from_str(&text).ok()?;
    let wanted = registry.filter(|host| *host != "docker.io").unwrap_or(HUB);
    let (address, saved) = config
        .auths
        .iter()
        .find(|(address, _)| host_of(address) == wanted)?;
    let pair = String::from_utf8(STANDARD.decode(&saved.auth).ok()?).ok()?;
    let (username, password) = pair.split_once(':').unwrap_or(("", ""));
    let identitytoken = saved.identitytoken.as_str();
    if username.is_empty() && identitytoken.is_empty() {
        return None;
    }
    let credentials = Credentials {
        username,
        password,
        identitytoken,
        serveraddress: address,
    };
    Some(URL_SAFE.encode(serde_json::to_vec(&credentials).ok()?))
}

/// Keys may be hosts or URLs: `https://index.docker.io/v1/`.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(registry: Option<&str>, config: &str) -> Option<serde_json::Value> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.json"), config).unwrap();
        let encoded = saved_login(directory.path(), registry)?;
        serde_json::from_slice(&URL_SAFE.decode(encoded).unwrap()).unwrap()
    }

    #[test]
    fn finds_hosts_and_urls() {
        let auth = STANDARD.encode("user:pa:ss");
        let config = format!(
            r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{auth}"}},"127.0.0.1:5000":{{"auth":"{auth}"}},"empty":{{}}}}}}"#
        );
        let hub = login(None, &config).unwrap();
        assert_eq!(
            (&hub["username"], &hub["password"]),
            (&"user".into(), &"pa:ss".into())
        );
        assert!(login(Some("docker.io"), &config).is_some());
        assert_eq!(
            login(Some("127.0.0.1:5000"), &config).unwrap()["serveraddress"],
            "127.0.0.1:5000"
        );
        assert_eq!(login(Some("127.0.0.1"), &config), None);
        assert_eq!(login(Some("empty"), &config), None);
        assert_eq!(login(None, "not json"), None);
    }
}
