//! Which stack a project is of, and a Dockerfile for it.
//!
//! [`generate`] looks at a few files through [`ProjectFiles`], decides, and fills one of the files in `templates/`.
//! It is a leaf: it knows no HTTP and no engine, opens nothing and starts nothing.
//!
//! # What the generated files keep to
//! - They work with the classic builder: no `RUN --mount`, no `COPY --link` or `--chmod`, no heredocs, no `# syntax=`.
//! - Several stages: compilers stay behind. Manifests and lock files are copied and installed before the sources, so a
//!   change of the sources does not install again.
//! - The last stage runs as a user with a fixed number, exposes its port and has its command in exec form. A health
//!   check is there only when the program surely listens, and uses only what that image surely has.
//! - No image is `latest`; versions are the project's where it names them.
//! - Nothing of the project stands in the file that is not a number or a checked word (see `text.rs`).
//!
//! # What bounds it
//! Files are read up to [`READ_LIMIT`] ([`LOCK_LIMIT`] for lock files), directories up to [`LIST_LIMIT`]; the walks over
//! members, subprojects and sources have limits of their own. Nothing is kept but a few names.
#![forbid(unsafe_code)]

mod deno;
mod detect;
mod dotnet;
mod elixir;
mod error;
mod go;
mod html;
mod jvm;
mod node;
mod php;
mod plan;
mod project;
mod python;
mod read;
mod ruby;
mod rust;
mod text;
mod token;
mod versions;

use std::fmt;

pub use error::{DetectError, Unfinished};
pub use project::{Entry, Kind, LIST_LIMIT, LOCK_LIMIT, ProjectFiles, READ_LIMIT};

use plan::Verdict;
use project::Project;
use text::Text;

/// What a project is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Node.js and Bun.
    Node,
    /// Python.
    Python,
    /// Go.
    Go,
    /// Rust.
    Rust,
    /// Java.
    Java,
    /// Kotlin on the JVM.
    Kotlin,
    /// PHP.
    Php,
    /// Ruby.
    Ruby,
    /// .NET.
    Dotnet,
    /// Elixir.
    Elixir,
    /// Deno.
    Deno,
    /// Pages served as they are.
    Static,
}

impl Stack {
    /// The name in the answer.
    pub fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Java => "java",
            Self::Kotlin => "kotlin",
            Self::Php => "php",
            Self::Ruby => "ruby",
            Self::Dotnet => "dotnet",
            Self::Elixir => "elixir",
            Self::Deno => "deno",
            Self::Static => "static",
        }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A Dockerfile made for a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The text of the file.
    pub dockerfile: String,
    /// What the project is made with.
    pub stack: Stack,
    /// The files that decided, and how.
    pub reason: String,
}

/// Recognises the project and writes its Dockerfile.
pub fn generate(files: &dyn ProjectFiles) -> Result<Generated, DetectError> {
    let project = Project::new(files);
    let mut looked_for = Vec::new();
    let mut unfinished = Vec::new();
    for detector in detect::ORDER {
        looked_for.push(detector.looks_for);
        match (detector.detect)(&project)? {
            Verdict::Match(plan) => {
                return Ok(Generated {
                    dockerfile: Text::lines([ignore_note(&project)?, plan.dockerfile]).into_file(),
                    stack: plan.stack,
                    reason: plan.reasons.join("; "),
                });
            }
            Verdict::Unfinished(found) => unfinished.push(found),
            Verdict::No => {}
        }
    }
    Err(DetectError::Nothing {
        looked_for,
        unfinished,
    })
}

/// A reminder at the top of the file when there is nothing that keeps secrets out of the context.
fn ignore_note(project: &Project) -> Result<Text, DetectError> {
    Ok(if project.has(".dockerignore")? {
        Text::default()
    } else {
        Text::fill(include_str!("templates/no-dockerignore"), &[])
    })
}
