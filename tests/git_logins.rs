//! Names and passwords: who gets them, and who never sees them.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::Response;
use crate::support::git_host::{ENCODED_PASSWORD, GitHost, PASSWORD, TOKEN, USER, basic};
use crate::support::git_lab::GitLab;
use crate::support::process::command_lines;

/// Everything that the password could be recognised by.
fn secrets() -> [String; 4] {
    let encoded = basic(USER, PASSWORD).replace("Basic ", "");
    [
        PASSWORD.to_owned(),
        ENCODED_PASSWORD.to_owned(),
        encoded,
        TOKEN.to_owned(),
    ]
}

#[track_caller]
fn expect_no_secret(what: &str, text: &str) {
    for secret in secrets() {
        assert!(!text.contains(&secret), "{what}: {text}");
    }
}

/// Looks at all files below `place`.
fn expect_no_secret_below(place: &Path) {
    for entry in std::fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            expect_no_secret_below(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            expect_no_secret(
                &path.display().to_string(),
                &String::from_utf8_lossy(&bytes),
            );
        }
    }
}

fn expect_no_secret_left(lab: &GitLab, answer: &Response) {
    expect_no_secret("the answer", &answer.text());
    expect_no_secret_below(&lab.path("root"));
    expect_no_secret_below(&lab.path("state"));
    expect_no_secret("the log", &lab.files.agent.log().join("\n"));
}

#[test]
fn logins_are_used_wherever_they_come_from() {
    let lab = GitLab::new();
    let plain = lab.host.url("private/a.git");
    let both = format!("{USER}:{ENCODED_PASSWORD}");
    for (number, (url, more)) in [
        (
            plain.clone(),
            json!({"username": USER, "password": PASSWORD}),
        ),
        (lab.host.url_with(&both, "private/a.git"), json!({})),
        (
            lab.host.url_with(USER, "private/a.git"),
            json!({"password": PASSWORD}),
        ),
        (lab.host.url_with(TOKEN, "token/a.git"), json!({})),
        (lab.host.url("token/a.git"), json!({"username": TOKEN})),
        // Nobody asks for it.
        (lab.host.url_with(&both, "open/a.git"), json!({})),
    ]
    .into_iter()
    .enumerate()
    {
        let below = number.to_string();
        let answer = lab.clone_with(&url, &below, more).expect(200);
        assert_eq!(lab.text(&format!("root/{below}/file")), "2");
        let configuration = lab.text(&format!("root/{below}/.git/config"));
        assert!(!configuration.contains('@') && !configuration.contains("credential"));
        expect_no_secret_left(&lab, &answer);
    }
}

#[test]
fn wrong_logins_are_refused_and_not_repeated() {
    let lab = GitLab::new();
    let plain = lab.host.url("private/a.git");
    for (url, more) in [
        (
            plain.clone(),
            json!({"username": USER, "password": format!("{PASSWORD}x")}),
        ),
        (
            plain.clone(),
            json!({"username": "other", "password": PASSWORD}),
        ),
        (lab.host.url_with(TOKEN, "private/a.git"), json!({})),
        (
            lab.host
                .url_with(&format!("x:{ENCODED_PASSWORD}"), "private/a.git"),
            json!({}),
        ),
    ] {
        let answer = lab.clone_with(&url, "no", more).expect(401);
        assert!(
            answer
                .error()
                .contains("refuses this username and password"),
            "{}",
            answer.text()
        );
        expect_no_secret_left(&lab, &answer);
    }
    let answer = lab.clone(&plain, "no").expect(401);
    assert!(
        answer.error().contains("wants a login"),
        "{}",
        answer.text()
    );
    for url in [
        format!("ssh://{USER}:{ENCODED_PASSWORD}@h/a"),
        format!("{USER}:{PASSWORD}@h:a"),
        format!("http://{USER}:{PASSWORD}@h/a"),
        format!("http://{USER}:{ENCODED_PASSWORD}@h/a?b"),
    ] {
        let answer = lab.clone(&url, "no").expect(400);
        expect_no_secret_left(&lab, &answer);
    }
    let body = lab.body(
        &plain,
        "no",
        json!({"username": USER, "password": [PASSWORD]}),
    );
    let answer = lab.files.agent.post("/git/clone", &body).expect(400);
    expect_no_secret_left(&lab, &answer);
    lab.expect_only(&[]);
}

