//! Which binary a Rust project makes.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::{Project, below};
use super::super::read::toml::Toml;
use super::super::text::Text;
use super::super::token::Token;

/// The most members of a workspace that are looked at.
const MOST_MEMBERS: usize = 60;

/// Binaries that are the server, where there are several.
const SERVER_NAMES: &[&str] = &["server", "api", "app", "web"];

/// A program of the project.
#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) name: Token,
    /// The directory and package of a workspace's member.
    pub(crate) member: Option<(String, Token)>,
}

impl Binary {
    /// `--package NAME`, for a member.
    pub(crate) fn package_argument(&self) -> Text {
        self.member
            .as_ref()
            .map_or_else(Text::default, |(_, package)| {
                Text::concat([" --package ".into(), package.into()])
            })
    }

    /// Where it was found.
    pub(crate) fn why(&self) -> String {
        match &self.member {
            Some((directory, _)) => format!(
                "{directory}/Cargo.toml makes the binary {}",
                self.name.as_str()
            ),
            None => format!("Cargo.toml makes the binary {}", self.name.as_str()),
        }
    }
}

/// The root package's binary, else that of a member.
pub(crate) fn find(project: &Project, manifest: Toml) -> Result<Option<Binary>, DetectError> {
    if let Some(name) = of_package(project, "", manifest)? {
        return Ok(Some(Binary { name, member: None }));
    }
    let mut found = Vec::new();
    for directory in members(project, manifest)? {
        let Some(text) = project.text(&below(&directory, "Cargo.toml"))? else {
            continue;
        };
        let package = Toml(&text).string("package.name").and_then(Token::name);
        let name = of_package(project, &directory, Toml(&text))?;
        if let (Some(package), Some(name)) = (package, name) {
            found.push(Binary {
                name,
                member: Some((directory, package)),
            });
        }
    }
    let server = found
        .iter()
        .position(|binary| SERVER_NAMES.contains(&binary.name.as_str()));
    let best = server.unwrap_or(0);
    Ok(found.into_iter().nth(best))
}

/// `default-run`, then the only or first `[[bin]]`, then `src/main.rs`, then `src/bin/`.
fn of_package(
    project: &Project,
    directory: &str,
    manifest: Toml,
) -> Result<Option<Token>, DetectError> {
    let Some(package) = manifest.string("package.name") else {
        return Ok(None);
    };
    let file = below(directory, "Cargo.toml");
    let checked = |name: &str| {
        Token::name(name).ok_or_else(|| DetectError::unusable(&file, "the binary's name", name))
    };
    if let Some(name) = manifest.string("package.default-run") {
        return checked(name).map(Some);
    }
    let named: Vec<&str> = manifest.each("bin", "name").into_iter().flatten().collect();
    let best = named
        .iter()
        .find(|name| **name == package)
        .or_else(|| named.first());
    if let Some(name) = best {
        return checked(name).map(Some);
    }
    if project.has(&below(directory, "src/main.rs"))? {
        return checked(package).map(Some);
    }
    let programs = project.files(&below(directory, "src/bin"))?;
    let program = programs
        .iter()
        .find_map(|name| Token::name(name.strip_suffix(".rs")?));
    Ok(program)
}

/// Directories of the members; `crates/*` means those below `crates`.
fn members(project: &Project, manifest: Toml) -> Result<Vec<String>, DetectError> {
    let mut all: Vec<Token> = Vec::new();
    for member in manifest.strings("workspace.members") {
        if all.len() >= MOST_MEMBERS {
            break;
        }
        if let Some(parent) = member.strip_suffix("/*") {
            let Some(parent) = Token::path(parent) else {
                continue;
            };
            let names = project.directories(parent.as_str())?;
            all.extend(
                names
                    .iter()
                    .filter_map(|name| Token::path(&below(parent.as_str(), name))),
            );
        } else {
            all.extend(Token::path(member));
        }
    }
    let paths = all
        .iter()
        .take(MOST_MEMBERS)
        .map(|path| path.as_str().to_owned());
    Ok(paths.collect())
}
