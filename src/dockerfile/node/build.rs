//! The stage that installs a Node project's packages and runs its build script.
//!
//! Other stacks use it too, for the assets that their framework serves ([`Assets`]).
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::plan::copy_existing;
use super::super::project::Project;
use super::super::text::Text;
use super::super::versions::choice::Choice;
use super::manager::{Kind, Manager};
use super::package::Package;
use super::version::node_version;

/// Manifests and settings that installing reads, beside the lock file.
const MANIFESTS: &[&str] = &[
    "package.json",
    "pnpm-workspace.yaml",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnpmfile.cjs",
    "bunfig.toml",
];

/// A Node project, ready to be built.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) package: Package,
    pub(crate) manager: Manager,
    pub(crate) node: Choice,
    /// Several packages in one project.
    workspaces: bool,
}

/// What the stage does beside installing.
#[derive(Debug)]
pub(crate) struct Steps {
    /// The stage's name.
    pub(crate) name: &'static str,
    /// Environment lines.
    pub(crate) env: Text,
    /// The line that brings the sources.
    pub(crate) sources: &'static str,
    /// The command that builds; empty for none.
    pub(crate) build: Text,
    /// Whether development dependencies go afterwards.
    pub(crate) prune: bool,
}

impl Steps {
    /// The stage `build`, from the sources of the context, running this command.
    pub(crate) fn build(command: Text) -> Self {
        Self {
            name: "build",
            env: Text::default(),
            sources: "COPY . .",
            build: command,
            prune: false,
        }
    }
}

impl Build {
    /// The project of this `package.json`.
    pub(crate) fn new(project: &Project, package: Package) -> Result<Self, DetectError> {
        let pnpm = project.text("pnpm-workspace.yaml")?.unwrap_or_default();
        Ok(Self {
            manager: Manager::detect(project, &package)?,
            node: node_version(project, &package)?,
            workspaces: package.has_workspaces()
                || pnpm.lines().any(|line| line.starts_with("packages:")),
            package,
        })
    }

    /// `pnpm-lock.yaml; Node 20 (.nvmrc)`, for the reason.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let lock = self.manager.lock.map_or_else(
            || format!("{} without a lock file", self.manager.name()),
            |lock| format!("{} ({lock})", self.manager.name()),
        );
        if self.manager.kind == Kind::Bun {
            return vec![lock];
        }
        vec![lock, self.node.reason("Node")]
    }

    /// `RUN npm run build`'s command, if there is such a script.
    pub(crate) fn build_script(&self) -> Text {
        match self.package.script("build") {
            Some(_) => self.manager.run("build"),
            None => Text::default(),
        }
    }

    /// A stage with the sources, their packages and what was built in `/app`.
    pub(crate) fn stage(&self, project: &Project, steps: Steps) -> Result<Text, DetectError> {
        // Only then are development dependencies never needed, not even for a moment.
        let production =
            steps.prune && steps.build.is_empty() && !self.package.has_install_scripts();
        let prune = if steps.prune && !production {
            self.prune()
        } else {
            Text::default()
        };
        let (manifests, sources) = self.copies(project, steps.sources)?;
        Ok(Text::fill(
            include_str!("../templates/node-build.Dockerfile"),
            &[
                ("image", self.manager.build_image(&self.node)),
                ("stage", steps.name.into()),
                ("env", steps.env),
                ("setup", self.manager.setup(project, &self.node)?),
                ("manifests", manifests),
                (
                    "install",
                    self.manager
                        .install(production && self.package.has_development()),
                ),
                ("sources", sources),
                ("build", run(steps.build)),
                ("prune", run(prune)),
            ],
        ))
    }

    /// What is copied before and after the packages are installed.
    fn copies(
        &self,
        project: &Project,
        sources: &'static str,
    ) -> Result<(Text, Text), DetectError> {
        if !self.workspaces && !self.package.has_install_scripts() {
            return Ok((self.manifests(project)?, sources.into()));
        }
        let why =
            "# Workspaces and install scripts need the sources, so these come before the packages.";
        Ok((Text::lines([why.into(), sources.into()]), Text::default()))
    }

    /// The lines that install the packages, without a stage around them.
    pub(crate) fn packages(&self, project: &Project) -> Result<Text, DetectError> {
        let (manifests, _) = self.copies(project, "COPY . .")?;
        Ok(Text::lines([manifests, run(self.manager.install(false))]))
    }

    fn prune(&self) -> Text {
        let possible =
            self.package.has_development() && !(self.workspaces && self.manager.kind == Kind::Pnpm);
        possible
            .then(|| self.manager.prune(self.package.has_install_scripts()))
            .flatten()
            .unwrap_or_default()
    }

    fn manifests(&self, project: &Project) -> Result<Text, DetectError> {
        let files = [MANIFESTS[0]]
            .into_iter()
            .chain(self.manager.lock)
            .chain(MANIFESTS[1..].iter().copied());
        let mut lines = vec![copy_existing(project, &files.collect::<Vec<_>>())?];
        for (directory, wanted) in [
            (".yarn", self.manager.kind == Kind::YarnBerry),
            ("patches", true),
            // The client is generated from the schema while it is installed.
            ("prisma", self.package.uses("@prisma/client")),
        ] {
            if wanted && project.has_directory(directory)? {
                lines.push(Text::fill("COPY {{d}} ./{{d}}", &[("d", directory.into())]));
            }
        }
        Ok(Text::lines(lines))
    }
}

fn run(command: Text) -> Text {
    if command.is_empty() {
        return command;
    }
    Text::words([Text::from("RUN"), command])
}

/// The assets of a project of another stack.
#[derive(Debug, Default)]
pub(crate) struct Assets {
    /// The stage `assets`, if there are any: `/app` then holds the sources and what was built, without the packages.
    pub(crate) stage: Text,
    /// For the reason.
    pub(crate) reason: Option<String>,
}

impl Assets {
    /// What the build script of a `package.json` makes; `sources` is the line that brings the sources.
    pub(crate) fn of(project: &Project, sources: &'static str) -> Result<Self, DetectError> {
        let Some(package) = Package::read(project)? else {
            return Ok(Self::default());
        };
        if package.script("build").is_none() {
            return Ok(Self::default());
        }
        let build = Build::new(project, package)?;
        let command = Text::words([build.build_script(), "&& rm -rf node_modules".into()]);
        let steps = Steps {
            name: "assets",
            sources,
            ..Steps::build(command)
        };
        let comment = "# Scripts and styles; of Node, only what it makes of them gets any further.";
        Ok(Self {
            stage: Text::lines([comment.into(), build.stage(project, steps)?]),
            reason: Some(format!(
                "package.json builds assets with {}",
                build.reasons().join(", ")
            )),
        })
    }

    /// The line that copies the sources: from the stage if there is one, else the other line.
    pub(crate) fn or(&self, from_stage: &'static str, otherwise: &'static str) -> Text {
        Text::from(if self.reason.is_some() {
            from_stage
        } else {
            otherwise
        })
    }
}
