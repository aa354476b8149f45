//! Gradle's build files: what each of them makes, and for which Java.
//!
//! Only these few facts are kept of a file; a build may have dozens of them.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::{Project, below};
use super::super::read::source::{
    Syntax, assigned, has_word, number, quoted, without_comments, words,
};
use super::super::read::toml::Toml;
use super::super::token::Token;
use super::super::versions::choice::Choice;
use super::gradle::{MAKERS, Maker};
use super::listens;
use super::version::{release, toolchain};

/// The most projects of a build that are looked at.
const MOST_PROJECTS: usize = 60;

/// The most plugins of a version catalog that are known by their alias.
const MOST_PLUGINS: usize = 50;

/// What a build file says.
pub(super) struct BuildFile {
    pub(super) path: String,
    /// The directory of its project, empty for the root.
    pub(super) module: String,
    /// The plugin that makes something that runs.
    pub(super) maker: Option<&'static Maker>,
    /// The main class that it names.
    pub(super) main: Option<Token>,
    pub(super) java: Option<Choice>,
    pub(super) kotlin: bool,
    pub(super) listens: bool,
}

impl BuildFile {
    fn new(path: String, module: String, text: &str, catalog: &Catalog) -> Self {
        Self {
            maker: MAKERS
                .iter()
                .find(|maker| catalog.applies(text, maker.plugin)),
            main: main_class(text),
            java: required_java(&path, text),
            kotlin: text.contains("kotlin(\"jvm\")")
                || catalog.applies(text, "org.jetbrains.kotlin.jvm"),
            listens: listens(text) || catalog.listens,
            path,
            module,
        }
    }
}

/// The root's build file, then those of the included projects.
pub(super) fn build_files(project: &Project) -> Result<Vec<BuildFile>, DetectError> {
    let catalog = Catalog::read(
        &project
            .text("gradle/libs.versions.toml")?
            .unwrap_or_default(),
    );
    let mut files = Vec::new();
    for module in modules(project)? {
        for name in ["build.gradle.kts", "build.gradle"] {
            let path = below(&module, name);
            if let Some(text) = project.text(&path)? {
                let text = without_comments(&text, Syntax::Slashes);
                files.push(BuildFile::new(path, module, &text, &catalog));
                break;
            }
        }
    }
    Ok(files)
}

/// The directories of the build's projects, the root first.
fn modules(project: &Project) -> Result<Vec<String>, DetectError> {
    let mut modules = vec![String::new()];
    if let Some(file) = project.first_of(&["settings.gradle.kts", "settings.gradle"])? {
        let settings = project.text(file)?.unwrap_or_default();
        let settings = without_comments(&settings, Syntax::Slashes);
        modules.extend(
            words(&settings, "include")
                .flat_map(included)
                .take(MOST_PROJECTS),
        );
    }
    Ok(modules)
}

/// Directories of `include(":app", "services:api")` and `include 'app'`.
fn included(after: &str) -> Vec<String> {
    let mut rest = after.trim_start().trim_start_matches('(');
    let mut all = Vec::new();
    while let Some(name) = quoted(rest.trim_start()) {
        if let Some(path) = Token::path(&name.trim_start_matches(':').replace(':', "/")) {
            all.push(path.as_str().to_owned());
        }
        rest = &rest.trim_start()[name.len() + 2..];
        let Some(next) = rest.trim_start().strip_prefix(',') else {
            break;
        };
        rest = next;
    }
    all
}

/// The plugins of a version catalog: how a build file names them, and what they are.
struct Catalog {
    plugins: Vec<(String, String)>,
    /// Whether one of its libraries listens.
    listens: bool,
}

impl Catalog {
    fn read(text: &str) -> Self {
        let toml = Toml(text);
        let entry = |alias: &str| {
            let id = toml.string(&format!("plugins.{alias}.id"));
            let id = id.or_else(|| toml.string(&format!("plugins.{alias}"))?.split(':').next())?;
            let name = format!("libs.plugins.{}", alias.replace(['-', '_'], "."));
            Some((name, id.to_owned()))
        };
        Self {
            plugins: toml
                .keys("plugins")
                .take(MOST_PLUGINS)
                .filter_map(entry)
                .collect(),
            listens: listens(text),
        }
    }

