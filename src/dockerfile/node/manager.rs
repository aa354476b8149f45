//! Which package manager installs a Node project, and with which commands.
//!
//! Each of them is installed from the npm registry and not by corepack: newer Node images have no corepack, and older
//! ones have one whose signing keys have expired.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::read::source::assigned;
use super::super::text::Text;
use super::super::versions::Version;
use super::super::versions::choice::Choice;
use super::package::Package;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Npm,
    YarnClassic,
    YarnBerry,
    Pnpm,
    Bun,
}

/// Lock files and whose they are. Where several lie about, npm's comes last: `npm install` leaves one behind by accident.
const LOCKS: &[(&str, Kind)] = &[
    ("pnpm-lock.yaml", Kind::Pnpm),
    ("bun.lock", Kind::Bun),
    ("bun.lockb", Kind::Bun),
    ("yarn.lock", Kind::YarnClassic),
    ("package-lock.json", Kind::Npm),
    ("npm-shrinkwrap.json", Kind::Npm),
];

/// The package manager of a project.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manager {
    pub(crate) kind: Kind,
    /// The lock file; without one, installing cannot be frozen.
    pub(crate) lock: Option<&'static str>,
    /// Which version of the manager; `None` is the one in the base image.
    version: Option<Version>,
}

impl Manager {
    /// `packageManager` decides, then the lock file, then npm.
    pub(crate) fn detect(project: &Project, package: &Package) -> Result<Self, DetectError> {
        let (named, mut version) = package.manager().unzip();
        let named = named.and_then(|name| kind_named(&name));
        let mut lock = None;
        for (file, kind) in LOCKS {
            let wanted = named.is_none_or(|named| named == *kind);
            if lock.is_none() && wanted && project.has(file)? {
                lock = Some((*file, *kind));
            }
        }
        let mut kind = named.or(lock.map(|(_, kind)| kind)).unwrap_or(Kind::Npm);
        if kind == Kind::YarnClassic && is_berry(project, version.flatten())? {
            kind = Kind::YarnBerry;
        }
        if named.is_none() {
            version = None;
        }
        let version = match version.flatten() {
            Some(version) => Some(version),
            None => usual_version(project, kind)?,
        };
        Ok(Self {
            kind,
            lock: lock.map(|(file, _)| file),
            version,
        })
    }

    /// Its name, for comments and reasons.
    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Npm => "npm",
            Kind::YarnClassic => "yarn",
            Kind::YarnBerry => "yarn (berry)",
            Kind::Pnpm => "pnpm",
            Kind::Bun => "bun",
        }
    }

    /// The image for building: the full one, which has the compilers that native modules need.
    pub(crate) fn build_image(&self, node: &Choice) -> Text {
        match self.kind {
            Kind::Bun => Text::concat([Text::from("oven/bun:"), self.bun().into()]),
            _ => Text::concat([Text::from("node:"), node.version.into()]),
        }
    }

    /// The image for running.
    pub(crate) fn run_image(&self, node: &Choice) -> Text {
        Text::concat([self.build_image(node), Text::from("-slim")])
    }

    /// The program that runs scripts at run time.
    pub(crate) fn runtime(&self) -> &'static str {
        if self.kind == Kind::Bun {
            "bun"
        } else {
            "node"
        }
    }

    /// Lines that bring the package manager into the build stage.
    pub(crate) fn setup(&self, project: &Project, node: &Choice) -> Result<Text, DetectError> {
        let version = self.version.map_or_else(Text::default, Text::from);
        let text = match self.kind {
            Kind::Pnpm => Text::fill("RUN npm install --global pnpm@{{v}}", &[("v", version)]),
            Kind::YarnBerry => Text::lines([
                node_modules_linker(project)?,
                Text::fill(
                    "RUN npm install --global --force @yarnpkg/cli-dist@{{v}}",
                    &[("v", version)],
                ),
            ]),
            // Node's images have brought yarn 1 until 25.
            Kind::YarnClassic if node.version.at_least(26, 0) => {
                Text::from("RUN npm install --global --force yarn@1.22.22")
            }
            Kind::YarnClassic | Kind::Npm | Kind::Bun => Text::default(),
        };
        Ok(text)
    }

    /// The command that installs everything, or only what runs.
    pub(crate) fn install(&self, production: bool) -> Text {
        let frozen = self.lock.is_some();
        let command = match (self.kind, frozen) {
            (Kind::Npm, true) => "npm ci",
            (Kind::Npm, false) => "npm install",
            (Kind::YarnClassic | Kind::Bun | Kind::Pnpm, _) | (Kind::YarnBerry, false) => {
                self.bare_install()
            }
            (Kind::YarnBerry, true) => "yarn install --immutable",
        };
        let freeze = match self.kind {
            Kind::YarnClassic | Kind::Bun | Kind::Pnpm if frozen => "--frozen-lockfile",
            _ => "",
        };
        let only = match self.kind {
            _ if !production => "",
            Kind::Npm => "--omit=dev",
            Kind::Pnpm => "--prod",
            Kind::YarnClassic | Kind::Bun => "--production",
            Kind::YarnBerry => return self.prune(false).unwrap_or_else(|| command.into()),
        };
        Text::words([command.into(), freeze.into(), only.into()])
    }

    fn bare_install(&self) -> &'static str {
        match self.kind {
            Kind::Bun => "bun install",
            Kind::Pnpm => "pnpm install",
            _ => "yarn install",
        }
    }

    /// The command that removes development dependencies again, where there is a safe one.
    pub(crate) fn prune(&self, has_install_scripts: bool) -> Option<Text> {
        let command = match self.kind {
            Kind::Npm => "npm prune --omit=dev",
            Kind::YarnClassic => "yarn install --production --ignore-scripts --prefer-offline",
            Kind::YarnBerry if self.at_least(4) => "yarn workspaces focus --all --production",
            // Before 8.15.6 it ran the project's install scripts, which may need what it has just removed.
            Kind::Pnpm if self.at_least(9) || !has_install_scripts => "CI=true pnpm prune --prod",
            // Bun has no prune.
            Kind::Bun if !has_install_scripts => "rm -rf node_modules && bun install --production",
            Kind::YarnBerry | Kind::Pnpm | Kind::Bun => return None,
        };
        Some(command.into())
    }

    /// `npm run NAME`.
    pub(crate) fn run(&self, script: &'static str) -> Text {
        let run = match self.kind {
            Kind::Npm => "npm run",
            Kind::YarnClassic | Kind::YarnBerry => "yarn run",
            Kind::Pnpm => "pnpm run",
            Kind::Bun => "bun run",
        };
        Text::words([run.into(), script.into()])
    }

    /// The command that starts a program of a dependency.
    pub(crate) fn execute(&self, command: &'static str) -> Text {
        let run = match self.kind {
            Kind::Npm => "npx",
            Kind::YarnClassic | Kind::YarnBerry => "yarn run",
            Kind::Pnpm => "pnpm exec",
            Kind::Bun => "bunx",
        };
        Text::words([run.into(), command.into()])
    }

    fn at_least(&self, major: u32) -> bool {
        self.version
            .is_some_and(|version| version.at_least(major, 0))
    }

    fn bun(&self) -> Version {
        self.version
            .unwrap_or_else(|| super::super::versions::defaults::BUN.default())
    }
}

