//! The whole API on one screen.
#![forbid(unsafe_code)]

use tiny_http::Method;

use crate::api::counters::Endpoint;
use crate::api::{
    self, Context, Handler, Reply, containers, cron, docker, files, firewall, git, images,
    networks, nginx, services, upload,
};

/// Who may call an endpoint. A route cannot be without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody on the allowlist.
    Public,
    /// Key holders; peers in private networks too when `NODE_AGENT_REQUIRE_AUTH_ALWAYS=false`.
    Key,
    /// Key holders, whatever the configuration says: the reference marks it, or it gives root on the host.
    KeyAlways,
}

/// Where the work is done.
#[derive(Clone, Copy)]
pub enum Work {
    /// In the gate, from memory: must not wait for anything.
    Inline(fn(&Context) -> Reply<'static>),
    /// By a worker, for an engine call or two.
    Short(Handler),
    /// By a worker that may be away for minutes; at most three quarters of the workers.
    Long(Handler),
}

/// An endpoint.
#[derive(Clone, Copy)]
pub struct Route {
    /// GET (which answers HEAD too), POST or DELETE.
    pub verb: Verb,
    /// The path; a segment `{n}` is a placeholder.
    pub pattern: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Who does it, and where.
    pub work: Work,
    /// Its place in [`ROUTES`], by which its requests are counted.
    pub number: usize,
}

/// The methods that exist here; tiny_http's own type cannot stand in a const table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// GET, and HEAD with it.
    Get,
    /// POST.
    Post,
    /// DELETE.
    Delete,
}

use Access::{Key, KeyAlways, Public};
use Verb::{Delete, Get, Post};
use Work::{Inline, Long, Short};

const fn route(verb: Verb, pattern: &'static str, access: Access, work: Work) -> Route {
    Route {
        verb,
        pattern,
        access,
        work,
        number: 0,
    }
}

/// The same routes with their places in the table.
const fn numbered<const N: usize>(mut routes: [Route; N]) -> [Route; N] {
    let mut number = 0;
    while number < N {
        routes[number].number = number;
        number += 1;
    }
    routes
}

/// The routes' names, in their order.
pub fn endpoints() -> impl Iterator<Item = Endpoint> {
    ROUTES.iter().map(|route| Endpoint {
        method: route.verb.name(),
        pattern: route.pattern,
    })
}

/// Every endpoint. A literal segment wins over a placeholder.
pub const ROUTES: &[Route] = &numbered([
    route(Get, "/ping", Public, Inline(api::health::ping)),
    route(Get, "/metrics", Key, Short(api::metrics::metrics)),
    route(Get, "/openapi.json", Key, Short(api::openapi::document)),
    route(Get, "/containers", Key, Short(containers::list)),
    route(Post, "/containers/run", KeyAlways, Long(containers::run)),
    route(
        Get,
        "/containers/all/health",
        KeyAlways,
        Short(containers::all_health),
    ),
    route(Post, "/containers/{n}/start", Key, Long(containers::start)),
    route(Post, "/containers/{n}/stop", Key, Long(containers::stop)),
    route(
        Post,
        "/containers/{n}/restart",
        Key,
        Long(containers::restart),
    ),
    route(
        Post,
        "/containers/{n}/remove",
        Key,
        Long(containers::remove),
    ),
    route(
        Get,
        "/containers/{n}/status",
        Key,
        Short(containers::status),
    ),
    route(
        Get,
        "/containers/{n}/health",
        KeyAlways,
        Short(containers::health),
    ),
    route(
        Get,
        "/containers/{n}/logs",
        KeyAlways,
        Long(containers::logs),
    ),
    route(
        Get,
        "/containers/{n}/inspect",
        Key,
        Short(containers::inspect),
    ),
    route(
        Post,
        "/containers/{n}/exec",
        KeyAlways,
        Long(containers::exec),
    ),
    route(Get, "/images/list", Key, Short(images::list)),
    route(Post, "/images/pull", Key, Long(images::pull)),
    route(Post, "/images/tag", Key, Short(images::tag)),
    route(Post, "/images/load", Key, Long(images::load)),
    route(Post, "/images/cleanup", KeyAlways, Long(images::cleanup)),
    route(Post, "/docker/build", KeyAlways, Long(docker::build)),
    route(Post, "/docker/dockerfile", Key, Short(docker::dockerfile)),
    route(Post, "/docker/login", Key, Long(docker::login)),
    route(Post, "/docker/load", Key, Long(images::load)),
    route(Post, "/docker/load/stream", Key, Long(images::load_stream)),
    route(Post, "/files/write", KeyAlways, Long(files::write)),
    route(Get, "/files/read", Key, Long(files::read)),
    route(Get, "/files/exists", Key, Short(files::exists)),
    route(Post, "/files/mkdir", Key, Short(files::mkdir)),
    route(Post, "/files/delete", KeyAlways, Short(files::delete)),
    route(Get, "/files/list", Key, Long(files::list)),
    route(Post, "/upload/tar", KeyAlways, Long(upload::tar)),
    route(
        Post,
        "/upload/tar/stream",
        KeyAlways,
        Long(upload::tar_stream),
    ),
    route(Post, "/upload/tar/chunked", KeyAlways, Long(upload::chunk)),
    route(Get, "/upload/tar/chunked", Key, Short(upload::status)),
    route(
        Delete,
        "/upload/tar/chunked",
        KeyAlways,
        Short(upload::discard),
    ),
    route(Get, "/nginx/test", Key, Long(nginx::test)),
    route(Post, "/nginx/reload", Key, Long(nginx::reload)),
    route(Post, "/git/clone", KeyAlways, Long(git::clone)),
    route(Post, "/networks/create", Key, Long(networks::create)),
    route(Get, "/networks/{n}", Key, Short(networks::details)),
    route(Get, "/cron/jobs", Key, Short(cron::jobs)),
    route(Post, "/cron/run-docker", KeyAlways, Short(cron::run_docker)),
    route(Post, "/cron/remove", Key, Short(cron::remove)),
    route(Get, "/services/{n}/status", Key, Short(services::status)),
    route(Post, "/services/{n}/restart", Key, Long(services::restart)),
    // ufw waits for a lock that everybody on the machine may hold.
    route(Get, "/firewall/status", Key, Long(firewall::status)),
    route(Post, "/firewall/allow", Key, Long(firewall::allow)),
]);

