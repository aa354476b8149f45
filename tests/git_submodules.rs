//! Repositories with others in them, some of them hostile.

use std::process::Command;

use serde_json::json;

use crate::support::git_lab::{GitLab, git};

#[test]
fn submodules_come_along_when_they_are_wanted() {
    let lab = GitLab::new();
    lab.with_submodule("inner", &lab.host.url("open/a.git"));
    lab.with_submodule("outer", &lab.host.url("open/inner.git"));
    lab.with_submodule("relative", "../a.git");
    let url = lab.host.url("open/outer.git");
    lab.clone_with(&url, "all", json!({"recursive": true}))
        .expect(200);
    assert_eq!(lab.text("root/all/sub/sub/file"), "2");
    // It was moved after git had made it, and knows nothing of where that was.
    for below in ["root/all", "root/all/sub", "root/all/sub/sub"] {
        assert_eq!(git(&lab.path(below), &["status", "--porcelain"]), "");
    }
    let state = lab.path("state").display().to_string();
    let searched = Command::new("grep")
        .args(["-rlF", "-e", &state, "-e", ".node-agent-"])
        .arg(lab.path("root/all"))
        .output()
        .unwrap();
    assert_eq!(searched.status.code(), Some(1), "{searched:?}");
    lab.clone(&url, "one").expect(200);
    assert_eq!(lab.files.names("root/one/sub").len(), 0);
    lab.clone_with(
        &lab.host.url("open/relative.git"),
        "relative",
        json!({"recursive": true, "depth": 1}),
    )
    .expect(200);
    assert_eq!(lab.text("root/relative/sub/file"), "2");
    lab.expect_only(&["all", "one", "relative"]);
}

#[test]
fn hostile_ones_end_the_clone() {
    let lab = GitLab::new();
    let marker = lab.path("marker");
    let marker = marker.display();
    for (number, (url, status)) in [
        (
            format!("file://{}/a.git", lab.repositories().display()),
            400,
        ),
        (format!("{}/a.git", lab.repositories().display()), 400),
        (format!("ext::sh -c touch% {marker}"), 400),
        ("fd::0".to_owned(), 400),
        (format!("-utouch {marker}"), 400),
        (format!("--upload-pack=touch {marker}"), 400),
        (format!("ssh://-oProxyCommand=touch%20{marker}/x"), 400),
        ("../../x".to_owned(), 404),
        // For git a host called `http`.
        ("../../../../etc".to_owned(), 502),
        (lab.host.url("open/no.git"), 404),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("hostile{number}");
        lab.with_submodule(&name, &url);
        let address = lab.host.url(&format!("open/{name}.git"));
        let answer = lab.clone_with(&address, "no", json!({"recursive": true}));
        assert_eq!(answer.status, status, "{url}: {}", answer.text());
        assert!(
            answer.error().starts_with("a submodule of "),
            "{url}: {}",
            answer.text()
        );
        lab.expect_only(&[]);
        // Without its submodules it is harmless.
        lab.clone(&address, "yes").expect(200);
        std::fs::remove_dir_all(lab.path("root/yes")).unwrap();
    }
    assert!(!lab.path("marker").exists());
}
