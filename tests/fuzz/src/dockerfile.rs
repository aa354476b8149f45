//! A project of any files: its Dockerfile is the same twice, and whatever the files say, its lines are instructions of
//! ours and not theirs.

#[path = "../../dockerfile/memory.rs"]
mod memory;

use std::collections::BTreeMap;

use memory::Memory;
use node_agent::dockerfile::generate;

const NAMES: &[&str] = &[
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "server.js",
    "index.js",
    "requirements.txt",
    "pyproject.toml",
    "Pipfile",
    "poetry.lock",
    "uv.lock",
    "manage.py",
    "main.py",
    "app.py",
    "wsgi.py",
    "runtime.txt",
    ".python-version",
    "go.mod",
    "main.go",
    "cmd/a/main.go",
    "Cargo.toml",
    "Cargo.lock",
    "src/main.rs",
    "rust-toolchain.toml",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "gradlew",
    "mvnw",
    "src/main/java/App.java",
    "src/main/kotlin/App.kt",
    "composer.json",
    "composer.lock",
    "index.php",
    "public/index.php",
    "artisan",
    "Gemfile",
    "Gemfile.lock",
    "config.ru",
    "bin/rails",
    "app.csproj",
    "global.json",
    "Program.cs",
    "mix.exs",
    "mix.lock",
    "deno.json",
    "deno.lock",
    "main.ts",
    "index.html",
    ".dockerignore",
    ".nvmrc",
    "next.config.js",
    "vite.config.ts",
    "angular.json",
    ".tool-versions",
    "Procfile",
    "tsconfig.json",
    "a/package.json",
];
const INSTRUCTIONS: &[&str] = &[
    "FROM",
    "RUN",
    "COPY",
    "WORKDIR",
    "ENV",
    "EXPOSE",
    "USER",
    "CMD",
    "ENTRYPOINT",
    "HEALTHCHECK",
    "ARG",
    "LABEL",
    "STOPSIGNAL",
    "SHELL",
    "VOLUME",
    "ADD",
];

/// A byte for the name, two for the length, the content; over and over.
fn files(mut data: &[u8]) -> Memory {
    let mut files = BTreeMap::new();
    while let [name, high, low, rest @ ..] = data {
        let length = (usize::from(*high) << 8 | usize::from(*low)).min(rest.len());
        let (content, rest) = rest.split_at(length);
        let name = NAMES[usize::from(*name) % NAMES.len()];
        files.insert(name.to_owned(), content.to_vec());
        data = rest;
    }
    Memory(files)
}

pub fn check(data: &[u8]) {
    let files = files(data);
    let Ok(generated) = generate(&files) else {
        return;
    };
    assert_eq!(generate(&files).as_ref().ok(), Some(&generated));
    let text = &generated.dockerfile;
    assert!(
        text.ends_with('\n') && text.chars().all(|c| c == '\n' || !c.is_control()),
        "{text}"
    );
    assert!(
        !text.contains(":latest") && !text.contains("--mount") && !text.contains("<<"),
        "{text}"
    );
    let (mut continues, mut has_command, mut has_base) = (false, false, false);
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with('#');
        if !continues && !line.is_empty() && !is_comment {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            assert!(INSTRUCTIONS.contains(&word), "{line}");
            has_base |= word == "FROM";
            if word == "CMD" || word == "ENTRYPOINT" {
                has_command = true;
                let words: Vec<String> =
                    serde_json::from_str(rest).unwrap_or_else(|_| panic!("{line}"));
                assert!(!words.is_empty());
            }
            assert!(has_base || word == "ARG", "{line}");
        }
        continues = line.ends_with('\\') || continues && is_comment;
    }
    assert!(!continues && has_base && has_command, "{text}");
}
