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

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
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

/// As rustfmt lays it out, a function ends at the brace that stands as far to the right as its first word. Tables of
/// tests may be longer.
#[test]
fn functions_are_short() {
    for (path, text) in sources() {
        let product = text.split("#[cfg(test)]").next().unwrap();
        let lines: Vec<_> = product.lines().collect();
        let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
        for (start, line) in lines.iter().enumerate().filter(|_| !is_test) {
            let indent = line.len() - line.trim_start().len();
            let words = line.trim_start().split(' ');
            let is_function = words
                .take_while(|word| !word.contains('('))
                .any(|word| word == "fn")
                || line.trim_start().starts_with("pub(super) fn ")
                || line.trim_start().starts_with("pub(crate) fn ");
            if !is_function || line.trim_start().starts_with("//") {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[start..].iter().position(|line| *line == end);
            assert!(
                length.is_none_or(|length| length < 60 || lines[start].ends_with(['}', ';'])),
                "{}:{} has more than 60 lines",
                path.display(),
                start + 1
            );
        }
    }
}

#[test]
fn lints_are_expected_with_a_reason() {
    for (path, text) in sources() {
        assert!(
            !text.contains("#[allow(") && !text.contains("#![allow("),
            "{} allows a lint: `#[expect(…, reason = …)]` says why, and when it is over",
            path.display()
        );
    }
}

#[test]
fn files_are_short() {
    for (path, text) in sources() {
        assert!(
            text.lines().count() <= 400,
            "{} is longer than 400 lines",
            path.display()
        );
    }
}
