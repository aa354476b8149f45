//! Who gets in: the checks of every request, in the contract's order. Allowlist, public endpoint, key, route, method.
//! (Framing is told first: nothing can be believed of a head that two readers may read differently.)
#![forbid(unsafe_code)]

use std::net::IpAddr;

use tiny_http::Method;

use super::routes::{self, Access, Match, Route};
use crate::api::ApiError;
use crate::cidr::Cidr;
use crate::config::Keys;
use crate::config::allowlist::unmapped;
use crate::wire::RequestHead;

/// Networks whose peers skip the key when `NODE_AGENT_REQUIRE_AUTH_ALWAYS=false`: RFC 1918, loopback, link-local and
/// RFC 4193.
const PRIVATE: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "::1",
    "fc00::/7",
    "fe80::/10",
];

/// The rules in force.
#[derive(Debug)]
pub(super) struct Admission {
    /// The keys that are accepted.
    pub(super) keys: Keys,
    /// The private networks, when their peers skip the key; otherwise empty.
    bypass: Vec<Cidr>,
}

/// What is to be done with a request.
pub(super) enum Verdict {
    /// This endpoint.
    Serve(&'static Route, Vec<String>),
    /// `OPTIONS`: 200 with these methods.
    Options(String),
    /// This answer.
    Refuse(ApiError),
}

impl Admission {
    /// Rules with these keys; `require_auth_always` is `NODE_AGENT_REQUIRE_AUTH_ALWAYS`.
    pub(super) fn new(keys: Keys, require_auth_always: bool) -> Self {
        let private = PRIVATE.iter().filter_map(|text| Cidr::parse(text).ok());
        Self {
            keys,
            bypass: if require_auth_always {
                Vec::new()
            } else {
                private.collect()
            },
        }
    }

    /// Judges a well-formed request of a peer on the allowlist.
    pub(super) fn judge(&self, head: &RequestHead, peer: IpAddr) -> Verdict {
        let path = head.target().path();
        let found = routes::find(head.method(), path);
        let access = match &found {
            Match::Route(route, _) => route.access,
            // Unknown paths and methods need the key, so that a stranger cannot learn which exist.
            _ => Access::Key,
        };
        if !self.may_pass(access, head, peer) {
            return Verdict::Refuse(ApiError::Unauthorized);
        }
        match found {
            Match::Route(route, params) => Verdict::Serve(route, params),
            _ if *head.method() == Method::Options && path == "*" => {
                Verdict::Options("GET, HEAD, POST, DELETE, OPTIONS".to_owned())
            }
            Match::OtherMethods(allow) if *head.method() == Method::Options => {
                Verdict::Options(allow)
            }
            Match::OtherMethods(allow) => Verdict::Refuse(ApiError::MethodNotAllowed { allow }),
            Match::Nothing => Verdict::Refuse(ApiError::NoRoute),
        }
    }

    fn may_pass(&self, access: Access, head: &RequestHead, peer: IpAddr) -> bool {
        let has_key = || {
            head.value("X-API-Key")
                .is_some_and(|key| self.keys.accept(key))
        };
        match access {
            Access::Public => true,
            Access::Key => self.is_bypassed(peer) || has_key(),
            Access::KeyAlways => has_key(),
        }
    }

    fn is_bypassed(&self, peer: IpAddr) -> bool {
        let peer = unmapped(peer);
        self.bypass.iter().any(|network| network.contains(peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, KeySources, keys::key_for_token};

    fn status(always: bool, line: &str, key: Option<&str>, peer: &str) -> u16 {
        let keys = KeySources::from_environment(&Environment::from_pairs(&[("DO_TOKEN", "t")]))
            .read()
            .unwrap();
        let key = key
            .map(|key| format!("X-API-Key: {key}\r\n"))
            .unwrap_or_default();
        let head =
            RequestHead::parse(format!("{line} HTTP/1.1\r\nHost: a\r\n{key}\r\n").as_bytes())
                .unwrap();
        match Admission::new(keys, always).judge(&head, peer.parse().unwrap()) {
            Verdict::Serve(..) | Verdict::Options(_) => 200,
            Verdict::Refuse(error) => error.status(),
        }
    }

    #[test]
    fn the_order_of_the_layers() {
        let key = key_for_token("t").unwrap();
        assert_eq!(status(true, "GET /ping", None, "8.8.8.8"), 200);
        assert_eq!(status(true, "GET /openapi.json", None, "10.0.0.1"), 401);
        assert_eq!(
            status(true, "GET /openapi.json", Some("wrong"), "10.0.0.1"),
            401
        );
        assert_eq!(
            status(true, "GET /openapi.json", Some(&key), "8.8.8.8"),
            200
        );
        for hidden in [
            "GET /nothing",
            "POST /ping",
            "DELETE /openapi.json",
            "OPTIONS *",
            "OPTIONS /ping",
        ] {
            assert_eq!(status(true, hidden, None, "10.0.0.1"), 401, "{hidden}");
        }
        assert_eq!(status(true, "GET /nothing", Some(&key), "8.8.8.8"), 404);
        assert_eq!(status(true, "POST /ping", Some(&key), "8.8.8.8"), 405);
        assert_eq!(status(true, "OPTIONS *", Some(&key), "8.8.8.8"), 200);
    }

    #[test]
    fn the_bypass_is_for_private_networks_only() {
        for peer in [
            "10.9.8.7",
            "172.31.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(
                status(false, "GET /openapi.json", None, peer),
                200,
                "{peer}"
            );
        }
        for peer in [
            "8.8.8.8",
            "172.32.0.1",
            "11.0.0.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
            "::",
        ] {
            assert_eq!(
                status(false, "GET /openapi.json", None, peer),
                401,
                "{peer}"
            );
        }
    }
}
