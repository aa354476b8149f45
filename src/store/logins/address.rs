//! What a registry is called as a key: hosts, URLs, and the names of Docker Hub.
#![forbid(unsafe_code)]

use std::borrow::Cow;

/// Docker Hub's key in config.json, and what helpers know it by.
const HUB: &str = "https://index.docker.io/v1/";
/// Hosts that mean Docker Hub.
const HUB_HOSTS: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
/// The CLI keeps tokens of its browser login beside Docker Hub's entry; they are no logins.
const TOKENS: [&str; 2] = ["access-token", "refresh-token"];

/// The key of `registry`: its host, as the CLI writes it; Docker Hub has a URL.
pub(super) fn server_address(registry: Option<&str>) -> Cow<'_, str> {
    match registry.map(host_of) {
        None | Some("") => HUB.into(),
        Some(host) if HUB_HOSTS.contains(&host) => HUB.into(),
        Some(host) => host.into(),
    }
}

/// The best of `keys` for `address`: the same text, otherwise one that means the same host.
pub(super) fn best_key<'k>(
    mut keys: impl DoubleEndedIterator<Item = &'k str> + Clone,
    address: &str,
) -> Option<&'k str> {
    let is_token = |key: &str| TOKENS.iter().any(|token| key.ends_with(token));
    let is_same = |key: &&str| server_address(Some(key)) == address && !is_token(key);
    // Of two that are the same the last counts, in Go as here.
    let exact = keys.clone().rfind(|key| *key == address);
    exact.or_else(|| keys.rfind(is_same))
}

/// The host, with its port, of a key that may be a URL.
fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_urls_are_one() {
        for (registry, address) in [
            (None, HUB),
            (Some("docker.io"), HUB),
            (Some("index.docker.io"), HUB),
            (Some("registry-1.docker.io"), HUB),
            (Some(HUB), HUB),
            (Some("127.0.0.1:5000"), "127.0.0.1:5000"),
            (Some("[::1]:5000"), "[::1]:5000"),
            (Some("https://r.example/v2/"), "r.example"),
            (Some("http://me@r.example:80"), "r.example:80"),
        ] {
            assert_eq!(server_address(registry), address, "{registry:?}");
        }
    }

    #[test]
    fn the_same_text_wins_over_the_same_host() {
        for (keys, address, best) in [
            (&["https://a/v1/", "a"][..], "a", Some("a")),
            (&["a", "https://a/v1/"], "a", Some("a")),
            (&["https://a/v1/", "b"], "a", Some("https://a/v1/")),
            (&["a:80", "xa"], "a", None),
            (&["docker.io"], HUB, Some("docker.io")),
            (&["https://index.docker.io/v1/access-token"], HUB, None),
        ] {
            assert_eq!(best_key(keys.iter().copied(), address), best, "{keys:?}");
        }
    }
}
