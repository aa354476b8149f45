//! The class with the `main` of a project whose build file does not name it.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::{Project, below};
use super::super::token::Token;

/// The most directories and files that are looked into.
const MOST_DIRECTORIES: usize = 200;
const MOST_FILES: usize = 300;

/// Deeper packages are not looked into.
const DEEPEST: usize = 12;

/// The first class with a `main` below the module's sources.
pub(crate) fn find(project: &Project, module: &str) -> Result<Option<Token>, DetectError> {
    for (sources, extension) in [("src/main/java", ".java"), ("src/main/kotlin", ".kt")] {
        let found = search(project, below(module, sources), extension)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn search(
    project: &Project,
    sources: String,
    extension: &str,
) -> Result<Option<Token>, DetectError> {
    let mut waiting = vec![(sources, 0)];
    let (mut directories, mut files) = (0, 0);
    while let Some((directory, depth)) = waiting.pop() {
        directories += 1;
        for name in project.files(&directory)? {
            let Some(stem) = name.strip_suffix(extension) else {
                continue;
            };
            files += 1;
            if files > MOST_FILES {
                return Ok(None);
            }
            let text = project
                .source(&below(&directory, &name))?
                .unwrap_or_default();
            if let Some(class) = class_with_main(&text, stem, extension) {
                return Ok(Some(class));
            }
        }
        if depth < DEEPEST && directories + waiting.len() < MOST_DIRECTORIES {
            let next = project.directories(&directory)?.into_iter().rev();
            waiting.extend(next.map(|name| (below(&directory, &name), depth + 1)));
            waiting.truncate(MOST_DIRECTORIES);
        }
    }
    Ok(None)
}

fn class_with_main(text: &str, stem: &str, extension: &str) -> Option<Token> {
    let mut lines = text.lines().map(str::trim_start);
    let kotlin = extension == ".kt";
    let class = if kotlin {
        lines
            .any(|line| line.starts_with("fun main(") || line.starts_with("suspend fun main("))
            .then(|| file_class(stem))
    } else {
        lines
            .any(|line| line.contains("static void main("))
            .then(|| stem.to_owned())
    }?;
    let package = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("package "));
    match package.map(|package| package.trim_end_matches(';').trim()) {
        Some(package) => Token::dotted(&format!("{package}.{class}")),
        None => Token::dotted(&class),
    }
}

/// Kotlin's name of the class that a file's functions are in.
fn file_class(stem: &str) -> String {
    let mut letters = stem.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters)
        .chain("Kt".chars())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mains_are_found_in_both_languages() {
        let class = |text, stem, extension| {
            class_with_main(text, stem, extension).map(|token| token.as_str().to_owned())
        };
        let java = "package com.example;\r\npublic class Main {\n  public static void main(String[] a) {}\n}";
        assert_eq!(
            class(java, "Main", ".java").as_deref(),
            Some("com.example.Main")
        );
        assert_eq!(
            class("fun main() {}", "app", ".kt").as_deref(),
            Some("AppKt")
        );
        assert_eq!(class("class A { void main() {} }", "A", ".java"), None);
        assert_eq!(
            class("package $(id);\nstatic void main(", "A", ".java"),
            None
        );
    }
}
