//! The dependency rule of `src/lib.rs`, enforced: modules use what stands below them, never what stands above.

use std::path::{Path, PathBuf};

/// What each module may name of the crate, besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "server", "client", "install", "api", "engine", "host", "store", "config", "sys",
            "log", "limits", "clock",
        ],
    ),
    ("client", &["store", "config", "sys", "limits", "clock"]),
    (
        "server",
        &[
            "api", "config", "wire", "sys", "log", "limits", "clock", "cidr",
        ],
    ),
    (
        "api",
        &[
            "engine",
            "host",
            "store",
            "dockerfile",
            "wire",
            "limits",
            "clock",
            "cidr",
        ],
    ),
    (
        "install",
        &["engine", "host", "store", "exec", "sys", "config", "limits"],
    ),
    ("dockerfile", &[]),
    (
        "engine",
        &["wire", "exec", "sys", "limits", "clock", "exclusive"],
    ),
    ("store", &["wire", "exec", "sys", "limits", "clock"]),
    (
        "host",
        &[
            "engine",
            "store",
            "wire",
            "exec",
            "sys",
            "limits",
            "clock",
            "cidr",
            "exclusive",
        ],
    ),
    ("exec", &["sys", "limits"]),
    ("config", &["sys", "log", "cidr"]),
    ("wire", &["limits"]),
    ("sys", &[]),
    ("limits", &["sys"]),
    ("log", &["clock", "limits"]),
    ("clock", &[]),
    ("cidr", &[]),
    ("exclusive", &[]),
];

/// The files of the product.
fn sources() -> Vec<(PathBuf, String)> {
    files_below("src")
}

fn files_below(name: &str) -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // What a tool made for `tests/fuzz`, and other people's projects for `tests/dockerfile`.
                if !path.ends_with("target") && !path.ends_with("cases") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(name),
        &mut found,
    );
    assert!(found.len() > 20, "the sources were not found");
    found
}

