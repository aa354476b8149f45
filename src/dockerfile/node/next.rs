//! Next.js: its standalone output where it is configured, an export as files, else `next start`.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::read::source::{Syntax, assigned, without_comments};
use super::super::text::Text;
use super::super::token::Token;
use super::build::{Build, Steps};
use super::{healthcheck, server, site};

const CONFIGS: &[&str] = &[
    "next.config.js",
    "next.config.mjs",
    "next.config.ts",
    "next.config.cjs",
];

/// The file for a Next.js project.
pub(crate) fn plan(
    project: &Project,
    build: &Build,
) -> Result<Option<(Text, String)>, DetectError> {
    if !build.package.uses("next") {
        return Ok(None);
    }
    let config_file = project.first_of(CONFIGS)?.unwrap_or("next.config.js");
    let config = project.text(config_file)?.unwrap_or_default();
    let config = without_comments(&config, Syntax::Slashes);
    let output = assigned(&config, "output").unwrap_or_default();
    let directory = assigned(&config, "distDir").and_then(Token::path);
    let why = format!("package.json names next; {config_file} has the output {output}");
    match output {
        "standalone" => {
            let directory = directory.map_or_else(|| Text::from(".next"), Text::from);
            let text = standalone(project, build, &directory)?;
            Ok(Some((text, why)))
        }
        "export" => {
            let directory = directory.map_or_else(|| Text::from("out"), Text::from);
            let text = site::files(project, build, build_command(build), directory, false)?;
            Ok(Some((text, why)))
        }
        _ => started(project, build),
    }
}

fn started(project: &Project, build: &Build) -> Result<Option<(Text, String)>, DetectError> {
    if let Some((text, why)) = server::plan(project, build, build_command(build))? {
        return Ok(Some((text, format!("package.json names next; {why}"))));
    }
    Ok(None)
}

fn standalone(project: &Project, build: &Build, directory: &Text) -> Result<Text, DetectError> {
    let steps = Steps {
        env: "ENV NEXT_TELEMETRY_DISABLED=1".into(),
        ..Steps::build(build_command(build))
    };
    let public = if project.has_directory("public")? {
        "COPY --from=build --chown=1000:1000 /app/public ./public"
    } else {
        ""
    };
    Ok(Text::fill(
        include_str!("../templates/node-next.Dockerfile"),
        &[
            ("build_stage", build.stage(project, steps)?),
            ("image", build.manager.run_image(&build.node)),
            ("dist", directory.clone()),
            ("public", public.into()),
            ("healthcheck", healthcheck(build)),
            ("program", build.manager.runtime().into()),
        ],
    ))
}

fn build_command(build: &Build) -> Text {
    let script = build.build_script();
    if script.is_empty() {
        return build.manager.execute("next build");
    }
    script
}
