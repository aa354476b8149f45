//! The version of Node that a project wants.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::versions::choice::{Choice, pin_file, tool_pin};
use super::super::versions::defaults::NODE;
use super::super::versions::range::Tilde;
use super::package::Package;

/// nvm's names of the long-term releases.
const CODENAMES: &[(&str, &str)] = &[
    ("lts/krypton", "24"),
    ("lts/jod", "22"),
    ("lts/iron", "20"),
    ("lts/hydrogen", "18"),
    ("lts/gallium", "16"),
    ("lts/fermium", "14"),
];

/// A pin before a requirement, and the file that developers' tools read before the others.
pub(crate) fn node_version(project: &Project, package: &Package) -> Result<Choice, DetectError> {
    for file in [".nvmrc", ".node-version"] {
        let pinned = match codename(project, file)? {
            Some(choice) => Some(choice),
            None => pin_file(project, file, "", &NODE)?,
        };
        if let Some(choice) = pinned {
            return Ok(choice);
        }
    }
    if let Some(choice) = tool_pin(project, &["nodejs", "node"], &NODE)? {
        return Ok(choice);
    }
    let named = [package.volta_node(), package.node_engine()];
    let choice = named
        .into_iter()
        .flatten()
        .find_map(|text| Choice::of(&text, "package.json", Tilde::Patch, &NODE));
    Ok(choice.unwrap_or_else(|| Choice::default(&NODE)))
}

fn codename(project: &Project, file: &'static str) -> Result<Option<Choice>, DetectError> {
    let Some(text) = project.text(file)? else {
        return Ok(None);
    };
    let wanted = text.trim().to_ascii_lowercase();
    let known = CODENAMES.iter().find(|(name, _)| *name == wanted);
    Ok(known.and_then(|(_, version)| Choice::of(version, file, Tilde::Patch, &NODE)))
}
