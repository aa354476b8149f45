//! Images.

use serde_json::{Value, json};

use super::Tour;
use crate::registry;
use crate::support::made::{Made, archive};
use crate::support::upload;
use crate::support::upload_lab::FORM;

pub fn drive(tour: &Tour) {
    pull_and_tag(tour);
    load(tour);
    cleanup(tour);
}

fn pull_and_tag(tour: &Tour) {
    let image = format!("{}/team/app:1", registry::ready(&tour.droplet));
    // With the login that was saved before.
    let answer = tour.post("/images/pull", &json!({ "image": image }));
    let id = id(tour, &image);
    assert_eq!(
        (&answer["status"], &answer["id"]),
        (&json!("pulled"), &json!(id))
    );
    let body = json!({ "source_image": image, "target_image": "tour/app:deploy_1" });
    tour.post("/images/tag", &body);
    assert_eq!(self::id(tour, "tour/app:deploy_1"), id);
    let answer = tour.get("/images/list?prefix=tour/app");
    let listed: Vec<&Value> = answer["images"].as_array().unwrap().iter().collect();
    assert_eq!(listed.len(), 1, "{answer}");
    assert_eq!(listed[0]["ID"], json!(id));
}

fn load(tour: &Tour) {
    for (path, name) in [
        ("/images/load", "tour/loaded:1"),
        ("/docker/load", "tour/loaded:2"),
    ] {
        let (tar, ids) = archive(&[Made::new(&[name], 1_700_000_000)]);
        let form = upload::form(&[("image_tar", "image.tar", &tar)]);
        let answer = tour.send(path, FORM, &form);
        assert_eq!(
            (&answer["status"], &answer["images"]),
            (&json!("loaded"), &json!([name]))
        );
        assert_eq!(id(tour, name), ids[0]);
    }
    let (tar, ids) = archive(&[Made::new(&["tour/loaded:3"], 1_700_000_000)]);
    tour.send("/docker/load/stream", "application/x-tar", &tar);
    assert_eq!(id(tour, "tour/loaded:3"), ids[0]);
}

fn cleanup(tour: &Tour) {
    let body = json!({ "all": true, "keep_last": 0, "prefix": "tour/loaded:" });
    let answer = tour.post("/images/cleanup", &body);
    assert_eq!(answer["removed"], 3, "{answer}");
    assert_eq!(
        tour.text(&["docker", "images", "--quiet", "tour/loaded"]),
        ""
    );
    // Another one's are still there.
    id(tour, "tour/app:deploy_1");
}

fn id(tour: &Tour, image: &str) -> String {
    tour.text(&["docker", "image", "inspect", "--format={{.Id}}", image])
}
