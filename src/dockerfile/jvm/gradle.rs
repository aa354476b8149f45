//! Gradle: which project of the build is run, and which task makes it.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::plan::copy_existing;
use super::super::project::{Project, below};
use super::super::text::Text;
use super::super::token::Token;
use super::super::versions::Version;
use super::super::versions::choice::Choice;
use super::super::versions::defaults::{GRADLE, GRADLE_FOR_NEW_JAVA};
use super::gradle_file::{BuildFile, build_files};
use super::version::java_version;
use super::{Built, Found, Runnable, main_class};

/// Files that configure a build, copied before the sources.
const MANIFESTS: &[&str] = &[
    "gradlew",
    "settings.gradle.kts",
    "settings.gradle",
    "build.gradle.kts",
    "build.gradle",
    "gradle.properties",
    "gradle.lockfile",
];

/// A plugin that makes something that runs: the task, and where it leaves it.
pub(super) struct Maker {
    pub(super) plugin: &'static str,
    task: &'static str,
    output: &'static str,
    jar: Option<&'static str>,
}

/// `application` is applied by most of the others, so it comes last.
pub(super) const MAKERS: &[Maker] = &[
    maker(
        "org.springframework.boot",
        "bootJar",
        "cp {{at}}/libs/*.jar /out/app.jar",
        Some("app.jar"),
    ),
    maker(
        "io.quarkus",
        "quarkusBuild",
        "cp -r {{at}}/quarkus-app/. /out/",
        Some("quarkus-run.jar"),
    ),
    maker(
        "io.ktor.plugin",
        "buildFatJar",
        "cp {{at}}/libs/*-all.jar /out/app.jar",
        Some("app.jar"),
    ),
    maker(
        "com.gradleup.shadow",
        "shadowJar",
        "cp {{at}}/libs/*-all.jar /out/app.jar",
        Some("app.jar"),
    ),
    maker(
        "com.github.johnrengelman.shadow",
        "shadowJar",
        "cp {{at}}/libs/*-all.jar /out/app.jar",
        Some("app.jar"),
    ),
    maker(
        "io.micronaut.application",
        "installDist",
        "cp -r {{at}}/install/*/. /out/",
        None,
    ),
    maker(
        "application",
        "installDist",
        "cp -r {{at}}/install/*/. /out/",
        None,
    ),
];

const fn maker(
    plugin: &'static str,
    task: &'static str,
    output: &'static str,
    jar: Option<&'static str>,
) -> Maker {
    Maker {
        plugin,
        task,
        output,
        jar,
    }
}

/// The project behind `build.gradle(.kts)` or `settings.gradle(.kts)`.
pub(crate) fn find(project: &Project) -> Result<Found, DetectError> {
    let files = build_files(project)?;
    if files.is_empty() {
        return Ok(Found::No);
    }
    for file in &files {
        let Some(maker) = file.maker else { continue };
        let runnable = match (maker.jar, &file.main) {
            (Some(jar), _) => Some(Runnable::Jar(jar)),
            (None, Some(class)) => Some(Runnable::Class(class.clone())),
            (None, None) => main_class::find(project, &file.module)?.map(Runnable::Class),
        };
        if let Some(runnable) = runnable {
            let built = built(project, &files, file, maker, runnable)?;
            return Ok(Found::Built(Box::new(built)));
        }
    }
    Ok(Found::Unfinished(
        "a project that makes a program (Spring Boot, a fat jar, the application plugin)",
    ))
}

fn built(
    project: &Project,
    files: &[BuildFile],
    file: &BuildFile,
    maker: &Maker,
    runnable: Runnable,
) -> Result<Built, DetectError> {
    let all = || [file].into_iter().chain(files);
    let java = java_version(project, all().find_map(|file| file.java))?;
    let gradle = Gradle::of(project, java)?;
    let at = Token::path(&below(&file.module, "build"))
        .ok_or_else(|| DetectError::unusable("settings.gradle", "a project", &file.module))?;
    let several =
        files.iter().any(|file| !file.module.is_empty()) || project.has_directory("buildSrc")?;
    let stage = Text::fill(
        include_str!("../templates/gradle-build.Dockerfile"),
        &[
            ("dependencies", gradle.dependencies(project, several)?),
            ("image", gradle.image),
            ("gradle", gradle.command.into()),
            ("task", task(&file.module, maker.task)),
            ("out", Text::fill(maker.output, &[("at", at.into())])),
        ],
    );
    let why = format!("{} applies {}", file.path, maker.plugin);
    Ok(Built {
        stage,
        java,
        runnable,
        module: file.module.clone(),
        kotlin: all().any(|file| file.kotlin),
        listens: all().any(|file| file.listens),
        reasons: vec![why, gradle.why.to_owned()],
    })
}

/// `:services:api:bootJar`.
fn task(module: &str, name: &'static str) -> Text {
    let path = if module.is_empty() {
        None
    } else {
        Token::word(&format!(":{}:", module.replace('/', ":")))
    };
    Text::concat([path.map_or_else(Text::default, Text::from), name.into()])
}

/// How Gradle gets into the build stage.
struct Gradle {
    image: Text,
    command: &'static str,
    wrapper: bool,
    why: &'static str,
}

impl Gradle {
    /// The wrapper, where its jar is there, else the image that has Gradle.
    fn of(project: &Project, java: Choice) -> Result<Self, DetectError> {
        if project.has("gradlew")? && project.has("gradle/wrapper/gradle-wrapper.jar")? {
            return Ok(Self {
                image: Text::fill(
                    "eclipse-temurin:{{java}}-jdk",
                    &[("java", java.version.into())],
                ),
                command: "sh gradlew --no-daemon",
                wrapper: true,
                why: "Gradle by its wrapper (gradlew)",
            });
        }
        let gradle = gradle_version(project, java.version)?;
        let values = [("gradle", gradle.into()), ("java", java.version.into())];
        Ok(Self {
            image: Text::fill("gradle:{{gradle}}-jdk{{java}}", &values),
            command: "gradle --no-daemon",
            wrapper: false,
            why: "Gradle",
        })
    }

    /// The lines that bring Gradle, and where one build file says everything also what it resolves.
    fn dependencies(&self, project: &Project, several: bool) -> Result<Text, DetectError> {
        let directory = if project.has_directory("gradle")? {
            "COPY gradle ./gradle"
        } else {
            ""
        };
        if several && !self.wrapper {
            return Ok(Text::default());
        }
        if several {
            let lines = ["COPY gradlew ./", directory, "RUN sh gradlew --version"];
            return Ok(Text::lines(lines.map(Text::from)));
        }
        Ok(Text::lines([
            copy_existing(project, MANIFESTS)?,
            directory.into(),
            Text::fill(
                "RUN {{gradle}} dependencies > /dev/null",
                &[("gradle", self.command.into())],
            ),
        ]))
    }
}

/// The wrapper's version where its jar is missing, else ours; Java 25 needs Gradle 9.
fn gradle_version(project: &Project, java: Version) -> Result<Version, DetectError> {
    let properties = project
        .text("gradle/wrapper/gradle-wrapper.properties")?
        .unwrap_or_default();
    let named = properties
        .lines()
        .find_map(|line| line.strip_prefix("distributionUrl="))
        .and_then(|url| url.rsplit_once("gradle-"))
        .and_then(|(_, file)| file.split('-').next())
        .and_then(Version::parse);
    let ours = if java.at_least(25, 0) {
        GRADLE_FOR_NEW_JAVA
    } else {
        GRADLE
    };
    Ok(named.unwrap_or_else(|| ours.default()))
}
