//! The names of the packages that a Python project requires.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use super::super::error::DetectError;
use super::super::plan::debian_packages;
use super::super::project::Project;
use super::super::read::source::has_word;
use super::super::read::toml::Toml;
use super::super::text::Text;

/// Files of requirements, and those that name them in a directory.
pub(crate) const FILES: &[&str] = &[
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
];

/// Packages looked for in a `setup.py`, which is a program and cannot be read otherwise.
const IN_SETUP: &[&str] = &["django", "flask", "fastapi", "gunicorn", "uvicorn"];

/// Libraries that a package built from its sources is linked with, by package.
const LIBRARIES: &[(&str, &str)] = &[
    ("psycopg2", "libpq5"),
    ("psycopg", "libpq5"),
    ("mysqlclient", "libmariadb3"),
];

/// Normalised names.
#[derive(Debug, Default)]
pub(crate) struct Requirements(BTreeSet<String>);

impl Requirements {
    /// From all manifests of the project.
    pub(crate) fn read(project: &Project) -> Result<Self, DetectError> {
        let mut names = Self::default();
        for file in FILES {
            let text = project.text(file)?.unwrap_or_default();
            text.lines().for_each(|line| names.add(line));
        }
        if let Some(text) = project.text("pyproject.toml")? {
            names.add_pyproject(Toml(&text));
        }
        if let Some(text) = project.text("Pipfile")? {
            names.add_table(Toml(&text), "packages");
        }
        if let Some(text) = project.text("setup.py")? {
            let text = text.to_ascii_lowercase();
            let found = IN_SETUP.iter().filter(|name| has_word(&text, name));
            found.for_each(|name| names.add(name));
        }
        Ok(names)
    }

    /// Whether a package is required.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The line that installs the libraries of compiled packages.
    pub(crate) fn runtime_libraries(&self) -> Text {
        let mut libraries: Vec<&str> = LIBRARIES
            .iter()
            .filter(|(package, _)| self.has(package))
            .map(|(_, library)| *library)
            .collect();
        libraries.dedup();
        debian_packages(&libraries)
    }

    fn add_pyproject(&mut self, toml: Toml) {
        for requirement in toml.strings("project.dependencies") {
            self.add(requirement);
        }
        self.add_table(toml, "tool.poetry.dependencies");
    }

    fn add_table(&mut self, toml: Toml, table: &str) {
        toml.keys(table).for_each(|name| self.add(name));
        let fastapi = toml.value(&format!("{table}.fastapi")).unwrap_or_default();
        self.add_server_of(
            "fastapi",
            fastapi.contains("\"standard\"") || fastapi.contains("'standard'"),
        );
    }

    /// One requirement as pip reads it: `Django[argon2]>=5,<6 ; python_version > "3.8"  # why`.
    fn add(&mut self, requirement: &str) {
        let requirement = requirement.trim_start();
        let end = requirement
            .find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))
            .unwrap_or(requirement.len());
        let (name, rest) = requirement.split_at(end);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return;
        }
        let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
        self.add_server_of(
            &name,
            rest.starts_with("[standard") || rest.starts_with("[all"),
        );
        // psycopg's own binary extra needs no library.
        if !(name == "psycopg" && rest.starts_with("[binary")) {
            self.0.insert(name);
        }
    }

    /// The `standard` extra of `FastAPI` brings the server.
    fn add_server_of(&mut self, name: &str, standard: bool) {
        if name == "fastapi" && standard {
            self.0.insert("uvicorn".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(lines: &str) -> Vec<String> {
        let mut requirements = Requirements::default();
        lines.lines().for_each(|line| requirements.add(line));
        requirements.0.into_iter().collect()
    }

    #[test]
    fn requirement_lines_are_reduced_to_names() {
        let lines = "Django[argon2]>=5\r\n# comment\n-r base.txt\n--hash=x\n  Flask_Login ~= 1 # c\n\nrequests; x\n./local\npsycopg[binary]";
        assert_eq!(names(lines), ["django", "flask-login", "requests"]);
    }

    #[test]
    fn the_standard_extra_brings_a_server() {
        assert_eq!(names("fastapi[standard]==1"), ["fastapi", "uvicorn"]);
        let mut requirements = Requirements::default();
        let text =
            "[tool.poetry.dependencies]\nfastapi = {extras = [\"standard\"], version = \"^0.1\"}";
        requirements.add_pyproject(Toml(text));
        assert!(requirements.has("uvicorn"));
    }
}
