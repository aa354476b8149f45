//! How a Python project's packages get into the virtual environment `/opt/venv`.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::plan::copy_existing;
use super::super::project::Project;
use super::super::read::toml::Toml;
use super::super::text::Text;
use super::super::versions::Version;
use super::requirements::FILES;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Uv,
    Poetry,
    Pipenv,
    /// A file of requirements.
    Pip,
    /// What `pyproject.toml` requires, without a lock file.
    Project,
    /// A package that only its own `setup.py` knows to install.
    Setup,
}

/// Manifests and whose they are: lock files first, since they say what was really used.
const MANIFESTS: &[(&str, Tool)] = &[
    ("uv.lock", Tool::Uv),
    ("poetry.lock", Tool::Poetry),
    ("Pipfile.lock", Tool::Pipenv),
    ("requirements.txt", Tool::Pip),
    ("Pipfile", Tool::Pipenv),
    ("pyproject.toml", Tool::Project),
    ("setup.py", Tool::Setup),
    ("requirements/production.txt", Tool::Pip),
    ("requirements/prod.txt", Tool::Pip),
    ("requirements/base.txt", Tool::Pip),
];

/// What installs the packages of a project.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Installer {
    tool: Tool,
    /// The file that decided; without one nothing is installed.
    pub(crate) manifest: Option<&'static str>,
}

impl Installer {
    /// By the first manifest that exists.
    pub(crate) fn detect(project: &Project) -> Result<Self, DetectError> {
        for (file, tool) in MANIFESTS {
            if !project.has(file)? {
                continue;
            }
            let tool = match *file {
                "pyproject.toml" => match pyproject_tool(project)? {
                    Some(tool) => tool,
                    None => continue,
                },
                _ => *tool,
            };
            return Ok(Self {
                tool,
                manifest: Some(*file),
            });
        }
        Ok(Self {
            tool: Tool::Pip,
            manifest: None,
        })
    }

    /// `poetry (poetry.lock)`, for the reason.
    pub(crate) fn reason(&self) -> Option<String> {
        let name = match self.tool {
            Tool::Uv => "uv",
            Tool::Poetry => "poetry",
            Tool::Pipenv => "pipenv",
            Tool::Project | Tool::Pip | Tool::Setup => "pip",
        };
        self.manifest.map(|file| format!("{name} ({file})"))
    }

    /// The line that brings the tool, outside the virtual environment.
    pub(crate) fn tool(&self, project: &Project) -> Result<Text, DetectError> {
        Ok(match self.tool {
            Tool::Uv | Tool::Project => "RUN pip install \"uv==0.8.*\"".into(),
            Tool::Poetry => match poetry_of_lock(project)? {
                Some(version) => {
                    Text::fill("RUN pip install poetry=={{v}}", &[("v", version.into())])
                }
                None => "RUN pip install \"poetry==2.1.*\"".into(),
            },
            Tool::Pipenv => "RUN pip install \"pipenv==2025.*\"".into(),
            Tool::Pip | Tool::Setup => Text::default(),
        })
    }

    /// Settings of the tool.
    pub(crate) fn env(&self) -> Text {
        match self.tool {
            Tool::Uv => "ENV UV_PROJECT_ENVIRONMENT=/opt/venv UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CACHE=1".into(),
            Tool::Project => "ENV UV_LINK_MODE=copy UV_NO_CACHE=1".into(),
            Tool::Poetry => "ENV POETRY_NO_INTERACTION=1".into(),
            _ => Text::default(),
        }
    }

    /// The line that installs one more package.
    pub(crate) fn add(&self, requirement: &'static str) -> Text {
        let install = if self.tool == Tool::Uv {
            "RUN uv pip install"
        } else {
            "RUN pip install"
        };
        Text::words([install.into(), requirement.into()])
    }

    /// The lines that install what the manifest names.
    pub(crate) fn install(&self, project: &Project) -> Result<Text, DetectError> {
        let Some(manifest) = self.manifest else {
            return Ok(Text::default());
        };
        match self.tool {
            Tool::Uv => uv(project),
            Tool::Poetry => Ok(Text::lines([
                copy_existing(project, &["pyproject.toml", "poetry.toml", "poetry.lock"])?,
                "RUN poetry install --only main --no-root".into(),
            ])),
            Tool::Pipenv => pipenv(project),
            Tool::Pip => pip(project, manifest),
            Tool::Project => pyproject(project),
            Tool::Setup => Ok("COPY . .\nRUN pip install .".into()),
        }
    }
}

