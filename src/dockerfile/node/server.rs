//! Node servers: a build stage, then the sources, their packages and what was built, as they are.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::text::Text;
use super::build::{Build, Steps};
use super::healthcheck;
use super::start;

/// Packages that listen on a port. Without one of them the program may be a worker, and a check would call it ill.
const LISTENING: &[&str] = &[
    "@adonisjs/core",
    "@apollo/server",
    "@astrojs/node",
    "@hapi/hapi",
    "@nestjs/core",
    "@react-router/node",
    "@remix-run/node",
    "@strapi/strapi",
    "@sveltejs/kit",
    "elysia",
    "express",
    "fastify",
    "h3",
    "hono",
    "koa",
    "next",
    "nuxt",
    "polka",
    "restify",
    "socket.io",
    "ws",
];

/// Frameworks that listen on loopback unless they are told otherwise.
const NEEDS_HOST: &[&str] = &["nuxt", "@astrojs/node", "@sveltejs/kit"];

const DEFAULT_PORT: u16 = 3000;

/// The file for a server that `command` builds, if anything, and where its start was found.
pub(crate) fn plan(
    project: &Project,
    build: &Build,
    command: Text,
) -> Result<Option<(Text, String)>, DetectError> {
    let Some(start) = start::find(project, build)? else {
        return Ok(None);
    };
    let package = &build.package;
    let uses_any = |names: &[&str]| names.iter().any(|name| package.uses(name));
    let steps = Steps {
        prune: !start.needs_development,
        ..Steps::build(command)
    };
    let host = Text::when(uses_any(NEEDS_HOST), "ENV HOST=0.0.0.0");
    let health = healthcheck(build).only_if(uses_any(LISTENING));
    let text = Text::fill(
        include_str!("../templates/node-server.Dockerfile"),
        &[
            ("build_stage", build.stage(project, steps)?),
            ("image", build.manager.run_image(&build.node)),
            ("host", host),
            ("port", start.port.unwrap_or(DEFAULT_PORT).into()),
            ("healthcheck", health),
            ("command", start.command),
        ],
    );
    Ok(Some((text, start.why)))
}
