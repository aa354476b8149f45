//! Repositories that are cloned: from real servers, into every kind of place.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use serde_json::json;

use crate::support::Agent;
use crate::support::agent::Setup;
use crate::support::git_host::GitDaemon;
use crate::support::git_lab::{GitLab, git};

#[test]
fn a_repository_is_cloned_over_http() {
    let lab = GitLab::new();
    let url = lab.host.url("open/a.git");
    let answer = lab
        .clone_with(&url, "x/y/a", json!({"brunch": 1}))
        .expect(200);
    assert_eq!(
        answer.json(),
        json!({
            "status": "cloned",
            "path": lab.files.text("root/x/y/a"),
            "branch": "main",
            "commit": lab.commit("a", "main"),
            "warnings": ["unknown field: brunch"],
        })
    );
    assert_eq!(lab.text("root/x/y/a/file"), "2");
    let clone = lab.path("root/x/y/a");
    for directory in ["root/x", "root/x/y", "root/x/y/a"] {
        assert_eq!(lab.files.mode(directory), 0o755);
    }
    assert_eq!(clone.join("file").metadata().unwrap().mode() & 0o777, 0o644);
    assert_eq!(git(&clone, &["remote", "get-url", "origin"]), url);
    assert_eq!(git(&clone, &["status", "--porcelain"]), "");
    assert_eq!(git(&clone, &["rev-list", "--count", "HEAD"]), "2");
    assert!(!clone.join(".git/hooks").exists());
    lab.expect_only(&["x"]);
}

#[test]
fn branches_tags_and_depths() {
    let lab = GitLab::new();
    let url = lab.host.url("open/a.git");
    let first = lab.commit("a", "v1");
    for (below, name, branch) in [
        ("other", "other", json!("other")),
        ("tag", "v1", json!(null)),
    ] {
        let answer = lab
            .clone_with(&url, below, json!({"branch": name}))
            .expect(200)
            .json();
        assert_eq!(
            (&answer["branch"], &answer["commit"]),
            (&branch, &json!(first))
        );
        assert_eq!(lab.text(&format!("root/{below}/file")), "1");
    }
    lab.clone_with(&url, "shallow", json!({"depth": 1, "branch": ""}))
        .expect(200);
    let count = git(&lab.path("root/shallow"), &["rev-list", "--count", "HEAD"]);
    assert_eq!(count, "1");
}

#[test]
fn a_repository_is_cloned_from_the_git_daemon() {
    let lab = GitLab::new();
    let daemon = GitDaemon::start(&lab.repositories());
    let answer = lab.clone(&daemon.url("a.git"), "a").expect(200).json();
    assert_eq!(answer["commit"], json!(lab.commit("a", "main")));
    let missing = lab.clone(&daemon.url("no.git"), "no").expect(404);
    assert!(
        missing.error().contains("no.git does not exist"),
        "{}",
        missing.text()
    );
    lab.expect_only(&["a"]);
}

#[test]
fn an_empty_repository_has_a_branch_and_no_commit() {
    let lab = GitLab::new();
    lab.work("empty");
    lab.publish("empty");
    let url = lab.host.url("open/empty.git");
    let answer = lab.clone(&url, "empty").expect(200).json();
    assert_eq!(
        (&answer["branch"], &answer["commit"]),
        (&json!("main"), &json!(null))
    );
    lab.clone_with(&url, "other", json!({"branch": "other"}))
        .expect(404);
    lab.expect_only(&["empty"]);
}

#[test]
fn an_empty_directory_is_filled_and_stays_whose_it_is() {
    let lab = GitLab::new();
    let empty = lab.path("root/empty");
    fs::create_dir(&empty).unwrap();
    std::os::unix::fs::chown(&empty, Some(1234), Some(1235)).unwrap();
    fs::set_permissions(&empty, PermissionsExt::from_mode(0o750)).unwrap();
    symlink("empty", lab.path("root/link")).unwrap();
    lab.clone(&lab.host.url("open/a.git"), "link").expect(200);
    let meta = empty.metadata().unwrap();
    assert_eq!(
        (meta.mode() & 0o7777, meta.uid(), meta.gid()),
        (0o750, 1234, 1235)
    );
    assert_eq!(lab.text("root/empty/file"), "2");
    assert!(lab.path("root/link").is_symlink());
    lab.expect_only(&["empty", "link"]);
}

