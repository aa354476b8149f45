//! Cleanup of images that a registry knows by digest, on the machine's engine. Each is confined to a registry of our
//! own by its prefix.

use serde_json::{Value, json};

use crate::support::agent::Setup;
use crate::support::docker;
use crate::support::shelf::Shelf;
use crate::support::yard::{reason, texts};

/// Pulls `name`, by tag or digest.
fn pull(shelf: &Shelf, name: &str) {
    let reference = shelf.registry.reference(name);
    docker::run(&["--config", &shelf.login, "pull", &reference]).unwrap();
}

/// Cleans up what begins with `prefix` in the registry: first dry, which says the same.
fn cleanup(shelf: &Shelf, prefix: &str, more: &Value) -> Value {
    let agent = Setup::new().start();
    let mut body =
        json!({ "all": true, "keep_last": 0, "prefix": shelf.registry.reference(prefix) });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let post = |body: &Value| agent.post("/images/cleanup", body).expect(200).json();
    body["dry_run"] = json!(true);
    let foretold = post(&body);
    for image in texts(&foretold["images"]) {
        let is_ours = image == shelf.id || image.starts_with(&shelf.registry.reference(""));
        assert!(is_ours, "{image} is somebody else's");
    }
    body["dry_run"] = json!(false);
    let done = post(&body);
    for field in ["removed", "images", "kept"] {
        assert_eq!(foretold[field], done[field], "{field}");
    }
    done
}

#[test]
fn what_only_digests_name_is_dangling() {
    let shelf = Shelf::new();
    let by_digest = |repository: &str| format!("{repository}@{}", shelf.digest);
    pull(&shelf, "team/app:1");
    shelf.push("team/other:1");
    docker::run(&["rmi", "-f", &shelf.id]).unwrap();
    pull(&shelf, &by_digest("team/app"));
    let container = shelf.docker.name.clone();
    docker::run(&[
        "create",
        "--name",
        &container,
        "--label",
        &shelf.docker.label(),
        &shelf.id,
    ])
    .unwrap();
    let none = json!({ "all": false });
    let used = cleanup(&shelf, "team/", &none);
    assert_eq!(
        reason(&used, &shelf.id),
        format!("container `{container}` uses it")
    );
    docker::run(&["rm", &container]).unwrap();
    let gone = cleanup(&shelf, "team/", &none);
    assert_eq!(gone["images"], json!([shelf.id]));
    assert!(!shelf.is_here());

    // Two repositories know it.
    pull(&shelf, &by_digest("team/app"));
    pull(&shelf, &by_digest("team/other"));
    let half = cleanup(&shelf, "team/app", &none);
    assert_eq!(half["removed"], 0);
    assert_eq!(reason(&half, &shelf.id), "other repositories have it too");
    let gone = cleanup(&shelf, "team/", &none);
    assert_eq!(
        (&gone["removed"], &gone["images"]),
        (&json!(1), &json!([shelf.id]))
    );
    assert!(!shelf.is_here());
}

#[test]
fn a_tag_takes_its_digests_along() {
    let shelf = Shelf::new();
    pull(&shelf, "team/app:1");
    shelf.push("team/app:2");
    shelf.push("team/other:1");
    docker::run(&["rmi", "-f", &shelf.id]).unwrap();
    let image = |name: &str| shelf.registry.reference(name);
    for name in ["team/app:1", "team/app:2", "team/other:1"] {
        pull(&shelf, name);
    }
    let part = cleanup(&shelf, "team/app:1", &json!({}));
    assert_eq!(part["images"], json!([image("team/app:1")]));
    assert_eq!(shelf.pulled("team/app").len(), 1);
    let whole = cleanup(&shelf, "", &json!({}));
    let both = json!([image("team/app:2"), image("team/other:1")]);
    assert_eq!(whole["images"], both);
    assert!(!shelf.is_here());

    // A digest of a repository without a tag keeps it, unless it is meant as well.
    let digest = format!("team/other@{}", shelf.digest);
    for (prefix, is_here) in [("team/app", true), ("team/", false)] {
        pull(&shelf, "team/app:1");
        pull(&shelf, &digest);
        let gone = cleanup(&shelf, prefix, &json!({}));
        assert_eq!(gone["images"], json!([image("team/app:1")]));
        assert_eq!(shelf.is_here(), is_here);
    }
}
