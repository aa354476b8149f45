//! Repositories with others in them, some of them hostile.

use std::process::Command;

use serde_json::json;

use crate::support::git_host::{PASSWORD, USER};
use crate::support::git_lab::{GitLab, git};
use crate::support::process::environments;

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

/// git tidies up after a fetch when it finds more than 27 objects in the directory `17`, which it takes for a sample of
/// all (git-gc's too_many_loose_objects). The contents of files that get there.
const MADE_FOR_TIDYING: [u32; 30] = [
    32, 119, 334, 782, 907, 922, 1113, 1173, 1298, 1910, 2085, 2500, 2797, 2920, 3325, 4097, 4226,
    4645, 4725, 4747, 5699, 5796, 6067, 7003, 7256, 7290, 7485, 7673, 7865, 7867,
];

/// What git does after a fetch it does in a session of its own, without an end that anybody sees to.
#[test]
fn nothing_goes_on_after_the_answer() {
    let lab = GitLab::new();
    let work = lab.work("inner");
    git(&work, &["commit", "-q", "--allow-empty", "-m", "first"]);
    lab.publish("inner");
    for text in MADE_FOR_TIDYING.map(|number| number.to_string()) {
        std::fs::write(work.join(&text), &text).unwrap();
    }
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", "second"]);
    // No branch has it: it is fetched by itself.
    let published = lab.repositories().join("inner.git");
    let hidden = [
        "push",
        "-q",
        published.to_str().unwrap(),
        "main:refs/hidden/x",
    ];
    git(&work, &hidden);
    lab.with_submodule_at("outer", &lab.host.url("open/inner.git"), "refs/hidden/x");

    let login = json!({"recursive": true, "username": USER, "password": PASSWORD});
    lab.clone_with(&lab.host.url("open/outer.git"), "outer", login)
        .expect(200);
    let host = lab.host.address().to_string();
    assert_eq!(environments(&host), [0_u32; 0]);
    let loose = lab.path("root/outer/.git/modules/sub/objects/17");
    assert!(std::fs::read_dir(loose).unwrap().count() >= MADE_FOR_TIDYING.len());
}
