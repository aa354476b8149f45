//! Files.

use serde_json::json;

use super::Tour;

pub fn drive(tour: &Tour) {
    let path = "/local/tour/config.json";
    let body = json!({ "path": path, "content": "{\"a\": 1}\n", "mode": 640 });
    let answer = tour.post("/files/write", &body);
    assert_eq!(
        (&answer["status"], &answer["created"]),
        (&json!("written"), &json!(true))
    );
    assert_eq!(
        tour.text(&["stat", "--format=%a %U %s", path]),
        "640 root 9"
    );
    assert_eq!(tour.text(&["cat", path]), "{\"a\": 1}");

    tour.droplet.write(path, b"by hand");
    assert_eq!(
        tour.get(&format!("/files/read?path={path}"))["content"],
        "by hand"
    );

    let seconds = tour.text(&["stat", "--format=%Y", path]);
    let answer = tour.get(&format!("/files/exists?path={path}"));
    assert_eq!(
        (&answer["exists"], &answer["size"]),
        (&json!(true), &json!(7))
    );
    let modified = answer["modified"].as_str().unwrap();
    assert_eq!(tour.text(&["date", "--date", modified, "+%s"]), seconds);

    tour.post(
        "/files/mkdir",
        &json!({ "path": "/local/tour/a/b", "mode": 750 }),
    );
    assert_eq!(
        tour.text(&["stat", "--format=%a %F", "/local/tour/a/b"]),
        "750 directory"
    );

    tour.post("/files/delete", &json!({ "path": path }));
    assert_eq!(
        tour.get(&format!("/files/exists?path={path}"))["exists"],
        false
    );
    assert_eq!(tour.text(&["find", "/local/tour", "-type", "f"]), "");
}