/// Lets the host go on when it is dropped, also when the test fails.
struct Release<'h>(&'h GitHost);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// Whoever may look at /proc sees arguments; the environment of root's processes is root's.
#[test]
fn no_process_has_it_in_its_arguments() {
    let lab = GitLab::new();
    let mut seen_git = false;
    std::thread::scope(|scope| {
        let release = Release(&lab.host);
        let cloning = scope.spawn(|| {
            let url = lab.host.url_with(USER, "slow/a.git");
            lab.clone_with(&url, "a", json!({"password": PASSWORD}))
        });
        while !cloning.is_finished() {
            for (_, line) in command_lines("") {
                expect_no_secret("arguments", &line);
                seen_git |= line.contains(&lab.host.address().to_string());
            }
            if seen_git && lab.host.is_slow_asked() {
                lab.host.release();
            }
        }
        let answer = cloning.join().unwrap().expect(200);
        expect_no_secret_left(&lab, &answer);
        drop(release);
    });
    assert!(seen_git, "git was not seen at work");
}

#[test]
fn another_host_does_not_get_it() {
    let lab = GitLab::new();
    let other = GitHost::start(&lab.repositories());
    lab.host.elsewhere(other.address());
    let login = json!({"username": USER, "password": PASSWORD});
    let url = lab.host.url("moved/a.git");
    let answer = lab.clone_with(&url, "no", login.clone()).expect(401);
    assert!(
        answer.error().contains("leads to another host"),
        "{}",
        answer.text()
    );
    let details = answer.json()["details"].as_str().unwrap().to_owned();
    assert!(details.contains(&other.address().to_string()), "{details}");
    let seen = other.seen();
    assert!(
        !seen.is_empty() && seen.iter().all(|one| one.authorization.is_none()),
        "{seen:?}"
    );
    // The same host may send it on to itself.
    lab.host.elsewhere(lab.host.address());
    lab.clone_with(&url, "a", login).expect(200);
    lab.expect_only(&["a"]);
}

/// The very program that the agent runs answers git; nobody else gets anything out of it.
#[test]
fn the_helper_tells_nobody_who_has_nothing() {
    use std::io::Write;
    use std::process::Stdio;
    for operation in ["get", "store", "erase"] {
        let mut helper = crate::support::agent::program()
            .args(["git-credential", operation])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let question = b"protocol=http\nhost=127.0.0.1\n\n";
        // What is no question is not read.
        let _ = helper.stdin.take().unwrap().write_all(question);
        let output = helper.wait_with_output().unwrap();
        assert!(
            output.status.success() && output.stdout.is_empty(),
            "{output:?}"
        );
    }
}

#[test]
fn a_submodule_gets_it_on_the_same_host_alone() {
    let lab = GitLab::new();
    let other = GitHost::start(&lab.repositories());
    let login: Value = json!({"username": USER, "password": PASSWORD, "recursive": true});
    for (name, host) in [("same", &lab.host), ("other", &other)] {
        lab.with_submodule(name, &host.url("private/a.git"));
    }
    lab.clone_with(&lab.host.url("private/same.git"), "same", login.clone())
        .expect(200);
    assert_eq!(lab.text("root/same/sub/file"), "2");
    let answer = lab
        .clone_with(&lab.host.url("private/other.git"), "no", login)
        .expect(401);
    assert!(
        answer.error().starts_with("a submodule of "),
        "{}",
        answer.text()
    );
    let seen = other.seen();
    assert!(
        !seen.is_empty() && seen.iter().all(|one| one.authorization.is_none()),
        "{seen:?}"
    );
    lab.expect_only(&["same"]);
}

#[test]
fn a_password_that_is_in_other_words_too_is_refused_like_any_other() {
    let lab = GitLab::new();
    for password in ["a", "Authentication failed for "] {
        let login = json!({"username": USER, "password": password});
        let answer = lab.clone_with(&lab.host.url("private/a.git"), "no", login);
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
}
