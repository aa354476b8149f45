//! Node projects: Next.js, sites that are built and then served as files, and servers.
#![forbid(unsafe_code)]

pub(crate) mod build;
pub(crate) mod guest;
mod manager;
mod next;
mod package;
mod server;
pub(crate) mod site;
mod start;
mod version;

use super::Stack;
use super::error::DetectError;
use super::plan::{Plan, Verdict};
use super::project::Project;
use super::text::Text;
use build::Build;
use package::Package;

/// `package.json`, with something in it that can be served.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let Some(package) = Package::read(project)? else {
        return Ok(Verdict::No);
    };
    let build = Build::new(project, package)?;
    let found = match next::plan(project, &build)? {
        Some(found) => Some(found),
        None => match site::plan(project, &build)? {
            Some(found) => Some(found),
            None => server::plan(project, &build, build.build_script())?,
        },
    };
    let Some((dockerfile, why)) = found else {
        return Ok(Verdict::unfinished(
            "package.json",
            "a start script, a build tool for a site, or an entry file",
        ));
    };
    let mut reasons = vec![why];
    reasons.extend(build.reasons());
    Ok(Verdict::Match(Plan {
        stack: Stack::Node,
        dockerfile,
        reasons,
    }))
}

/// The check that connects to `PORT` from inside the container.
fn healthcheck(build: &Build) -> Text {
    Text::fill(
        include_str!("../templates/healthcheck.node"),
        &[("program", build.manager.runtime().into())],
    )
}