fn kind_named(name: &str) -> Option<Kind> {
    match name {
        "npm" => Some(Kind::Npm),
        "yarn" => Some(Kind::YarnClassic),
        "pnpm" => Some(Kind::Pnpm),
        "bun" => Some(Kind::Bun),
        _ => None,
    }
}

/// Yarn 2 and later share classic's name and lock file name, but not its format.
fn is_berry(project: &Project, version: Option<Version>) -> Result<bool, DetectError> {
    if let Some(version) = version {
        return Ok(version.at_least(2, 0));
    }
    let lock = project.text("yarn.lock")?.unwrap_or_default();
    Ok(lock.contains("__metadata:") || (lock.is_empty() && project.has(".yarnrc.yml")?))
}

/// The version that reads the project's lock file, where the project does not say.
fn usual_version(project: &Project, kind: Kind) -> Result<Option<Version>, DetectError> {
    let text = match kind {
        Kind::Npm | Kind::YarnClassic => return Ok(None),
        Kind::Bun => return Ok(Some(super::super::versions::defaults::BUN.default())),
        Kind::YarnBerry => committed_yarn(project)?.unwrap_or_else(|| "4".to_owned()),
        Kind::Pnpm => pnpm_for_lock(project)?.to_owned(),
    };
    Ok(Version::parse(&text))
}

/// `4.1.0` of `yarnPath: .yarn/releases/yarn-4.1.0.cjs`.
fn committed_yarn(project: &Project) -> Result<Option<String>, DetectError> {
    let settings = project.text(".yarnrc.yml")?.unwrap_or_default();
    let path = settings
        .lines()
        .find_map(|line| line.strip_prefix("yarnPath:"));
    let version = path
        .and_then(|path| path.rsplit_once("yarn-"))
        .and_then(|(_, file)| file.split(".cjs").next())
        .filter(|version| Version::parse(version).is_some());
    Ok(version.map(str::to_owned))
}

/// Lock file 5 is pnpm 7's, 6 is pnpm 8's; 9 has stayed since pnpm 9.
fn pnpm_for_lock(project: &Project) -> Result<&'static str, DetectError> {
    let lock = project.text("pnpm-lock.yaml")?.unwrap_or_default();
    let format = assigned(&lock, "lockfileVersion")
        .or_else(|| {
            lock.lines()
                .find_map(|line| line.strip_prefix("lockfileVersion:"))
        })
        .and_then(Version::parse);
    Ok(match format.map(Version::major) {
        Some(5) => "7",
        Some(6) => "8",
        _ => "10",
    })
}

/// Without Plug'n'Play the result starts with plain `node`.
fn node_modules_linker(project: &Project) -> Result<Text, DetectError> {
    let settings = project.text(".yarnrc.yml")?.unwrap_or_default();
    let set = settings.lines().any(|line| {
        line.strip_prefix("nodeLinker:")
            .is_some_and(|linker| linker.trim() == "node-modules")
    });
    Ok(if set {
        Text::default()
    } else {
        Text::from("ENV YARN_NODE_LINKER=node-modules")
    })
}
