//! Maven: which module is run, and what its build leaves in `target/`.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::plan::copy_existing;
use super::super::project::{Project, below};
use super::super::read::xml;
use super::super::text::Text;
use super::super::token::Token;
use super::super::versions::choice::Choice;
use super::version::{java_version, release};
use super::{Built, Found, Runnable, listens, main_class};

/// The most modules that are looked at, and the most whose sources are searched.
const MOST_MODULES: usize = 60;
const MOST_SEARCHED: usize = 8;

/// Properties that say for which Java is compiled.
const JAVA_PROPERTIES: &[&str] = &[
    "java.version",
    "maven.compiler.release",
    "maven.compiler.target",
    "maven.compiler.source",
];

/// What a build leaves to be run.
enum Product {
    /// Spring Boot's or a shaded jar.
    FatJar,
    /// The assembly plugin's second jar.
    Assembly,
    Quarkus,
    /// A jar, and those of its dependencies beside it.
    Plain(Token),
}

/// The project behind `pom.xml`.
pub(crate) fn find(project: &Project) -> Result<Found, DetectError> {
    let Some(root) = project.text("pom.xml")? else {
        return Ok(Found::No);
    };
    for (module, pom) in modules(project, &root)? {
        if let Some(product) = product(project, &module, &pom)? {
            return built(project, module, &root, &pom, &product)
                .map(|built| Found::Built(Box::new(built)));
        }
    }
    Ok(Found::Unfinished(
        "a module that makes a program (Spring Boot, a shaded jar, a main class)",
    ))
}

/// The root alone, or the modules that it names.
fn modules(project: &Project, root: &str) -> Result<Vec<(String, String)>, DetectError> {
    let named = xml::texts(root, &["project", "modules", "module"]);
    if named.is_empty() {
        return Ok(vec![(String::new(), root.to_owned())]);
    }
    let mut modules = Vec::new();
    for path in named.into_iter().filter_map(Token::path).take(MOST_MODULES) {
        let Some(pom) = project.text(&below(path.as_str(), "pom.xml"))? else {
            continue;
        };
        if is_program(&pom) {
            return Ok(vec![(path.as_str().to_owned(), pom)]);
        }
        modules.push(path.as_str().to_owned());
    }
    // None says so: one with a main class in its sources will do.
    for module in modules.into_iter().take(MOST_SEARCHED) {
        if main_class::find(project, &module)?.is_some() {
            let pom = project
                .text(&below(&module, "pom.xml"))?
                .unwrap_or_default();
            return Ok(vec![(module, pom)]);
        }
    }
    Ok(Vec::new())
}

fn is_program(pom: &str) -> bool {
    [
        "spring-boot-maven-plugin",
        "quarkus-maven-plugin",
        "maven-shade-plugin",
        "<mainClass>",
    ]
    .iter()
    .any(|mark| pom.contains(mark))
}

fn product(project: &Project, module: &str, pom: &str) -> Result<Option<Product>, DetectError> {
    if pom.contains("spring-boot-maven-plugin") || pom.contains("maven-shade-plugin") {
        return Ok(Some(Product::FatJar));
    }
    if pom.contains("quarkus-maven-plugin") {
        return Ok(Some(Product::Quarkus));
    }
    if pom.contains("jar-with-dependencies") {
        return Ok(Some(Product::Assembly));
    }
    if xml::text(pom, &["project", "packaging"]) == Some("war") {
        return Ok(None);
    }
    let properties = ["exec.mainClass", "main.class", "mainClass", "start-class"];
    let named = properties
        .iter()
        .find_map(|name| xml::text(pom, &["project", "properties", name]))
        .or_else(|| xml::text_of(pom, "mainClass"))
        .and_then(Token::dotted);
    let class = match named {
        Some(class) => Some(class),
        None => main_class::find(project, module)?,
    };
    Ok(class.map(Product::Plain))
}

fn built(
    project: &Project,
    module: String,
    root: &str,
    pom: &str,
    product: &Product,
) -> Result<Built, DetectError> {
    let java = java_version(project, required_java(pom).or_else(|| required_java(root)))?;
    let wrapper = project.has("mvnw")? && project.has(".mvn/wrapper/maven-wrapper.properties")?;
    let (image, mvn) = if wrapper {
        ("eclipse-temurin:{{java}}-jdk", "sh mvnw -B")
    } else {
        ("maven:3.9-eclipse-temurin-{{java}}", "mvn -B")
    };
    let target = below(&module, "target");
    let target = Token::path(&target)
        .ok_or_else(|| DetectError::unusable("pom.xml", "a module", &module))?;
    let (out, runnable, what) = out(pom, &target, product);
    let stage = Text::fill(
        include_str!("../templates/maven-build.Dockerfile"),
        &[
            ("image", Text::fill(image, &[("java", java.version.into())])),
            (
                "dependencies",
                dependencies(project, &module, wrapper, mvn)?,
            ),
            ("mvn", mvn.into()),
            ("module", module_argument(&module)),
            ("goals", goals(product).into()),
            ("out", out),
        ],
    );
    let tool = if wrapper {
        "Maven by its wrapper (mvnw)"
    } else {
        "Maven"
    };
    let why = format!("{} makes {what}", below(&module, "pom.xml"));
    Ok(Built {
        stage,
        java,
        runnable,
        kotlin: pom.contains("kotlin-maven-plugin") || root.contains("kotlin-maven-plugin"),
        reasons: vec![why, tool.to_owned()],
        module,
        listens: listens(pom),
    })
}

