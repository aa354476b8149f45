//! The API's description says what the route table says, and nothing else.

use std::collections::BTreeSet;

use node_agent::server::routes::{Access, ROUTES};

use crate::support::{Agent, reference};

fn document() -> serde_json::Value {
    serde_json::from_str(include_str!("../src/openapi.json")).unwrap()
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let document = document();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item
                .as_object()
                .unwrap()
                .keys()
                .filter(|key| *key != "parameters");
            methods
                .map(move |method| (path.clone(), method.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    let routed: BTreeSet<(String, String)> = ROUTES
        .iter()
        .map(|route| {
            (
                route.pattern.to_owned(),
                route.verb.name().to_ascii_lowercase(),
            )
        })
        .collect();
    assert_eq!(described, routed);
    assert!(routed.len() >= 35);
}

#[test]
fn what_needs_no_key_is_said_to_need_none() {
    let document = document();
    for route in ROUTES {
        let operation = &document["paths"][route.pattern][route.verb.name().to_ascii_lowercase()];
        let is_public = operation["security"] == serde_json::json!([]);
        assert_eq!(
            is_public,
            route.access == Access::Public,
            "{}",
            route.pattern
        );
        assert!(
            operation["responses"]
                .as_object()
                .is_some_and(|responses| !responses.is_empty()),
            "{}",
            route.pattern
        );
        assert!(
            operation["summary"].is_string() && operation["operationId"].is_string(),
            "{}",
            route.pattern
        );
    }
}

#[test]
fn references_lead_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &serde_json::Value, references: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(object) => {
            references.extend(
                object
                    .get("$ref")
                    .and_then(|r| r.as_str())
                    .map(str::to_owned),
            );
            object.values().for_each(|value| collect(value, references));
        }
        serde_json::Value::Array(array) => {
            for value in array {
                collect(value, references);
            }
        }
        _ => {}
    }
}

#[test]
fn it_is_served() {
    let served = Agent::start().get("/openapi.json").expect(200);
    assert_eq!(served.json(), document());
    assert_eq!(served.json()["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_endpoints_of_the_reference_are_there() {
    let routed: BTreeSet<String> = ROUTES
        .iter()
        .map(|route| format!("{} {}", route.verb.name(), route.pattern))
        .collect();
    let missing: Vec<_> = reference::ENDPOINTS
        .into_iter()
        .filter(|endpoint| !routed.contains(*endpoint))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
