//! What is generated is what was reviewed.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use node_agent::dockerfile::generate;

use super::{Memory, cases, golden_files};

/// The file names and contents that a case should have.
fn outcome(project: &Memory) -> Vec<(&'static str, String)> {
    match generate(project) {
        Ok(made) => vec![
            ("Dockerfile.expected", made.dockerfile),
            (
                "reason.expected",
                format!("{}: {}\n", made.stack, made.reason),
            ),
        ],
        Err(error) => vec![("error.expected", format!("{error}\n"))],
    }
}

fn write(directory: &Path, wanted: &[(&'static str, String)]) {
    for name in ["Dockerfile.expected", "reason.expected", "error.expected"] {
        let _ = fs::remove_file(directory.join(name));
    }
    for (name, text) in wanted {
        fs::write(directory.join(name), text).unwrap();
    }
}

#[test]
fn every_case_gives_its_golden_files() {
    let update = env::var_os("UPDATE_DOCKERFILES").is_some_and(|value| !value.is_empty());
    let mut wrong = Vec::new();
    for (name, directory) in cases() {
        let wanted = outcome(&Memory::read_from(&directory.join("project")));
        if update {
            write(&directory, &wanted);
        }
        for (file, text) in wanted {
            let golden = fs::read_to_string(directory.join(file)).unwrap_or_default();
            if golden != text {
                wrong.push(format!(
                    "--- {name}/{file}: expected\n{golden}--- got\n{text}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_stack_has_cases() {
    let mut seen = BTreeSet::new();
    for (name, project, _) in golden_files() {
        seen.insert(generate(&project).unwrap().stack.name());
        assert!(!name.starts_with("error-"), "{name}");
    }
    let all = [
        "deno", "dotnet", "elixir", "go", "java", "kotlin", "node", "php", "python", "ruby",
        "rust", "static",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}

/// A template that no case uses is one whose placeholders nobody has seen filled.
#[test]
fn every_template_is_in_a_golden_file() {
    let golden: String = golden_files()
        .into_iter()
        .map(|(_, _, text)| text)
        .collect();
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dockerfile/templates");
    let mut count = 0;
    for entry in fs::read_dir(templates).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let piece = text
            .split(['\n', '}'])
            .map(|piece| piece.split("{{").next().unwrap_or_default().trim())
            .max_by_key(|piece| piece.len())
            .unwrap();
        assert!(
            golden.contains(piece),
            "{} is used by no case: {piece:?}",
            path.display()
        );
        count += 1;
    }
    assert!(count >= 20, "only {count} templates");
}

#[test]
fn no_placeholder_is_left_over() {
    for (name, _, text) in golden_files() {
        assert!(
            !text.contains("{{") && !text.contains("}}"),
            "{name}:\n{text}"
        );
    }
}
