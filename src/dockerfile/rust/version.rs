//! The version of Rust that a project wants.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::read::toml::Toml;
use super::super::versions::Version;
use super::super::versions::choice::{Choice, tool_pin};
use super::super::versions::defaults::RUST;

/// The pinned toolchain; else ours, or the one that `rust-version` requires when that is newer.
pub(crate) fn rust_version(project: &Project, manifest: Toml) -> Result<Choice, DetectError> {
    if let Some(text) = project.text("rust-toolchain.toml")?
        && let Some(choice) = pinned(
            Toml(&text).string("toolchain.channel"),
            "rust-toolchain.toml",
        )
    {
        return Ok(choice);
    }
    if let Some(text) = project.text("rust-toolchain")? {
        let channel = Toml(&text)
            .string("toolchain.channel")
            .or_else(|| text.lines().next());
        if let Some(choice) = pinned(channel, "rust-toolchain") {
            return Ok(choice);
        }
    }
    if let Some(choice) = tool_pin(project, &["rust"], &RUST)? {
        return Ok(choice);
    }
    let required = ["package.rust-version", "workspace.package.rust-version"]
        .iter()
        .find_map(|path| manifest.string(path))
        .and_then(Version::parse)
        .filter(|version| !RUST.default().at_least(version.major(), version.minor()));
    Ok(required.map_or_else(
        || Choice::default(&RUST),
        |version| Choice {
            version: version.cut(2),
            from: Some("Cargo.toml"),
        },
    ))
}

/// `stable` and `nightly-2025-01-01` are no images; rustup, which is in the image, then fetches them by itself.
fn pinned(channel: Option<&str>, from: &'static str) -> Option<Choice> {
    let version = Version::parse(channel?)?;
    (version.parts() >= 2).then_some(Choice {
        version,
        from: Some(from),
    })
}
