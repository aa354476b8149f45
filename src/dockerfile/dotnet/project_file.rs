//! `*.csproj`, `*.fsproj` and `*.vbproj`: which there are, and what each makes.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::{Project, below};
use super::super::read::xml;
use super::super::token::Token;
use super::super::versions::Version;

/// The most project files that are read, and the most directories that are looked into for them.
const MOST_FILES: usize = 40;
const MOST_DIRECTORIES: usize = 120;

/// `src/Group/Project/Project.csproj`.
const DEEPEST: usize = 3;

/// Directories of what was built or fetched.
const SKIPPED: &[&str] = &["bin", "obj", "node_modules", "packages", "artifacts"];

/// What a project makes, the most likely to be served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sdk {
    Web,
    /// Blazor in the browser: files.
    Pages,
    Worker,
    Console,
    Library,
}

impl Sdk {
    /// For the reason.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Web => "a web project",
            Self::Pages => "a Blazor WebAssembly project",
            Self::Worker => "a worker project",
            Self::Console => "a program",
            Self::Library => "a library",
        }
    }
}

/// A project file.
#[derive(Debug)]
pub(super) struct ProjectFile {
    pub(super) path: String,
    pub(super) sdk: Sdk,
    pub(super) framework: Option<Version>,
    /// As it is written, or the file's own name.
    pub(super) assembly_name: String,
}

impl ProjectFile {
    /// The assembly's name, if it may stand in a Dockerfile.
    pub(super) fn assembly(&self) -> Option<Token> {
        Token::name(&self.assembly_name)
    }
}

/// All project files near the root, those nearer first.
pub(super) fn find(project: &Project) -> Result<Vec<ProjectFile>, DetectError> {
    let mut found = Vec::new();
    let mut level = vec![String::new()];
    let mut directories = 0;
    for depth in 0..=DEEPEST {
        let mut next = Vec::new();
        for directory in level {
            directories += 1;
            if directories > MOST_DIRECTORIES {
                return Ok(found);
            }
            for name in project.files(&directory)? {
                let path = below(&directory, &name);
                if is_project(&name)
                    && found.len() < MOST_FILES
                    && let Some(text) = project.text(&path)?
                {
                    found.push(read(path, &text));
                }
            }
            if depth < DEEPEST {
                let names = project.directories(&directory)?;
                let wanted = names
                    .into_iter()
                    .filter(|name| !SKIPPED.contains(&name.as_str()));
                next.extend(
                    wanted
                        .map(|name| below(&directory, &name))
                        .take(MOST_DIRECTORIES),
                );
            }
        }
        next.truncate(MOST_DIRECTORIES);
        level = next;
    }
    Ok(found)
}

fn is_project(name: &str) -> bool {
    [".csproj", ".fsproj", ".vbproj"]
        .iter()
        .any(|extension| name.ends_with(extension))
}

fn read(path: String, xml: &str) -> ProjectFile {
    let file = path.rsplit('/').next().unwrap_or(&path);
    let stem = file
        .rsplit_once('.')
        .map_or(file, |(stem, _)| stem)
        .to_owned();
    ProjectFile {
        sdk: sdk(xml),
        framework: framework(xml),
        assembly_name: xml::text_of(xml, "AssemblyName").map_or(stem, str::to_owned),
        path,
    }
}

fn sdk(xml: &str) -> Sdk {
    // Test projects run too, but not to serve.
    if xml.contains("Microsoft.NET.Test.Sdk") || xml::text_of(xml, "IsTestProject") == Some("true")
    {
        return Sdk::Library;
    }
    let named = xml::attribute(xml, "Project", "Sdk").unwrap_or_default();
    match named.split('/').next().unwrap_or_default() {
        "Microsoft.NET.Sdk.Web" => Sdk::Web,
        "Microsoft.NET.Sdk.BlazorWebAssembly" => Sdk::Pages,
        "Microsoft.NET.Sdk.Worker" => Sdk::Worker,
        _ if xml::text_of(xml, "OutputType")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("exe")) =>
        {
            Sdk::Console
        }
        _ => Sdk::Library,
    }
}

/// `8.0` of `net8.0`; the newest of several.
pub(super) fn framework(xml: &str) -> Option<Version> {
    let named =
        xml::text_of(xml, "TargetFramework").or_else(|| xml::text_of(xml, "TargetFrameworks"))?;
    let versions = named.split(';').filter_map(|name| {
        let number = name
            .trim()
            .strip_prefix("netcoreapp")
            .or_else(|| name.trim().strip_prefix("net"))?;
        Version::parse(number).filter(|version| version.parts() == 2)
    });
    versions.max_by_key(|version| (version.major(), version.minor()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frameworks_are_read_and_old_ones_are_not_taken() {
        for (text, version) in [
            ("net8.0", Some("8.0")),
            ("net6.0;net9.0;netstandard2.1", Some("9.0")),
            ("netcoreapp3.1", Some("3.1")),
            ("net48", None),
            ("$(Framework)", None),
        ] {
            let xml = format!(
                "<Project><PropertyGroup><TargetFramework>{text}</TargetFramework></PropertyGroup></Project>"
            );
            assert_eq!(
                framework(&xml)
                    .map(|version| version.to_string())
                    .as_deref(),
                version,
                "{text}"
            );
        }
    }

    #[test]
    fn projects_are_told_apart() {
        assert_eq!(sdk("<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>"), Sdk::Web);
        assert_eq!(
            sdk("<Project Sdk='Microsoft.NET.Sdk'><OutputType>Exe</OutputType></Project>"),
            Sdk::Console
        );
        assert_eq!(sdk("<Project Sdk='Microsoft.NET.Sdk'/>"), Sdk::Library);
        assert_eq!(
            sdk(
                "<Project Sdk='Microsoft.NET.Sdk.Web'><PackageReference Include='Microsoft.NET.Test.Sdk'/></Project>"
            ),
            Sdk::Library
        );
    }
}
