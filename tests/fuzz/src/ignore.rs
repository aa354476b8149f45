//! `.dockerignore`: what is left out, against a matcher that tries everything, for patterns of a few letters.

use node_agent::store::ignore::{Rules, Verdicts};

const PATHS: &[&str] = &[
    "a", "b", "ab", "a/b", "a/a", "a/b/c", "b/c", "a/ab/c", "aa", "abc", "c/c/c/c", "b/a/b", ".a",
    "a.b", "a/.b", "ba/cb",
];

pub fn check(data: &[u8]) {
    let Ok(rules) = Rules::new(data, b"Dockerfile") else {
        return;
    };
    assert!(!left_out(&rules, "Dockerfile") || data.contains(&b'*'));
    let found: Vec<bool> = PATHS.iter().map(|path| left_out(&rules, path)).collect();
    // Comments and empty lines say nothing.
    let commented = [data, b"\n# a\n\n   \n"].concat();
    if let Ok(again) = Rules::new(&commented, b"Dockerfile") {
        assert!(
            PATHS
                .iter()
                .map(|path| left_out(&again, path))
                .eq(found.iter().copied())
        );
    }
    let Some(patterns) = simple(data) else {
        return;
    };
    for (path, found) in PATHS.iter().zip(found) {
        assert_eq!(found, expected(&patterns, path), "{path} by {patterns:?}");
    }
}

/// `MatchesUsingParentResults`: a pattern that could not change the verdict is not compared, and counts as no match for
/// what is below (so `b/c` stays out with the lines `*/c` and `!*`).
fn expected(patterns: &[(bool, &[u8])], path: &str) -> bool {
    let mut above = vec![false; patterns.len()];
    let mut is_out = false;
    for end in ends(path) {
        is_out = false;
        for (matched, (is_exception, pattern)) in above.iter_mut().zip(patterns) {
            *matched |= *is_exception == is_out && matches(pattern, &path.as_bytes()[..end]);
            if *matched {
                is_out = !is_exception;
            }
        }
    }
    is_out
}

/// Where the names of the directories and that of `path` itself end.
fn ends(path: &str) -> impl Iterator<Item = usize> {
    path.match_indices('/')
        .map(|(end, _)| end)
        .chain([path.len()])
}

/// As the walk asks: directory by directory.
fn left_out(rules: &Rules, path: &str) -> bool {
    let (mut above, mut own) = (Verdicts::default(), Verdicts::default());
    let mut is_out = false;
    for end in ends(path) {
        is_out = rules.leaves_out(&path.as_bytes()[..end], &above, &mut own);
        std::mem::swap(&mut above, &mut own);
    }
    is_out
}

/// The patterns, when all are of letters, dots, slashes, `?`, `*`, and need no cleaning. A `**` is a part of its own, as
/// the documentation has it; what moby makes of others (`a**b`) is compared with the CLI in `tests/context.rs`.
fn simple(data: &[u8]) -> Option<Vec<(bool, &[u8])>> {
    let mut patterns = Vec::new();
    for line in data.split(|byte| *byte == b'\n') {
        let (is_exception, pattern) = match line {
            [] => continue,
            [b'!', rest @ ..] => (true, rest),
            _ => (false, line),
        };
        let is_simple = |part: &[u8]| {
            let is_known = |byte: &u8| byte.is_ascii_lowercase() || b".?*".contains(byte);
            !part.is_empty()
                && !matches!(part, b"." | b"..")
                && part.iter().all(is_known)
                && (part == b"**" || !part.windows(2).any(|two| two == b"**"))
        };
        let mut parts = pattern.split(|byte| *byte == b'/');
        if !parts.all(is_simple) {
            return None;
        }
        patterns.push((is_exception, pattern));
    }
    Some(patterns)
}

fn matches(pattern: &[u8], path: &[u8]) -> bool {
    match (pattern, path) {
        (b"**", _) => true,
        ([b'*', b'*', b'/', rest @ ..], _) => {
            let mut starts = (0..path.len()).filter(|at| *at == 0 || path[at - 1] == b'/');
            starts.any(|at| matches(rest, &path[at..]))
        }
        ([], _) => path.is_empty(),
        ([b'*', rest @ ..], _) => {
            let end = path
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(path.len());
            (0..=end).any(|count| matches(rest, &path[count..]))
        }
        ([b'?', rest @ ..], [byte, others @ ..]) => *byte != b'/' && matches(rest, others),
        ([letter, rest @ ..], [byte, others @ ..]) => letter == byte && matches(rest, others),
        (_, []) => false,
    }
}