/// What a `pyproject.toml` without a lock file is for; `None` when it only configures tools.
fn pyproject_tool(project: &Project) -> Result<Option<Tool>, DetectError> {
    let text = project.text("pyproject.toml")?.unwrap_or_default();
    let toml = Toml(&text);
    Ok(if toml.has_table("project") {
        let installable = !toml.strings("project.dynamic").contains(&"dependencies");
        Some(if installable {
            Tool::Project
        } else {
            Tool::Setup
        })
    } else {
        toml.has_table("tool.poetry").then_some(Tool::Poetry)
    })
}

/// `# This file is automatically @generated by Poetry 1.8.3 and should not be changed by hand.`
fn poetry_of_lock(project: &Project) -> Result<Option<Version>, DetectError> {
    let lock = project.text("poetry.lock")?.unwrap_or_default();
    let first = lock.lines().next().unwrap_or_default();
    let named = first
        .split_once("by Poetry ")
        .and_then(|(_, rest)| rest.split(' ').next());
    Ok(named.and_then(Version::parse))
}

fn uv(project: &Project) -> Result<Text, DetectError> {
    let text = project.text("pyproject.toml")?.unwrap_or_default();
    let toml = Toml(&text);
    if toml.has_table("tool.uv.workspace") {
        return Ok("COPY . .\nRUN uv sync --frozen --no-dev --no-editable".into());
    }
    let packages = Text::lines([
        copy_existing(project, &["pyproject.toml", "uv.lock"])?,
        "RUN uv sync --frozen --no-dev --no-install-project".into(),
    ]);
    let itself = if toml.has_table("build-system") {
        "COPY . .\nRUN uv sync --frozen --no-dev --no-editable"
    } else {
        ""
    };
    Ok(Text::lines([packages, itself.into()]))
}

/// uv can install what a `pyproject.toml` requires without building the project, which pip cannot.
fn pyproject(project: &Project) -> Result<Text, DetectError> {
    let text = project.text("pyproject.toml")?.unwrap_or_default();
    let itself = if Toml(&text).has_table("build-system") {
        "COPY . .\nRUN uv pip install --no-deps ."
    } else {
        ""
    };
    Ok(Text::lines([
        "COPY pyproject.toml ./".into(),
        "RUN uv pip install -r pyproject.toml".into(),
        itself.into(),
    ]))
}

/// By way of pip, so that there is no doubt which environment is meant.
fn pipenv(project: &Project) -> Result<Text, DetectError> {
    let lock = if project.has("Pipfile.lock")? {
        ""
    } else {
        "RUN pipenv lock"
    };
    Ok(Text::lines([
        copy_existing(project, &["Pipfile", "Pipfile.lock"])?,
        lock.into(),
        "RUN pipenv requirements > /tmp/requirements.txt && pip install -r /tmp/requirements.txt"
            .into(),
    ]))
}

fn pip(project: &Project, manifest: &'static str) -> Result<Text, DetectError> {
    let text = project.text(manifest)?.unwrap_or_default();
    let in_directory = manifest != FILES[0];
    let copy = if text
        .lines()
        .any(|line| names_another_file(line, in_directory))
    {
        "# The requirements name other files of the project.\nCOPY . .".into()
    } else if in_directory {
        "COPY requirements ./requirements".into()
    } else {
        Text::copy_here(vec![manifest.into()])
    };
    let install = Text::fill("RUN pip install -r {{file}}", &[("file", manifest.into())]);
    Ok(Text::lines([copy, install]))
}

/// `-r base.txt`, `-e .`, `./packages/x`, `x @ file:y`. A directory of requirements is copied whole, and so are the files
/// in it that name each other.
fn names_another_file(line: &str, in_directory: bool) -> bool {
    let line = line.trim_start();
    let names_one = |prefixes: &[&str]| prefixes.iter().any(|prefix| line.starts_with(prefix));
    names_one(&["-e", "--editable", ".", "file:"])
        || line.contains("@ file:")
        || (names_one(&["-r", "-c", "--requirement", "--constraint"])
            && (!in_directory || line.contains('/')))
}