    /// Whether a build file applies a plugin, by its name or by its alias.
    fn applies(&self, text: &str, plugin: &str) -> bool {
        if plugin == "application" {
            return text.lines().map(str::trim).any(applies_application);
        }
        let by_alias = |(alias, id): &(String, String)| id == plugin && has_word(text, alias);
        text.contains(plugin) || self.plugins.iter().any(by_alias)
    }
}

/// The word alone stands for many things; the plugin is applied in one of four ways.
fn applies_application(line: &str) -> bool {
    line == "application"
        || line == "`application`"
        || assigned(line, "id") == Some("application")
        || assigned(line, "plugin") == Some("application")
}

fn main_class(text: &str) -> Option<Token> {
    let set = words(text, "mainClass").find_map(|after| {
        let after = after.trim_start().trim_start_matches(".set");
        quoted(after.trim_start_matches([' ', '=', '(']))
    });
    set.or_else(|| assigned(text, "mainClassName"))
        .and_then(Token::dotted)
}

fn required_java(path: &str, text: &str) -> Option<Choice> {
    let kotlin_script = path.rsplit('.').next() == Some("kts");
    let from = if kotlin_script {
        "build.gradle.kts"
    } else {
        "build.gradle"
    };
    let exact = number(text, "JavaLanguageVersion.of").or_else(|| number(text, "jvmToolchain"));
    if let Some(choice) = exact.and_then(|version| toolchain(version, from)) {
        return Some(choice);
    }
    ["sourceCompatibility", "targetCompatibility", "jvmTarget"]
        .iter()
        .find_map(|key| {
            words(text, key)
                .find_map(java_constant)
                .or_else(|| assigned(text, key))
                .or_else(|| number(text, key))
                .and_then(|version| release(version, from))
        })
}

/// `17` of ` = JavaVersion.VERSION_17`, `8` of `VERSION_1_8`.
fn java_constant(after: &str) -> Option<&str> {
    let constant = after
        .trim_start_matches([' ', '=', '('])
        .strip_prefix("JavaVersion.VERSION_")?;
    let mut numbers = constant.split(|c: char| !c.is_ascii_digit());
    numbers.find(|number| *number != "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn included_projects_become_directories() {
        assert_eq!(
            included("(\":app\", \"services:api\")"),
            ["app", "services/api"]
        );
        assert_eq!(
            included(" 'app', ':lib'\nrootProject.name = 'x'"),
            ["app", "lib"]
        );
        assert!(included("(\"../x\", \"$(id)\")").is_empty());
        assert!(included("Build(\"x\")").is_empty());
    }

    #[test]
    fn plugins_are_found_by_name_and_by_alias() {
        let catalog = Catalog::read(
            "[plugins]\nspring-boot = { id = \"org.springframework.boot\", version = \"3\" }\nkotlin-jvm = \"org.jetbrains.kotlin.jvm:2.1\"",
        );
        let applies = |text: &str, plugin| catalog.applies(text, plugin);
        assert!(applies(
            "alias(libs.plugins.spring.boot)",
            "org.springframework.boot"
        ));
        assert!(applies(
            "alias(libs.plugins.kotlin.jvm)",
            "org.jetbrains.kotlin.jvm"
        ));
        assert!(!applies(
            "alias(libs.plugins.other)",
            "org.springframework.boot"
        ));
        for text in [
            "plugins {\n  application\n}",
            "id 'application'",
            "id(\"application\")",
            "apply plugin: 'application'",
        ] {
            assert!(applies(text, "application"), "{text}");
        }
        assert!(!applies("id 'com.android.application'", "application"));
    }

    #[test]
    fn java_is_found_in_every_spelling() {
        for (text, version) in [
            ("languageVersion = JavaLanguageVersion.of(19)", "19"),
            ("kotlin { jvmToolchain(17) }", "17"),
            ("sourceCompatibility = JavaVersion.VERSION_11", "11"),
            ("sourceCompatibility = JavaVersion.VERSION_1_8", "8"),
            ("sourceCompatibility = '17'", "17"),
            ("sourceCompatibility = 1.8", "8"),
            ("kotlinOptions { jvmTarget = \"17\" }", "17"),
        ] {
            assert_eq!(
                required_java("build.gradle", text)
                    .unwrap()
                    .version
                    .to_string(),
                version,
                "{text}"
            );
        }
    }
}
