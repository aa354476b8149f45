//! Node inside the build stage of another stack, for frameworks whose own task calls it (Rails, Phoenix).
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::text::Text;
use super::build::Build;
use super::manager::Kind;
use super::package::Package;
use super::version::node_version;

/// What a build stage needs to have Node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guest {
    /// The stage that is only there to copy Node from.
    pub(crate) stage: Text,
    /// The lines that copy it.
    pub(crate) bring: Text,
    /// The lines that install the packages.
    pub(crate) packages: Text,
    /// For the reason.
    pub(crate) reason: String,
}

/// For the `package.json` in the root.
pub(crate) fn guest(project: &Project) -> Result<Option<Guest>, DetectError> {
    let Some(package) = Package::read(project)? else {
        return Ok(None);
    };
    let build = Build::new(project, package)?;
    let bun = build.manager.kind == Kind::Bun;
    // The copied directories hold npm, not the yarn of Node's image.
    let yarn = if build.manager.kind == Kind::YarnClassic {
        "RUN npm install --global yarn@1.22.22"
    } else {
        ""
    };
    Ok(Some(Guest {
        stage: stage(build.manager.run_image(&build.node)),
        bring: if bun {
            "COPY --from=node /usr/local/bin/bun /usr/local/bin/".into()
        } else {
            Text::lines([
                node_here(),
                build.manager.setup(project, &build.node)?,
                yarn.into(),
            ])
        },
        packages: build.packages(project)?,
        reason: format!(
            "package.json for assets, with {}",
            build.reasons().join(", ")
        ),
    }))
}

/// For Phoenix's `assets/package.json`, which its own generator installs with npm.
pub(crate) fn guest_in_assets(project: &Project) -> Result<Option<Guest>, DetectError> {
    let Some(package) = Package::read_at(project, "assets/package.json")? else {
        return Ok(None);
    };
    let node = node_version(project, &package)?;
    let locked = project.has("assets/package-lock.json")?;
    let (files, install) = if locked {
        (
            "COPY assets/package.json assets/package-lock.json ./assets/",
            "RUN npm ci --prefix assets",
        )
    } else {
        (
            "COPY assets/package.json ./assets/",
            "RUN npm install --prefix assets",
        )
    };
    Ok(Some(Guest {
        stage: stage(Text::fill("node:{{v}}-slim", &[("v", node.version.into())])),
        bring: node_here(),
        packages: Text::lines([files.into(), install.into()]),
        reason: format!("assets/package.json, with {}", node.reason("Node")),
    }))
}

fn stage(image: Text) -> Text {
    Text::fill("FROM {{image}} AS node", &[("image", image)])
}

fn node_here() -> Text {
    Text::fill(include_str!("../templates/node-here"), &[])
}