fn required_java(pom: &str) -> Option<Choice> {
    let property = |name: &&str| xml::text(pom, &["project", "properties", name]);
    JAVA_PROPERTIES
        .iter()
        .find_map(property)
        .or_else(|| xml::text_of(pom, "release"))
        .and_then(|text| release(text, "pom.xml"))
}

/// The lines that bring the dependencies before the sources; modules that need each other make that impossible.
fn dependencies(
    project: &Project,
    module: &str,
    wrapper: bool,
    mvn: &'static str,
) -> Result<Text, DetectError> {
    if !module.is_empty() {
        return Ok(Text::default());
    }
    let settings = wrapper || project.has_directory(".mvn")?;
    Ok(Text::lines([
        copy_existing(
            project,
            if wrapper {
                &["mvnw", "pom.xml"]
            } else {
                &["pom.xml"]
            },
        )?,
        if settings {
            "COPY .mvn ./.mvn".into()
        } else {
            Text::default()
        },
        Text::fill("RUN {{mvn}} dependency:go-offline", &[("mvn", mvn.into())]),
    ]))
}

/// ` --projects NAME --also-make`.
fn module_argument(module: &str) -> Text {
    Token::path(module).map_or_else(Text::default, |path| {
        Text::fill(" --projects {{path}} --also-make", &[("path", path.into())])
    })
}

fn goals(product: &Product) -> &'static str {
    match product {
        Product::Plain(_) => {
            "package dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=/out/lib"
        }
        _ => "package",
    }
}

/// The command that puts what is run into `/out`, how it is run, and what to call it in the reason.
fn out(pom: &str, target: &Token, product: &Product) -> (Text, Runnable, &'static str) {
    match product {
        Product::FatJar => (
            copy_jar(pom, target, "", "/out"),
            Runnable::Jar("app.jar"),
            "a jar that runs",
        ),
        Product::Assembly => (
            copy_jar(pom, target, "-jar-with-dependencies", "/out"),
            Runnable::Jar("app.jar"),
            "a jar that runs",
        ),
        Product::Quarkus => (
            Text::fill(
                "mkdir /out && cp -r {{target}}/quarkus-app/. /out/",
                &[("target", target.into())],
            ),
            Runnable::Jar("quarkus-run.jar"),
            "a Quarkus application",
        ),
        Product::Plain(class) => (
            copy_jar(pom, target, "", "/out/lib"),
            Runnable::Class(class.clone()),
            "a jar with a main class",
        ),
    }
}

/// The command that copies the module's jar, by its name where the manifest says it.
fn copy_jar(pom: &str, target: &Token, suffix: &'static str, to: &'static str) -> Text {
    let name = jar_name(pom);
    // Spring Boot's web archive runs as a jar does.
    let war = xml::text(pom, &["project", "packaging"]) == Some("war");
    let kind = if war { "war" } else { "jar" };
    let template = if name.is_some() {
        "mkdir -p {{to}} && cp {{target}}/{{name}}{{suffix}}.{{kind}} {{to}}/app.jar"
    } else {
        include_str!("../templates/find-jar")
    };
    Text::fill(
        template,
        &[
            ("target", target.into()),
            ("name", name.unwrap_or_default()),
            ("suffix", suffix.into()),
            ("kind", kind.into()),
            ("to", to.into()),
        ],
    )
}

/// `artifactId-version`, or `finalName`; `None` when a property stands in them.
fn jar_name(pom: &str) -> Option<Text> {
    if let Some(name) = xml::text(pom, &["project", "build", "finalName"]) {
        return Token::name(name).map(Text::from);
    }
    let artifact = xml::text(pom, &["project", "artifactId"]).and_then(Token::name)?;
    let version = xml::text(pom, &["project", "version"])
        .or_else(|| xml::text(pom, &["project", "parent", "version"]))
        .and_then(Token::name)?;
    Some(Text::concat([artifact.into(), "-".into(), version.into()]))
}