/// What a path and method lead to.
pub enum Match {
    /// This route, with the values of its placeholders.
    Route(&'static Route, Vec<String>),
    /// The path exists, with these methods.
    OtherMethods(String),
    /// No such path.
    Nothing,
}

impl Verb {
    /// Whether a request with `method` is meant.
    pub fn matches(self, method: &Method) -> bool {
        match self {
            Self::Get => matches!(method, Method::Get | Method::Head),
            Self::Post => *method == Method::Post,
            Self::Delete => *method == Method::Delete,
        }
    }

    /// Its name, as in a request line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    /// Its words in `Allow`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// Finds the route for `method` and the still percent-encoded `path`.
pub fn find(method: &Method, path: &str) -> Match {
    let fitting = || {
        ROUTES
            .iter()
            .filter_map(|route| Some((route, fit(route.pattern, path)?)))
    };
    let literal_first = |(_, params): &(_, Vec<String>)| params.len();
    let found = fitting()
        .filter(|(route, _)| route.verb.matches(method))
        .min_by_key(literal_first);
    if let Some((route, params)) = found {
        return Match::Route(route, params);
    }
    let mut verbs: Vec<_> = fitting().map(|(route, _)| route.verb.words()).collect();
    verbs.dedup();
    if verbs.is_empty() {
        Match::Nothing
    } else {
        Match::OtherMethods(verbs.join(", "))
    }
}

/// The values of the placeholders of `pattern`, when `path` has its shape.
fn fit(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut segments = path.split('/');
    let mut params = Vec::new();
    for expected in pattern.split('/') {
        let segment = segments.next()?;
        if expected.starts_with('{') {
            params.push(api::query::decode_component(segment).filter(|value| !value.is_empty())?);
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_stands_twice() {
        for (index, route) in ROUTES.iter().enumerate() {
            let same = |other: &&Route| (other.verb, other.pattern) == (route.verb, route.pattern);
            assert_eq!(
                ROUTES.iter().filter(same).count(),
                1,
                "{} ({index})",
                route.pattern
            );
        }
    }

    #[test]
    fn every_route_knows_its_place() {
        for (place, route) in ROUTES.iter().enumerate() {
            assert_eq!(route.number, place, "{}", route.pattern);
        }
        assert_eq!(endpoints().count(), ROUTES.len());
    }

    #[test]
    fn only_ping_is_public() {
        let public: Vec<_> = ROUTES
            .iter()
            .filter(|route| route.access == Public)
            .collect();
        assert_eq!(
            public.iter().map(|route| route.pattern).collect::<Vec<_>>(),
            ["/ping"]
        );
    }

    #[test]
    fn fits_segments() {
        assert_eq!(fit("/a/{n}/b", "/a/x%20y/b"), Some(vec!["x y".to_owned()]));
        for path in [
            "/a//b", "/a/x", "/a/x/b/", "/a/x/b/c", "a/x/b", "/a/%zz/b", "/a/%00/b", "/A/x/b",
        ] {
            assert_eq!(fit("/a/{n}/b", path), None, "{path}");
        }
    }

    #[test]
    fn other_methods_are_told() {
        assert!(matches!(find(&Method::Head, "/ping"), Match::Route(..)));
        assert!(
            matches!(find(&Method::Post, "/ping"), Match::OtherMethods(allow) if allow == "GET, HEAD")
        );
        assert!(matches!(find(&Method::Get, "/pong"), Match::Nothing));
    }
}
