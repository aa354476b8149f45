//! The version of Python that a project wants.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::read::toml::Toml;
use super::super::versions::choice::{Choice, pin_file, tool_pin};
use super::super::versions::defaults::PYTHON;
use super::super::versions::range::Tilde;

/// Requirements in TOML files, the most binding first.
const REQUIREMENTS: &[(&str, &[&str])] = &[
    (
        "Pipfile",
        &["requires.python_full_version", "requires.python_version"],
    ),
    (
        "pyproject.toml",
        &[
            "project.requires-python",
            "tool.poetry.dependencies.python",
            "tool.poetry.dependencies.python.version",
        ],
    ),
];

/// A pin before a requirement.
pub(crate) fn python_version(project: &Project) -> Result<Choice, DetectError> {
    for (file, prefix) in [(".python-version", ""), ("runtime.txt", "python-")] {
        if let Some(choice) = pin_file(project, file, prefix, &PYTHON)? {
            return Ok(choice);
        }
    }
    if let Some(choice) = tool_pin(project, &["python"], &PYTHON)? {
        return Ok(choice);
    }
    for (file, paths) in REQUIREMENTS {
        let Some(text) = project.text(file)? else {
            continue;
        };
        let required = paths.iter().find_map(|path| Toml(&text).string(path));
        if let Some(choice) =
            required.and_then(|text| Choice::of(text, file, Tilde::Patch, &PYTHON))
        {
            return Ok(choice);
        }
    }
    Ok(Choice::default(&PYTHON))
}