#[test]
fn an_allowed_directory_itself_is_filled() {
    let lab = GitLab::new();
    let url = lab.host.url("open/a.git");
    lab.clone(&url, "").expect(200);
    assert_eq!(lab.text("root/file"), "2");
    assert_eq!(git(&lab.path("root"), &["status", "--porcelain"]), "");
    lab.clone(&url, "").expect(409);
    lab.expect_only(&[".git", "file"]);
}

#[test]
fn links_of_a_repository_are_stored_and_not_followed() {
    let lab = GitLab::new();
    let work = lab.work("links");
    symlink("/etc", work.join("out")).unwrap();
    symlink("../../outside/new", work.join("up")).unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", "links"]);
    lab.publish("links");
    lab.clone(&lab.host.url("open/links.git"), "links")
        .expect(200);
    let target = |name: &str| fs::read_link(lab.path("root/links").join(name)).unwrap();
    assert_eq!(target("out").to_str(), Some("/etc"));
    assert_eq!(target("up").to_str(), Some("../../outside/new"));
    lab.files.write("root/links/out/x", "").expect(403);
    lab.files.write("root/links/up", "").expect(403);
    assert_eq!(lab.files.names("outside").len(), 0);
}

#[test]
fn of_many_at_the_same_time_one_has_the_target() {
    let lab = GitLab::new();
    let url = lab.host.url("open/a.git");
    for below in ["same", "deep/er", ""] {
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let clones: Vec<_> = (0..5)
                .map(|_| scope.spawn(|| lab.clone(&url, below).status))
                .collect();
            clones.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let count = |status| statuses.iter().filter(|found| **found == status).count();
        assert_eq!((count(200), count(409)), (1, 4), "{statuses:?}");
        let tree = lab.path("root").join(below);
        assert_eq!(git(&tree, &["status", "--porcelain"]), "");
        fs::remove_dir_all(lab.path("root")).unwrap();
        fs::create_dir(lab.path("root")).unwrap();
    }
    lab.expect_only(&[]);
}

/// The machine's own settings, wherever git looks for them, would have a hook run.
#[test]
fn the_machines_own_settings_have_no_say() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).display().to_string();
    fs::create_dir_all(place.path().join("template/hooks")).unwrap();
    let hook = format!("#!/bin/sh\ntouch {}\n", path("ran"));
    for name in ["post-checkout", "template/hooks/post-checkout"] {
        fs::write(path(name), &hook).unwrap();
        fs::set_permissions(path(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let settings = format!(
        "[core]\n\thooksPath = {}\n[init]\n\ttemplateDir = {}\n",
        path(""),
        path("template")
    );
    for name in [".gitconfig", "system"] {
        fs::write(path(name), &settings).unwrap();
    }
    // Where git looks depends on where it was installed.
    let script = format!(
        "for etc in /etc /usr/local/etc; do
            mkdir -p {0}$etc $etc; cp -a $etc/. {0}$etc; cp {0}/system {0}$etc/gitconfig
            mount --bind {0}$etc $etc
        done",
        place.path().display()
    );
    let lab = GitLab::with(|setup| {
        setup
            .env("HOME", place.path())
            .env("GIT_TEMPLATE_DIR", path("template"))
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "core.hooksPath")
            .env("GIT_CONFIG_VALUE_0", path(""))
            .in_own_mounts(&script)
    });
    lab.clone(&lab.host.url("open/a.git"), "a").expect(200);
    assert!(!place.path().join("ran").exists());
    assert!(!lab.path("root/a/.git/hooks").exists());
}

#[test]
fn the_key_is_always_needed() {
    let agent: Agent = Setup::new()
        .env("NODE_AGENT_REQUIRE_AUTH_ALWAYS", "false")
        .start();
    let answer = agent.connect().request("POST", "/git/clone", &[], b"{}");
    assert_eq!(answer.status, 401);
}
