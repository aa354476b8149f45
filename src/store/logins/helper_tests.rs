//! Lookups, in the file and with real helpers.
#![forbid(unsafe_code)]

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::fixture::Fixture;
use super::{Asker, HelperFailure, LoginError};

/// Answers `get` with the server's address as the user.
const ECHO: &str =
    r#"[ "$1" = get ] && printf '{"Username":"%s","Secret":"from-helper"}' "$(cat)""#;

#[test]
fn the_file_is_read_as_the_cli_reads_it() {
    // dXNlcjpwYTpzcw== is user:pa:ss, dXNlcjo= is user:, OnBhc3M= is :pass.
    let fixture = Fixture::new(
        r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "dXNlcjpwYTpzcw=="},
            "a:5000": {"username": "u", "password": "p", "unknown": 1},
            "https://url.example/v2/": {"auth": "dXNlcjpwYTpzcw=="},
            "both": {"auth": "dXNlcjpwYTpzcw==", "username": "other"},
            "token": {"auth": "dXNlcjo=", "identitytoken": "t"},
            "empty": {}, "null": null,
            "bad1": {"auth": "%%"}, "bad2": {"auth": "OnBhc3M="}, "bad3": {"auth": 1}, "bad4": []
        }, "credHelpers": null, "httpHeaders": {"a": "b"}}"#,
    );
    for (registry, found) in [
        ("docker.io", Some("user:pa:ss:")),
        ("registry-1.docker.io", Some("user:pa:ss:")),
        ("a:5000", Some("u:p:")),
        ("a", None),
        ("url.example", Some("user:pa:ss:")),
        ("both", Some("user:pa:ss:")),
        ("token", Some("user::t")),
        ("empty", None),
        ("null", None),
    ] {
        assert_eq!(fixture.found(registry).as_deref(), found, "{registry}");
    }
    assert!(fixture.logins.find(None, None).unwrap().is_some());
    for registry in ["bad1", "bad2", "bad3", "bad4"] {
        let error = fixture.find(registry).unwrap_err();
        assert!(matches!(error, LoginError::Entry { .. }), "{error}");
        assert!(error.to_string().contains(registry));
    }
}

#[test]
fn no_file_is_no_login_and_a_damaged_one_an_error_that_quotes_nothing() {
    assert_eq!(Fixture::empty().found("a"), None);
    assert_eq!(Fixture::new(" \n").found("a"), None);
    for damaged in [
        "[]",
        r#"{"auths": {"a": {"auth": "hunter2""#,
        r#"{"auths": "hunter2"}"#,
        "hunter2",
    ] {
        let error = Fixture::new(damaged).find("a").unwrap_err();
        assert!(matches!(error, LoginError::Unreadable { .. }), "{error}");
        assert!(!format!("{error}{:?}{error:?}", error.words()).contains("hunter2"));
    }
}

#[test]
fn a_helper_of_its_own_comes_before_the_one_for_all_and_that_before_the_file() {
    let config = r#"{"auths": {"a": {"username": "file", "password": "p"}, "b": {"username": "file", "password": "p"}},
        "credHelpers": {"a": "own", "b": "", "docker.io": "own"}, "CREDSSTORE": "all"}"#;
    let fixture = Fixture::new(config).helper("own", ECHO).helper(
        "all",
        r#"printf '{"Username":"<token>","Secret":"for-all"}'"#,
    );
    for (registry, found) in [
        ("a", "a:from-helper:"),
        ("b", "file:p:"),
        ("c", "::for-all"),
        (
            "index.docker.io",
            "https://index.docker.io/v1/:from-helper:",
        ),
    ] {
        assert_eq!(
            fixture.found(registry).as_deref(),
            Some(found),
            "{registry}"
        );
    }
}

#[test]
fn a_helper_without_a_login_is_no_error() {
    let script = "echo credentials not found in native keychain; exit 1";
    let config = r#"{"auths": {"a": {"username": "u", "password": "p"}}, "credsStore": "none"}"#;
    let fixture = Fixture::new(config).helper("none", script).helper(
        "empty",
        r#"echo '{"ServerURL":"","Username":"","Secret":""}'"#,
    );
    assert_eq!(fixture.found("a"), None);
    let fixture = Fixture::new(r#"{"credsStore": "empty"}"#).helper(
        "empty",
        r#"echo '{"ServerURL":"","Username":"","Secret":""}'"#,
    );
    assert_eq!(fixture.found("a"), None);
}

