//! Builds, Dockerfiles and the registry.

use serde_json::json;

use super::Tour;
use crate::Droplet;
use crate::registry::{self, PASSWORD, USER};

pub fn drive(tour: &Tour) {
    build(tour);
    dockerfile(tour);
    login(tour);
}

fn build(tour: &Tour) {
    let from = Droplet::IMAGE;
    tour.droplet.shell(
        "mkdir -p /app/tour; echo data > /app/tour/file; echo file > /app/tour/.dockerignore",
    );
    let dockerfile = format!("FROM {from}\nARG WORD\nRUN echo $WORD > /word\nCOPY . /context\n");
    tour.droplet
        .write("/app/tour/Dockerfile", dockerfile.as_bytes());
    let body = json!({ "context_path": "/app/tour", "tag": "tour/built:1", "build_args": { "WORD": "hello" } });
    let answer = tour.post("/docker/build", &body);
    let id = tour.text(&["docker", "inspect", "--format={{.Id}}", "tour/built:1"]);
    assert_eq!(
        (&answer["status"], &answer["image_id"]),
        (&json!("built"), &json!(id))
    );
    let run = [
        "docker",
        "run",
        "--rm",
        "tour/built:1",
        "sh",
        "-c",
        "cat /word; echo /context/*",
    ];
    assert_eq!(tour.text(&run), "hello\n/context/Dockerfile");
}

fn dockerfile(tour: &Tour) {
    tour.droplet
        .shell("mkdir -p /app/tour-site; echo hello > /app/tour-site/index.html");
    let body = json!({ "context_path": "/app/tour-site", "generate": true });
    let answer = tour.post("/docker/dockerfile", &body);
    assert_eq!(
        (&answer["stack"], &answer["generated"]),
        (&json!("static"), &json!(true))
    );
    // Nothing was written.
    assert_eq!(tour.text(&["ls", "-A", "/app/tour-site"]), "index.html");
}

fn login(tour: &Tour) {
    let address = registry::ready(&tour.droplet);
    let wrong = json!({ "registry": address, "username": USER, "password": "wrong" });
    tour.droplet.post("/docker/login", &wrong).expect(401);
    let right = json!({ "registry": address, "username": USER, "password": PASSWORD });
    tour.post("/docker/login", &right);
    // The docker CLI finds it where it keeps its own.
    assert_eq!(
        tour.text(&["stat", "--format=%a", "/root/.docker/config.json"]),
        "600"
    );
    let pull = [
        "docker",
        "pull",
        "--quiet",
        &format!("{address}/team/app:1"),
    ];
    tour.text(&pull);
    tour.text(&["docker", "rmi", pull[3]]);
}
