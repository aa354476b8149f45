//! Python projects: Django, Flask, `FastAPI` and plain programs, installed by pip, poetry, pipenv or uv.
#![forbid(unsafe_code)]

mod app;
mod django;
mod install;
mod requirements;
mod version;

use super::Stack;
use super::error::DetectError;
use super::node::build::Assets;
use super::plan::{Plan, Verdict};
use super::project::Project;
use super::text::Text;
use super::versions::choice::Choice;
use app::App;
use install::Installer;
use requirements::Requirements;
use version::python_version;

/// A manifest, and a module that can be started.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let installer = Installer::detect(project)?;
    let Some(manifest) = installer.manifest else {
        return Ok(if project.has("manage.py")? {
            let missing = "what it requires (requirements.txt, pyproject.toml, Pipfile)";
            Verdict::unfinished("manage.py", missing)
        } else {
            Verdict::No
        });
    };
    let requirements = Requirements::read(project)?;
    let found = match django::find(project)? {
        Some(found) => Some(found),
        None => app::find(project, &requirements)?,
    };
    match found {
        Some(app) => plan(project, &installer, &requirements, app).map(Verdict::Match),
        None => Ok(Verdict::unfinished(
            manifest,
            "a module that creates the application (manage.py, app.py, main.py, wsgi.py)",
        )),
    }
}

/// A single script without a manifest.
pub(crate) fn detect_script(project: &Project) -> Result<Verdict, DetectError> {
    let Some(app) = app::script(project)? else {
        return Ok(Verdict::No);
    };
    let installer = Installer::detect(project)?;
    plan(project, &installer, &Requirements::default(), app).map(Verdict::Match)
}

fn plan(
    project: &Project,
    installer: &Installer,
    requirements: &Requirements,
    app: App,
) -> Result<Plan, DetectError> {
    let python = python_version(project)?;
    let assets = Assets::of(project, "COPY . .")?;
    let server = app
        .server
        .filter(|server| !requirements.has(server.package));
    let build_stage = build_stage(project, installer, &python, server)?;
    let packages = "ENV PATH=/opt/venv/bin:$PATH\nCOPY --from=build /opt/venv /opt/venv";
    let sources = assets.or(
        "COPY --from=assets --chown=10001:10001 /app ./",
        "COPY --chown=10001:10001 . .",
    );
    let dockerfile = Text::fill(
        include_str!("../templates/python.Dockerfile"),
        &[
            ("packages", Text::when(!build_stage.is_empty(), packages)),
            ("build_stage", build_stage),
            ("assets", assets.stage),
            ("version", python.version.into()),
            ("libraries", requirements.runtime_libraries()),
            ("path", Text::when(app.below_src, "ENV PYTHONPATH=/app/src")),
            ("sources", sources),
            ("collect", app.collect),
            ("port", app.port.into()),
            ("healthcheck", healthcheck(app.port).only_if(app.listens)),
            ("command", app.command),
        ],
    );
    let mut reasons = vec![app.why];
    reasons.extend(installer.reason());
    reasons.push(python.reason("Python"));
    reasons.extend(assets.reason);
    Ok(Plan {
        stack: Stack::Python,
        dockerfile,
        reasons,
    })
}

fn healthcheck(port: u16) -> Text {
    Text::fill(
        include_str!("../templates/healthcheck.python"),
        &[("port", port.into())],
    )
}

fn build_stage(
    project: &Project,
    installer: &Installer,
    python: &Choice,
    server: Option<app::Server>,
) -> Result<Text, DetectError> {
    let extra = server.map_or_else(Text::default, |server| installer.add(server.requirement));
    if installer.manifest.is_none() && extra.is_empty() {
        return Ok(Text::default());
    }
    Ok(Text::fill(
        include_str!("../templates/python-build.Dockerfile"),
        &[
            ("version", python.version.into()),
            ("tool", installer.tool(project)?),
            ("env", installer.env()),
            ("install", installer.install(project)?),
            ("extra", extra),
        ],
    ))
}