/// What goes wrong with a helper that is this script.
fn failure(script: &str) -> LoginError {
    let fixture = Fixture::new(r#"{"credHelpers": {"a": "x"}}"#).helper("x", script);
    let error = fixture.find("a").unwrap_err();
    assert!(
        error.to_string().contains("`docker-credential-x`"),
        "{error}"
    );
    assert!(!format!("{error}{:?}{error:?}", error.words()).contains("hunter2"));
    error
}

#[test]
fn a_failing_helper_is_told_in_its_own_words() {
    let error = failure("echo the keychain is locked; echo really >&2; exit 1");
    assert_eq!(
        error.to_string(),
        "the credential helper `docker-credential-x` failed with exit code 1"
    );
    assert_eq!(error.words().unwrap(), "the keychain is locked\nreally");
    // Only a failure means that there is none.
    failure("echo credentials not found in native keychain");
    let long = failure("yes ü | head -c 100000; exit 1").words().unwrap();
    assert!(long.len() <= 1024 && long.starts_with("ü\n"));
    assert!(failure("kill -9 $$").to_string().ends_with("signal 9"));
}

#[test]
fn a_helper_that_lies_is_an_error_that_quotes_nothing() {
    for script in [
        "echo hunter2",
        r#"echo '{"Username":1,"Secret":"hunter2"}'"#,
        r#"echo '["hunter2"]'"#,
        r#"echo '{"Username":"u","Secret":"hunter2"}'; head -c 100000 /dev/zero"#,
        "true",
    ] {
        let error = failure(script);
        let is_nonsense = |error: &LoginError| {
            matches!(
                error,
                LoginError::Helper {
                    failure: HelperFailure::Nonsense,
                    ..
                }
            )
        };
        assert!(is_nonsense(&error), "{script}: {error}");
    }
    let answer_and_failure = r#"echo '{"Username":"u","Secret":"hunter2"}'; exit 1"#;
    assert_eq!(failure(answer_and_failure).words(), None);
}

#[test]
fn a_helper_that_is_missing_or_oddly_named_is_an_error() {
    for (name, sentence) in [
        ("none-such", "not in the agent's PATH"),
        ("../x", "no program should have"),
        ("a b", "no program should have"),
    ] {
        let config = format!(r#"{{"credsStore": "{name}"}}"#);
        let error = Fixture::new(&config).find("a").unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
}

#[test]
fn a_hanging_helper_is_given_up() {
    let fixture = Fixture::new(r#"{"credsStore": "x"}"#).helper("x", "exec sleep 1000");
    let text = fixture.logins.read().unwrap();
    let ask = |client, patience| {
        let asker = Asker { client, patience };
        let config = text.parse().unwrap();
        fixture.logins.find_in(&config, "a", asker).unwrap_err()
    };
    let error = ask(None, Duration::from_millis(100));
    assert!(error.to_string().contains("did not answer"), "{error}");
    let (near, far) = UnixStream::pair().unwrap();
    drop(near);
    let error = ask(Some(far.as_fd()), Duration::from_secs(60));
    assert!(matches!(error, LoginError::Abandoned), "{error}");
}

#[test]
fn all_logins_are_those_of_the_file_and_of_single_helpers() {
    let config = r#"{"auths": {"a": {"username": "u", "password": "p"}, "bad": {"auth": "%"}},
        "credHelpers": {"b": "echo", "c": "fails"}}"#;
    let fixture = Fixture::new(config)
        .helper("echo", ECHO)
        .helper("fails", "echo locked; exit 1");
    let all = fixture.logins.all(None).unwrap();
    let servers: Vec<_> = all.logins.keys().map(String::as_str).collect();
    assert_eq!(servers, ["a", "b"]);
    assert_eq!(all.warnings.len(), 2, "{:?}", all.warnings);
    assert!(
        all.warnings[1].contains("docker-credential-fails") && all.warnings[1].ends_with("locked")
    );
}

#[test]
fn all_logins_are_those_that_the_helper_for_all_lists() {
    let list = r#"case "$1" in
        list) echo '{"a": "u", "broken": "u"}' ;;
        get) server=$(cat); [ "$server" = a ] || { echo torn; exit 1; }; echo '{"Username":"u","Secret":"p"}' ;;
        esac"#;
    let config = r#"{"auths": {"c": {"username": "u", "password": "p"}}, "credsStore": "x"}"#;
    let all = Fixture::new(config)
        .helper("x", list)
        .logins
        .all(None)
        .unwrap();
    assert_eq!(all.logins.into_keys().collect::<Vec<_>>(), ["a"]);
    assert!(all.warnings.len() == 1 && all.warnings[0].ends_with("torn"));
}
