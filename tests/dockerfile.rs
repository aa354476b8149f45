//! Generated Dockerfiles: golden files for every stack and variant, hostile projects, and the classic builder itself.
//!
//! `dockerfile/cases/<case>/project/` is a small project. Beside it stand `Dockerfile.expected` and `reason.expected`
//! (`stack: reason`), or `error.expected` for one that is refused. `UPDATE_DOCKERFILES=1 cargo test dockerfile` writes
//! them anew; read the difference before it is committed.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may end by a panic"
)]

mod builder;
mod checker;
mod golden;
mod hostile;
mod memory;

use std::fs;
use std::path::{Path, PathBuf};

use memory::Memory;

impl Memory {
    fn of(files: &[(&str, &str)]) -> Self {
        let owned = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        Self(owned.collect())
    }

    /// Everything below a directory.
    fn read_from(root: &Path) -> Self {
        let mut all = Self::default();
        let mut waiting = vec![root.to_path_buf()];
        while let Some(directory) = waiting.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    waiting.push(path);
                } else {
                    let name = path
                        .strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned();
                    all.0.insert(name, fs::read(&path).unwrap());
                }
            }
        }
        all
    }

    /// Whether a file or directory of that name is there.
    fn has(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        let below = format!("{path}/");
        path == "."
            || path.is_empty()
            || self
                .0
                .keys()
                .any(|name| name == path || name.starts_with(&below))
    }
}

/// The cases, by name.
fn cases() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dockerfile/cases");
    let mut all: Vec<(String, PathBuf)> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    all.sort();
    assert!(all.len() >= 80, "only {} cases", all.len());
    all
}

/// The golden files, by case.
fn golden_files() -> Vec<(String, Memory, String)> {
    let golden = |(name, path): (String, PathBuf)| {
        let text = fs::read_to_string(path.join("Dockerfile.expected")).ok()?;
        Some((name, Memory::read_from(&path.join("project")), text))
    };
    let all: Vec<_> = cases().into_iter().filter_map(golden).collect();
    assert!(all.len() >= 75, "only {} golden files", all.len());
    all
}
