//! The order in which stacks are looked for. This is the one place where it is decided who wins.
//!
//! A project often has the manifests of several stacks, and then one of them is a tool of the other. What is a tool of
//! many comes late:
//!
//! 1. **Deno** first: `deno.json` is nobody's tool. Beside a lock file of npm's world it only formats, and steps back.
//! 2. **Elixir, Ruby, PHP, .NET, Java and Kotlin** before Node: Phoenix, Rails, Laravel, ASP.NET and Spring projects
//!    have a `package.json` for their assets. Each wants more than its manifest: a `Gemfile` of fastlane or
//!    Jekyll alone, or a `composer.json` without a page, is a tool too and does not count.
//! 3. **Go and Rust** before Python and Node: their `package.json` builds a front end. They want a main package or a
//!    binary, so a native extension (`Cargo.toml` with a library for Python or Node) goes to the language it is for.
//! 4. **Python** before Node: Django with Tailwind is common; a Node server with a `requirements.txt` is not, and it
//!    lacks the module that Python wants to find.
//! 5. **Node**, then a single Python script, then **static pages**: nearly every project has an `index.html` somewhere.
//!
//! A detector that finds its manifest but nothing to run says so and the search goes on; the message names it at the
//! end if nothing else matches.
#![forbid(unsafe_code)]

use super::error::DetectError;
use super::plan::Verdict;
use super::project::Project;
use super::{deno, dotnet, elixir, go, html, jvm, node, php, python, ruby, rust};

/// One stack's detector.
pub(crate) struct Detector {
    /// What it wants to find, for the message when nothing matches.
    pub(crate) looks_for: &'static str,
    /// Looks for it.
    pub(crate) detect: fn(&Project) -> Result<Verdict, DetectError>,
}

/// All detectors, the one that decides first at the top.
pub(crate) const ORDER: &[Detector] = &[
    detector("deno.json, deno.jsonc or deno.lock (Deno)", deno::detect),
    detector("mix.exs (Elixir)", elixir::detect),
    detector("Gemfile with Rails, Sinatra or Rack (Ruby)", ruby::detect),
    detector("composer.json or index.php (PHP)", php::detect),
    detector("*.csproj, *.fsproj or *.vbproj (.NET)", dotnet::detect),
    detector(
        "pom.xml, build.gradle or build.gradle.kts (Java, Kotlin)",
        jvm::detect,
    ),
    detector("go.mod with a main package (Go)", go::detect),
    detector("Cargo.toml with a binary (Rust)", rust::detect),
    detector(
        "manage.py, requirements.txt, pyproject.toml, Pipfile or setup.py (Python)",
        python::detect,
    ),
    detector("package.json (Node)", node::detect),
    detector("main.py or app.py (Python)", python::detect_script),
    detector(
        "index.html in the project or in public/, dist/, build/, site/, www/, html/ or docs/ (static)",
        html::detect,
    ),
];

const fn detector(
    looks_for: &'static str,
    detect: fn(&Project) -> Result<Verdict, DetectError>,
) -> Detector {
    Detector { looks_for, detect }
}
