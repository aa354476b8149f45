//! What is not cloned, and what is said about it. Nothing is ever left.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::git_lab::GitLab;

#[test]
fn addresses_of_other_forms_are_refused_by_name() {
    let lab = GitLab::new();
    let marker = lab.path("marker");
    let touch = format!("touch% {}", marker.display());
    for url in [
        format!("ext::sh -c {touch}"),
        format!("ext::sh%20-c%20{touch}"),
        "ext::x".to_owned(),
        "fd::7".to_owned(),
        format!("file://{}/a.git", lab.repositories().display()),
        format!("{}/a.git", lab.repositories().display()),
        "../repositories/a.git".to_owned(),
        "a.git".to_owned(),
        format!("-u{}", marker.display()),
        format!("--upload-pack=touch {}", marker.display()),
        "--config=core.sshCommand=x".to_owned(),
        format!("ssh://-oProxyCommand=touch%20{}/a", marker.display()),
        format!("-oProxyCommand=touch${{IFS}}{}:a", marker.display()),
        format!("x@-oProxyCommand=touch${{IFS}}{}:a", marker.display()),
        "http://h/a\nb".to_owned(),
        "http://h/a\u{0}b".to_owned(),
        "ftp://h/a".to_owned(),
        String::new(),
    ] {
        let answer = lab.clone(&url, "no").expect(400);
        assert!(
            answer.error().starts_with("field `url` "),
            "{url}: {}",
            answer.text()
        );
    }
    assert!(!marker.exists());
    lab.expect_only(&[]);
}

#[test]
fn fields_that_make_no_sense_are_named() {
    let lab = GitLab::new();
    let url = lab.host.url("open/a.git");
    for (more, field) in [
        (json!({"branch": "-ux"}), "branch"),
        (json!({"branch": "--upload-pack=x"}), "branch"),
        (json!({"branch": "a..b"}), "branch"),
        (json!({"branch": "a b"}), "branch"),
        (json!({"branch": "a\nb"}), "branch"),
        (json!({"branch": 1}), "branch"),
        (json!({"depth": 0}), "depth"),
        (json!({"depth": -1}), "depth"),
        (json!({"depth": "1"}), "depth"),
        (json!({"depth": 4_294_967_297_i64}), "depth"),
        (json!({"recursive": "yes"}), "recursive"),
        (json!({"username": "a\nb", "password": "x"}), "username"),
        (json!({"username": "a", "password": "x\ny"}), "password"),
        (json!({"password": "x"}), "username"),
    ] {
        let answer = lab.clone_with(&url, "no", more.clone()).expect(400);
        assert!(
            answer.error().starts_with(&format!("field `{field}`")),
            "{more}: {}",
            answer.text()
        );
    }
    let agent = &lab.files.agent;
    for body in [json!({"url": url}), json!({"target_path": "/x"})] {
        agent.post("/git/clone", &body).expect(400);
    }
    assert_eq!(lab.host.seen().len(), 0);
    lab.expect_only(&[]);
}

#[test]
fn targets_are_below_the_allowed_directories_and_empty() {
    let lab = GitLab::new();
    let url = lab.host.url("open/a.git");
    std::os::unix::fs::symlink("../outside", lab.path("root/out")).unwrap();
    std::fs::write(lab.path("root/file"), "kept").unwrap();
    for (below, status) in [
        ("../outside/x", 403),
        ("out", 403),
        ("out/x", 403),
        ("file", 409),
        ("file/x", 409),
        (".node-agent-x", 400),
    ] {
        let answer = lab.clone(&url, below);
        assert_eq!(answer.status, status, "{below}: {}", answer.text());
    }
    let body = json!({"url": url, "target_path": "relative"});
    lab.files.agent.post("/git/clone", &body).expect(400);
    lab.clone(&url, "taken").expect(200);
    let answer = lab.clone(&url, "taken").expect(409);
    assert!(
        answer.error().ends_with("root/taken is not empty"),
        "{}",
        answer.text()
    );
    assert_eq!(lab.files.names("outside").len(), 0);
    lab.expect_only(&["file", "out", "taken"]);
}

#[test]
fn what_the_other_side_has_not_is_said() {
    let lab = GitLab::new();
    let refused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (url, more, status, sentence) in [
        (
            lab.host.url("open/a.git"),
            json!({"branch": "no"}),
            404,
            "has no branch or tag `no`",
        ),
        (
            lab.host.url("open/no.git"),
            json!({}),
            404,
            "does not exist",
        ),
        (
            lab.host.url("forbidden/a.git"),
            json!({}),
            401,
            "wants a login",
        ),
        (
            lab.host.url("broken/a.git"),
            json!({}),
            502,
            "or its host failed",
        ),
        (
            format!("http://{refused}/a.git"),
            json!({}),
            502,
            "cannot be reached",
        ),
        (
            format!("git://{refused}/a.git"),
            json!({}),
            502,
            "cannot be reached",
        ),
        (
            format!("ssh://git@{refused}/a.git"),
            json!({}),
            502,
            "cannot be reached",
        ),
        (
            "https://no-such-host.invalid/a.git".to_owned(),
            json!({}),
            502,
            "no-such-host.invalid",
        ),
        (
            "git@no-such-host.invalid:a.git".to_owned(),
            json!({}),
            502,
            "no-such-host.invalid",
        ),
    ] {
        let answer = lab.clone_with(&url, "x/y", more);
        assert_eq!(answer.status, status, "{url}: {}", answer.text());
        assert!(answer.error().contains(sentence), "{}", answer.text());
    }
    lab.expect_only(&[]);
}

/// Nothing listens there, and nothing says so: its queue of connections is full.
#[test]
fn a_host_that_does_not_answer_is_given_up_soon() {
    let lab = GitLab::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(one) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        waiting.push(one);
    }
    let started = Instant::now();
    let answer = lab
        .clone(&format!("http://{address}/a.git"), "no")
        .expect(504);
    assert!(
        answer.error().contains("cannot be reached"),
        "{}",
        answer.text()
    );
    assert!(started.elapsed() < Duration::from_secs(15));
    lab.expect_only(&[]);
}

/// Something that is no file lies over each git of this machine.
#[test]
fn without_git_it_is_said_what_is_missing() {
    let lab = GitLab::with(|setup| {
        setup.in_own_mounts(
            "for git in /usr/local/sbin/git /usr/local/bin/git /usr/sbin/git /usr/bin/git /sbin/git /bin/git; do \
             [ ! -e $git ] || mount --bind /dev/null $git; done",
        )
    });
    let answer = lab.clone(&lab.host.url("open/a.git"), "no").expect(503);
    assert!(
        answer.error().starts_with("git is not installed"),
        "{}",
        answer.text()
    );
    lab.expect_only(&[]);
}
