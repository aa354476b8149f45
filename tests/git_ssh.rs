//! Repositories behind a real sshd.

use serde_json::json;

use crate::support::git_lab::GitLab;
use crate::support::ssh_host::{ALIAS, SshHost};

#[test]
fn a_repository_is_cloned_with_roots_key() {
    let host = SshHost::start();
    let lab = GitLab::with(|setup| host.client(setup));
    let path = lab.repositories().join("a.git").display().to_string();
    let port = host.port();
    let url = format!("ssh://127.0.0.1:{port}{path}");
    let answer = lab
        .clone_with(&url, "a", json!({"username": "root"}))
        .expect(200);
    assert_eq!(answer.json()["commit"], json!(lab.commit("a", "main")));
    assert!(
        lab.text("root/a/.git/config")
            .contains("ssh://root@127.0.0.1")
    );
    assert!(host.known_hosts() > 0);
    lab.clone(&format!("root@{ALIAS}:{path}"), "b").expect(200);
    let missing = lab
        .clone(&format!("root@{ALIAS}:{path}x"), "no")
        .expect(404);
    assert!(
        missing.error().contains("does not exist"),
        "{}",
        missing.text()
    );
    lab.expect_only(&["a", "b"]);
}

#[test]
fn who_is_not_let_in_is_told_and_never_asked() {
    let host = SshHost::start();
    let lab = GitLab::with(|setup| host.client(setup));
    host.deny();
    let url = format!(
        "root@{ALIAS}:{}",
        lab.repositories().join("a.git").display()
    );
    let answer = lab.clone(&url, "no").expect(401);
    assert!(
        answer.error().contains("wants a login"),
        "{}",
        answer.text()
    );
    lab.expect_only(&[]);
}

#[test]
fn a_host_with_another_key_than_before_is_refused() {
    let mut host = SshHost::start();
    let lab = GitLab::with(|setup| host.client(setup));
    let url = format!(
        "root@{ALIAS}:{}",
        lab.repositories().join("a.git").display()
    );
    lab.clone(&url, "a").expect(200);
    let known = host.known_hosts();
    host.change_key();
    let answer = lab.clone(&url, "no").expect(502);
    assert!(answer.error().contains("known_hosts"), "{}", answer.text());
    assert_eq!(host.known_hosts(), known);
    lab.expect_only(&["a"]);
}
