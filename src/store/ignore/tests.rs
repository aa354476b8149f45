//! Which files of a context are sent.
#![forbid(unsafe_code)]

use super::{IgnoreError, Rules, Verdicts};

/// Whether `path` is left out, found as a walk finds it: from the top down.
fn is_left_out(rules: &Rules, path: &str) -> bool {
    let mut above = Verdicts::default();
    let ends = path.match_indices('/').map(|(at, _)| at);
    for end in ends {
        let mut own = Verdicts::default();
        let directory = &path.as_bytes()[..end];
        if rules.leaves_out(directory, &above, &mut own) && !rules.looks_into(directory) {
            return true;
        }
        above = own;
    }
    rules.leaves_out(path.as_bytes(), &above, &mut Verdicts::default())
}

fn left_out<'a>(ignore_file: &str, paths: &[&'a str]) -> Vec<&'a str> {
    let rules = Rules::new(ignore_file.as_bytes(), b"Dockerfile").unwrap();
    let paths = paths.iter().copied();
    paths.filter(|path| is_left_out(&rules, path)).collect()
}

#[test]
fn patterns_mean_paths_from_the_top() {
    let paths = ["a", "a/b", "a/b/c", "b", "b/a", "ab", "a.log", "b/a.log"];
    for (file, wanted) in [
        ("", vec![]),
        ("a", vec!["a", "a/b", "a/b/c"]),
        ("/a/", vec!["a", "a/b", "a/b/c"]),
        ("*/a", vec!["b/a"]),
        ("**/a", vec!["a", "a/b", "a/b/c", "b/a"]),
        ("a*", vec!["a", "a/b", "a/b/c", "ab", "a.log"]),
        ("a/**", vec!["a/b", "a/b/c"]),
        ("a**", vec!["a", "a/b", "a/b/c", "ab", "a.log"]),
        ("**.log", vec!["a.log", "b/a.log"]),
        ("*.log", vec!["a.log"]),
        ("?", vec!["a", "a/b", "a/b/c", "b", "b/a", "b/a.log"]),
        ("[^a]", vec!["b", "b/a", "b/a.log"]),
        ("a/*/c", vec!["a/b/c"]),
        ("a/**/c", vec!["a/b/c"]),
        ("**/b/../a.log", vec!["a.log", "b/a.log"]),
        ("# a\n #\n/", vec![]),
        (".", vec![]),
        ("..", vec![]),
    ] {
        assert_eq!(left_out(file, &paths), wanted, "{file:?}");
    }
}

#[test]
fn the_last_match_wins() {
    let paths = ["a", "a/b", "a/c", "a/b/d", "e"];
    for (file, wanted) in [
        ("a\n!a", vec![]),
        ("a\n!a/b", vec!["a", "a/c"]),
        ("a\n!a/b\na/b/d", vec!["a", "a/c", "a/b/d"]),
        ("!a\na", vec!["a", "a/b", "a/c", "a/b/d"]),
        ("*\n!a/b/d", vec!["a", "a/b", "a/c", "e"]),
        // Only the text of an exception keeps a directory from being skipped.
        ("a\n!**/b", vec!["a", "a/b", "a/c", "a/b/d"]),
        ("a\n!a/*", vec!["a"]),
        ("a/b\n!a/?/d", vec!["a/b", "a/b/d"]),
        // Left out by its directory, and the exception for the directory means it too.
        ("**\n!a", vec!["e"]),
    ] {
        assert_eq!(left_out(file, &paths), wanted, "{file:?}");
    }
}

#[test]
fn the_dockerfile_and_the_rules_are_always_sent() {
    let rules = Rules::new(b"*", b"docker/Dockerfile").unwrap();
    for (path, wanted) in [
        (".dockerignore", false),
        ("Dockerfile", true),
        ("docker", true),
        ("docker/Dockerfile", false),
        ("docker/other", true),
    ] {
        assert_eq!(is_left_out(&rules, path), wanted, "{path}");
    }
}

#[test]
fn bad_rules_are_refused() {
    let error = |file: &[u8]| Rules::new(file, b"Dockerfile").unwrap_err();
    for file in ["!", "a\n! ", "!/", "! /"] {
        assert_eq!(
            error(file.as_bytes()),
            IgnoreError::NothingExcepted,
            "{file}"
        );
    }
    for file in ["[", "a[", "![]", "a\\", "[z-a]", "\\q", "[a-]"] {
        let error = error(file.as_bytes());
        assert!(matches!(error, IgnoreError::BadPattern { .. }), "{file}");
    }
}
