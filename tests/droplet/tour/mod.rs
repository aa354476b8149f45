//! A controller's day: every endpoint of the reference in one session, each answered with success and its effect seen
//! with the system's own tools. What was driven is taken from the requests themselves, not from a list of intentions.

mod containers;
mod cron;
mod docker;
mod files;
mod firewall;
mod git;
mod health;
mod images;
mod networks;
mod nginx;
mod services;
mod uploads;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;

use node_agent::server::routes::{self, Match};
use serde_json::Value;

use crate::sharing::{Shared, droplet};
use crate::support::{Response, reference};

/// The droplet, and what was driven so far.
pub struct Tour {
    pub droplet: Shared,
    driven: RefCell<BTreeSet<String>>,
}

#[test]
fn every_endpoint_of_the_reference() {
    let tour = Tour {
        droplet: droplet(),
        driven: RefCell::default(),
    };
    health::drive(&tour);
    files::drive(&tour);
    uploads::drive(&tour);
    docker::drive(&tour);
    images::drive(&tour);
    containers::drive(&tour);
    nginx::drive(&tour);
    git::drive(&tour);
    cron::drive(&tour);
    networks::drive(&tour);
    services::drive(&tour);
    firewall::drive(&tour);
    let driven = tour.driven.borrow();
    let missing: Vec<_> = reference::ENDPOINTS
        .into_iter()
        .filter(|endpoint| !driven.contains(*endpoint))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

impl Tour {
    /// A GET, answered with 200.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.note("GET", path, self.droplet.get(path)).json()
    }

    /// A POST of JSON, answered with success.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.note("POST", path, self.droplet.post(path, body))
            .json()
    }

    /// A POST without a body, answered with success.
    #[track_caller]
    pub fn post_nothing(&self, path: &str) -> Value {
        self.note("POST", path, self.droplet.post_nothing(path))
            .json()
    }

    /// A POST of bytes, answered with success.
    #[track_caller]
    pub fn send(&self, path: &str, content_type: &str, body: &[u8]) -> Value {
        let answer = self.droplet.request("POST", path, content_type, body);
        self.note("POST", path, answer).json()
    }

    /// Takes down which endpoint answered with success.
    #[track_caller]
    pub fn note(&self, method: &str, path: &str, answer: Response) -> Response {
        assert!(
            matches!(answer.status, 200 | 201),
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
        let method = tiny_http::Method::from_str(method).unwrap();
        let path = path.split('?').next().unwrap();
        let Match::Route(route, _) = routes::find(&method, path) else {
            panic!("{method} {path} is no route");
        };
        let endpoint = format!("{} {}", route.verb.name(), route.pattern);
        self.driven.borrow_mut().insert(endpoint);
        answer
    }

    /// What a program in the droplet says.
    #[track_caller]
    pub fn text(&self, command: &[&str]) -> String {
        self.droplet.text(command)
    }
}
