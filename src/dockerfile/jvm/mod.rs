//! Java and Kotlin: Maven and Gradle, Spring Boot, fat jars and plain programs.
#![forbid(unsafe_code)]

mod gradle;
mod gradle_file;
mod main_class;
mod maven;
mod version;

use super::Stack;
use super::error::DetectError;
use super::plan::{Plan, Verdict, bash_healthcheck, port};
use super::project::{Project, below};
use super::text::Text;
use super::token::Token;
use super::versions::choice::Choice;

/// Libraries that listen on a port. Without one of them a check could call a worker ill.
const LISTENING: &[&str] = &[
    "spring-boot-starter-web",
    "quarkus-rest",
    "quarkus-resteasy",
    "quarkus-vertx-http",
    "micronaut-http-server",
    "io.ktor",
    "ktor-server",
    "io.javalin",
    "vertx-web",
    "com.sparkjava",
    "dropwizard-core",
    "http4k-server",
];

const PORT: u16 = 8080;

/// What is run out of `/app`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Runnable {
    /// A jar that holds all it needs, or names it.
    Jar(&'static str),
    /// A class in one of the jars in `lib/`.
    Class(Token),
}

/// A build by either tool, before the run-time stage.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) stage: Text,
    pub(crate) java: Choice,
    pub(crate) runnable: Runnable,
    /// The directory of the module that is run.
    pub(crate) module: String,
    /// Whether it surely listens.
    pub(crate) listens: bool,
    pub(crate) kotlin: bool,
    pub(crate) reasons: Vec<String>,
}

/// What a build tool answers.
pub(crate) enum Found {
    Built(Box<Built>),
    Unfinished(&'static str),
    No,
}

/// `pom.xml`, else `build.gradle(.kts)`.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let mut unfinished = None;
    for (file, found) in [
        ("pom.xml", maven::find(project)?),
        ("build.gradle", gradle::find(project)?),
    ] {
        match found {
            Found::Built(built) => return plan(project, *built).map(Verdict::Match),
            Found::Unfinished(missing) => unfinished = unfinished.or(Some((file, missing))),
            Found::No => {}
        }
    }
    Ok(unfinished.map_or(Verdict::No, |(file, missing)| {
        Verdict::unfinished(file, missing)
    }))
}

/// Whether a build file names a library that listens.
fn listens(text: &str) -> bool {
    LISTENING.iter().any(|name| text.contains(name))
}

fn plan(project: &Project, built: Built) -> Result<Plan, DetectError> {
    let port = configured_port(project, &built.module)?.unwrap_or(PORT);
    let target = match built.runnable {
        Runnable::Jar(name) => vec!["-jar".into(), Text::from(name)],
        Runnable::Class(class) => vec!["-cp".into(), "lib/*".into(), class.into()],
    };
    let java: [Text; 2] = ["java".into(), "-XX:MaxRAMPercentage=75.0".into()];
    let mut reasons = built.reasons;
    reasons.push(built.java.reason("Java"));
    Ok(Plan {
        stack: if built.kotlin {
            Stack::Kotlin
        } else {
            Stack::Java
        },
        dockerfile: Text::fill(
            include_str!("../templates/jvm.Dockerfile"),
            &[
                ("build_stage", built.stage),
                ("java", built.java.version.into()),
                ("port", port.into()),
                ("healthcheck", bash_healthcheck(port).only_if(built.listens)),
                ("command", Text::exec(java.into_iter().chain(target))),
            ],
        ),
        reasons,
    })
}

/// `server.port` of Spring's properties.
fn configured_port(project: &Project, module: &str) -> Result<Option<u16>, DetectError> {
    let file = below(module, "src/main/resources/application.properties");
    let text = project.text(&file)?.unwrap_or_default();
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let found = pairs.find(|(key, _)| ["server.port", "quarkus.http.port"].contains(&key.trim()));
    Ok(found.and_then(|(_, value)| port(value.trim())))
}
