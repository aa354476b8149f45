//! What `package.json` says, as far as a Dockerfile needs it.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::read::json::Json;
use super::super::versions::Version;

/// Scripts that a package manager runs when it installs.
const INSTALL_SCRIPTS: &[&str] = &[
    "preinstall",
    "install",
    "postinstall",
    "prepare",
    "preprepare",
    "postprepare",
];

/// A read `package.json`.
#[derive(Debug)]
pub(crate) struct Package {
    json: Json,
    scripts: Option<Json>,
    runtime: BTreeSet<String>,
    development: BTreeSet<String>,
}

impl Package {
    /// The `package.json` in the root of the project.
    pub(crate) fn read(project: &Project) -> Result<Option<Self>, DetectError> {
        Self::read_at(project, "package.json")
    }

    /// A `package.json` elsewhere.
    pub(crate) fn read_at(project: &Project, path: &str) -> Result<Option<Self>, DetectError> {
        let Some(json) = project.json(path, false)? else {
            return Ok(None);
        };
        let names = |key: &str| {
            json.get(key)
                .map(|object| object.keys())
                .unwrap_or_default()
        };
        let runtime = names("dependencies")
            .into_iter()
            .chain(names("optionalDependencies"));
        Ok(Some(Self {
            scripts: json.get("scripts"),
            runtime: runtime.collect(),
            development: names("devDependencies").into_iter().collect(),
            json,
        }))
    }

    /// A script that is not empty.
    pub(crate) fn script(&self, name: &str) -> Option<String> {
        let script = self.scripts.as_ref()?.get(name)?.string()?;
        (!script.trim().is_empty()).then_some(script)
    }

    /// Whether it depends on a package, at run time or in development.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.runtime.contains(name) || self.development.contains(name)
    }

    /// Whether a package is installed for development alone.
    pub(crate) fn develops_with(&self, name: &str) -> bool {
        self.development.contains(name) && !self.runtime.contains(name)
    }

    /// Whether there are development dependencies to leave out.
    pub(crate) fn has_development(&self) -> bool {
        !self.development.is_empty()
    }

    /// Whether installing runs a script of the project's own.
    pub(crate) fn has_install_scripts(&self) -> bool {
        INSTALL_SCRIPTS
            .iter()
            .any(|name| self.script(name).is_some())
    }

    /// Whether it is the root of several packages.
    pub(crate) fn has_workspaces(&self) -> bool {
        self.json.get("workspaces").is_some()
    }

    /// The file that it names as its entry.
    pub(crate) fn main(&self) -> Option<String> {
        self.json.string_at(&["main"])
    }

    /// `engines.node`.
    pub(crate) fn node_engine(&self) -> Option<String> {
        self.json.string_at(&["engines", "node"])
    }

    /// `volta.node`.
    pub(crate) fn volta_node(&self) -> Option<String> {
        self.json.string_at(&["volta", "node"])
    }

    /// `pnpm@9.1.0+sha512…` of `packageManager`, as name and version.
    pub(crate) fn manager(&self) -> Option<(String, Option<Version>)> {
        let field = self.json.string_at(&["packageManager"])?;
        let (name, version) = field.split_once('@')?;
        let version = version.split('+').next().and_then(Version::parse);
        Some((name.to_owned(), version))
    }
}
