//! Sites that a tool of npm builds and that are then files, served by nginx.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::read::json::Json;
use super::super::read::source::{Syntax, assigned, without_comments};
use super::super::text::Text;
use super::super::token::Token;
use super::build::{Build, Steps};
use super::start::starts_server;

/// A tool that builds a site.
struct Tool {
    /// The package that gives it away.
    package: &'static str,
    /// What builds when there is no build script.
    command: &'static str,
    /// Where it puts the files.
    output: &'static str,
    /// Whether the page itself understands every address.
    single_page: bool,
}

/// Tools that build on others come first: nearly all of them bring Vite.
const TOOLS: &[Tool] = &[
    tool("@angular/cli", "ng build", "dist", true),
    tool("react-scripts", "react-scripts build", "build", true),
    tool("@vue/cli-service", "vue-cli-service build", "dist", true),
    tool("@sveltejs/adapter-static", "vite build", "build", false),
    tool(
        "@react-router/dev",
        "react-router build",
        "build/client",
        true,
    ),
    tool("gatsby", "gatsby build", "public", false),
    tool("@docusaurus/core", "docusaurus build", "build", false),
    tool("@11ty/eleventy", "eleventy", "_site", false),
    tool("astro", "astro build", "dist", false),
    tool("vite", "vite build", "dist", true),
];

/// Frameworks whose output is a server, whatever builds it.
const SERVERS: &[&str] = &[
    "@astrojs/node",
    "@sveltejs/adapter-node",
    "@sveltejs/adapter-auto",
    "nuxt",
    "@nestjs/core",
];

const fn tool(
    package: &'static str,
    command: &'static str,
    output: &'static str,
    single_page: bool,
) -> Tool {
    Tool {
        package,
        command,
        output,
        single_page,
    }
}

/// The file for a site, and what gave it away.
pub(crate) fn plan(
    project: &Project,
    build: &Build,
) -> Result<Option<(Text, String)>, DetectError> {
    let package = &build.package;
    if starts_server(package) || SERVERS.iter().any(|name| package.uses(name)) {
        return nuxt_generated(project, build);
    }
    let Some(tool) = TOOLS.iter().find(|tool| package.uses(tool.package)) else {
        return Ok(None);
    };
    let script = build.build_script();
    let command = if script.is_empty() {
        build.manager.execute(tool.command)
    } else {
        script
    };
    let output = output(project, tool)?;
    let why = format!(
        "package.json names {} and no server; its output is {}",
        tool.package,
        output.as_str()
    );
    let text = files(project, build, command, output, tool.single_page)?;
    Ok(Some((text, why)))
}

/// `nuxt generate` writes files instead of a server.
fn nuxt_generated(project: &Project, build: &Build) -> Result<Option<(Text, String)>, DetectError> {
    let generates = build
        .package
        .script("build")
        .is_some_and(|script| script.trim() == "nuxt generate");
    if !generates || !build.package.uses("nuxt") {
        return Ok(None);
    }
    let text = files(
        project,
        build,
        build.build_script(),
        ".output/public".into(),
        false,
    )?;
    Ok(Some((
        text,
        "package.json builds with nuxt generate".to_owned(),
    )))
}

/// The file that builds with `command` and serves the files in `output`.
pub(crate) fn files(
    project: &Project,
    build: &Build,
    command: Text,
    output: Text,
    single_page: bool,
) -> Result<Text, DetectError> {
    let copy = Text::fill(
        "COPY --from=build /app/{{output}} /usr/share/nginx/html",
        &[("output", output)],
    );
    let stage = build.stage(project, Steps::build(command))?;
    Ok(served(stage, copy, single_page))
}

/// nginx over the files that `copy` brings, after the stages `before`.
pub(crate) fn served(before: Text, copy: Text, single_page: bool) -> Text {
    let tried = if single_page {
        "$uri /index.html"
    } else {
        "$uri $uri.html $uri/ =404"
    };
    Text::fill(
        include_str!("../templates/nginx.Dockerfile"),
        &[("before", before), ("copy", copy), ("tried", tried.into())],
    )
}

/// Where the tool puts its files in this project.
fn output(project: &Project, tool: &Tool) -> Result<Text, DetectError> {
    let configured = match tool.package {
        "@angular/cli" => angular_output(project)?,
        "vite" => configured_output(
            project,
            &[
                "vite.config.ts",
                "vite.config.js",
                "vite.config.mjs",
                "vite.config.mts",
            ],
        )?,
        "astro" => configured_output(
            project,
            &["astro.config.mjs", "astro.config.ts", "astro.config.js"],
        )?,
        _ => None,
    };
    Ok(configured.map_or_else(|| tool.output.into(), Text::from))
}

fn configured_output(project: &Project, files: &[&str]) -> Result<Option<Token>, DetectError> {
    let Some(file) = project.first_of(files)? else {
        return Ok(None);
    };
    let config = project.text(file)?.unwrap_or_default();
    let config = without_comments(&config, Syntax::Slashes);
    Ok(assigned(&config, "outDir").and_then(Token::path))
}

/// `outputPath` of the first project in `angular.json`; the newer builder puts the page into `browser` below it.
fn angular_output(project: &Project) -> Result<Option<Token>, DetectError> {
    let Some(json) = project.json("angular.json", true)? else {
        return Ok(None);
    };
    let projects = json.get("projects");
    let name = projects
        .as_ref()
        .and_then(|projects| projects.keys().into_iter().next());
    let (Some(projects), Some(name)) = (projects, name) else {
        return Ok(None);
    };
    let Some(target) = projects.at(&[&name, "architect", "build"]) else {
        return Ok(None);
    };
    let options = target.get("options");
    let path = options
        .as_ref()
        .and_then(|options| options.get("outputPath"));
    let base = path.and_then(|path| path.string().or_else(|| path.string_at(&["base"])));
    let below = below_output(&target);
    Ok(Token::path(&format!(
        "{}{below}",
        base.unwrap_or_else(|| format!("dist/{name}"))
    )))
}

fn below_output(target: &Json) -> &'static str {
    let builder = target.string_at(&["builder"]).unwrap_or_default();
    if builder.ends_with(":application") {
        "/browser"
    } else {
        ""
    }
}