fn module_of(path: &Path) -> String {
    let below = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = below
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules of the crate that `text` names, `use crate::{a, b::c}` included.
fn names(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut names = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = &group[..group.find("};").unwrap_or(group.len())];
            let mut depth = 0;
            let mut word = String::new();
            for character in group.chars() {
                match character {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push(std::mem::take(&mut word)),
                    _ if depth == 0 => word.push(character),
                    _ => {}
                }
            }
            names.push(word);
        } else {
            names.push(
                rest.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect(),
            );
        }
    }
    let first = |name: &String| {
        name.trim()
            .split([':', ' '])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    names
        .iter()
        .map(first)
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn dependencies_point_down_only() {
    for (path, text) in sources() {
        let module = module_of(&path);
        if module == "lib" {
            continue;
        }
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{module} has no rule"));
        for name in names(&text) {
            let fits = name == module || allowed.contains(&name.as_str());
            assert!(
                fits,
                "{} uses crate::{name}; {module} may use {allowed:?}",
                path.display()
            );
        }
    }
}

#[test]
fn unsafe_is_in_sys_alone() {
    for (path, text) in sources() {
        let is_sys = module_of(&path) == "sys";
        let forbids = text.contains("#![forbid(unsafe_code)]") || module_of(&path) == "lib";
        assert!(
            is_sys || forbids,
            "{} does not forbid unsafe code",
            path.display()
        );
        assert!(
            is_sys || !text.contains("libc::"),
            "{} names libc",
            path.display()
        );
    }
}

#[test]
fn programs_are_started_in_exec_alone() {
    for (path, text) in sources() {
        let may = ["exec", "main", "cli"].contains(&module_of(&path).as_str());
        assert!(
            may || !text.contains("std::process"),
            "{} names std::process",
            path.display()
        );
    }
}

/// How long is waited stands with the other limits, under a name and with its reason. What `sys` waits for is between
/// two tries of one system call; the bounds of a histogram are no wait.
#[test]
fn waits_are_in_limits_alone() {
    let starts = ["secs(", "millis(", "micros("].map(|unit| format!("Duration::from_{unit}"));
    for (path, text) in sources() {
        let product = product_of(&text);
        let is_elsewhere = ["limits", "sys"].contains(&module_of(&path).as_str())
            || path.ends_with("api/counters.rs")
            || of_tests(&path);
        for line in product.lines().filter(|_| !is_elsewhere) {
            let has_number = |start: &String| {
                let mut after = line.split(start.as_str()).skip(1);
                after.any(|after| after.starts_with(|c: char| c.is_ascii_digit()))
            };
            assert!(
                !starts.iter().any(has_number),
                "{} has a wait of its own: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn files_are_short() {
    for (path, text) in [sources(), files_below("tests")].concat() {
        assert!(
            text.lines().count() <= 400,
            "{} is longer than 400 lines",
            path.display()
        );
    }
}

/// The functions of `text`, which rustfmt has laid out: the line each begins at, counted from 1, and how many it has.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_function = |line: &str| {
        let mut words = line
            .split_whitespace()
            .take_while(|word| !word.starts_with("//"));
        let before = ["const", "async", "unsafe", "extern", "\"C\"", "pub"];
        words
            .find(|word| !before.contains(word) && !word.starts_with("pub("))
            .is_some_and(|word| word == "fn")
    };
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if !is_function(line) || line.ends_with([';', '}']) {
            continue;
        }
        let end = format!("{indent}}}");
        let rest = lines[start..].iter();
        let count = rest.take_while(|line| **line != end).count() + 1;
        found.push((start + 1, count));
    }
    found
}

/// `text` without the module of tests at its end.
fn product_of(text: &str) -> &str {
    let end = text.find("#[cfg(test)]\nmod tests {");
    &text[..end.unwrap_or(text.len())]
}

/// Whether all of the file is for tests.
fn of_tests(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let is_stand_in = ["fixture.rs", "faults.rs"]
        .iter()
        .any(|end| name.ends_with(end));
    is_stand_in || name.ends_with("tests.rs") || name.contains("/tests/")
}

#[test]
fn functions_are_short() {
    for (path, text) in [sources(), files_below("tests")].concat() {
        let start_of_tests = product_of(&text).lines().count();
        for (line, count) in functions(&text) {
            // A test may be a table.
            let is_test = of_tests(&path) || line > start_of_tests;
            let most = if is_test { 100 } else { 60 };
            assert!(
                count <= most,
                "{}:{line}: a function of {count} lines",
                path.display()
            );
        }
    }
}

#[test]
fn functions_are_measured() {
    let text = "pub(crate) const fn a() {\n    b();\n}\n\nimpl A {\n    fn c(&self);\n    fn d(\n        &self,\n    ) {\n        if e {\n        }\n    }\n}\n// fn f() {\n";
    assert_eq!(functions(text), [(1, 3), (7, 6)]);
}

#[test]
fn lints_are_silenced_with_a_reason() {
    for (path, text) in [sources(), files_below("tests")].concat() {
        for (number, line) in text.lines().enumerate() {
            let start = line.trim_start();
            let silences = start.starts_with("#[allow(") || start.starts_with("#![allow(");
            let expects = start.starts_with("#[expect(") || start.starts_with("#![expect(");
            let has_reason = || {
                let attribute: String = text.lines().skip(number).take(6).collect();
                attribute.contains("reason = ")
            };
            assert!(
                !silences && (!expects || has_reason()),
                "{}:{}: expect a lint, and say why",
                path.display(),
                number + 1
            );
        }
    }
}

#[test]
fn modules_say_what_they_are_for() {
    for (path, text) in [sources(), files_below("tests")].concat() {
        // A target is the one line that hands a fuzzer's bytes to the module of its name.
        let is_target = path.to_string_lossy().contains("/fuzz/targets/");
        assert!(
            is_target || text.starts_with("//! "),
            "{} does not say what it is for",
            path.display()
        );
    }
}
