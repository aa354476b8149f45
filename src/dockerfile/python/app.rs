//! Flask and `FastAPI` applications and plain programs: which module, and which object in it.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::{Project, below};
use super::super::read::toml::Toml;
use super::super::text::Text;
use super::super::token::Token;
use super::requirements::Requirements;

/// Files that create an application, in each directory that is looked at.
const FILES: &[&str] = &[
    "main.py",
    "app.py",
    "wsgi.py",
    "asgi.py",
    "application.py",
    "server.py",
    "run.py",
    "api.py",
    "__init__.py",
];

/// Directories that hold no application.
const SKIPPED: &[&str] = &[
    "alembic",
    "docs",
    "env",
    "migrations",
    "node_modules",
    "scripts",
    "static",
    "templates",
    "test",
    "tests",
    "venv",
];

/// The most directories that are looked at.
const MOST_DIRECTORIES: usize = 25;

/// Files that are a program themselves.
const SCRIPTS: &[&str] = &[
    "main.py",
    "app.py",
    "run.py",
    "server.py",
    "bot.py",
    "src/main.py",
];

/// Functions that create an application.
const FACTORIES: &[&str] = &["create_app", "make_app"];

const PORT: u16 = 8000;

/// A server, which is installed where the project does not require it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    pub(crate) package: &'static str,
    pub(crate) requirement: &'static str,
    /// What comes before the application object.
    command: &'static str,
}

impl Server {
    /// For WSGI.
    pub(crate) const GUNICORN: Self = Self {
        package: "gunicorn",
        requirement: "gunicorn==23.0.0",
        command: "gunicorn --bind 0.0.0.0:8000 --access-logfile -",
    };
    /// For ASGI.
    pub(crate) const UVICORN: Self = Self {
        package: "uvicorn",
        requirement: "uvicorn==0.35.0",
        command: "uvicorn --host 0.0.0.0 --port 8000 --proxy-headers",
    };
}

/// What is started.
#[derive(Clone, Debug)]
pub(crate) struct App {
    /// The command in exec form.
    pub(crate) command: Text,
    pub(crate) port: u16,
    /// Whether it surely listens on the port.
    pub(crate) listens: bool,
    pub(crate) server: Option<Server>,
    /// Whether its modules are below `src/`.
    pub(crate) below_src: bool,
    /// A step before it can serve.
    pub(crate) collect: Text,
    /// What decided.
    pub(crate) why: String,
}

impl App {
    /// An application object, with a flag before it if need be, behind a server.
    pub(crate) fn served(
        server: Server,
        object: impl IntoIterator<Item = Text>,
        why: String,
    ) -> Self {
        let command = Text::exec(Text::split(server.command).chain(object));
        Self {
            listens: true,
            server: Some(server),
            ..Self::plain(command, why)
        }
    }

    fn plain(command: Text, why: String) -> Self {
        Self {
            command,
            port: PORT,
            listens: false,
            server: None,
            below_src: false,
            collect: Text::default(),
            why,
        }
    }
}

/// The application of a project with requirements.
pub(crate) fn find(
    project: &Project,
    requirements: &Requirements,
) -> Result<Option<App>, DetectError> {
    for (package, class, server) in [
        ("fastapi", "FastAPI", Server::UVICORN),
        ("flask", "Flask", Server::GUNICORN),
    ] {
        if requirements.has(package)
            && let Some(app) = find_object(project, class, server)?
        {
            return Ok(Some(app));
        }
    }
    match console_script(project)? {
        Some(app) => Ok(Some(app)),
        None => script(project),
    }
}

/// A program in a file of its own.
pub(crate) fn script(project: &Project) -> Result<Option<App>, DetectError> {
    let Some(file) = project.first_of(SCRIPTS)? else {
        return Ok(None);
    };
    let mut app = App::plain(Text::exec(["python".into(), file.into()]), file.to_owned());
    app.below_src = file.starts_with("src/");
    Ok(Some(app))
}

/// The first `[project.scripts]`, in a project that is a package.
fn console_script(project: &Project) -> Result<Option<App>, DetectError> {
    let text = project.text("pyproject.toml")?.unwrap_or_default();
    let toml = Toml(&text);
    if !toml.has_table("build-system") {
        return Ok(None);
    }
    let name = toml.keys("project.scripts").find_map(Token::name);
    Ok(name.map(|name| {
        let why = format!("pyproject.toml has the script {}", name.as_str());
        App::plain(Text::exec([name.into()]), why)
    }))
}

fn find_object(project: &Project, class: &str, server: Server) -> Result<Option<App>, DetectError> {
    for directory in directories(project)? {
        for file in FILES {
            let path = below(&directory, file);
            let Some(text) = project.source(&path)? else {
                continue;
            };
            if let Some(object) = object_in(&text, class)
                && let Some(app) = application(project, &path, &object, class, server)?
            {
                return Ok(Some(app));
            }
        }
    }
    Ok(None)
}

/// The root, its directories, and those below `src`.
fn directories(project: &Project) -> Result<Vec<String>, DetectError> {
    let mut all = vec![String::new()];
    let wanted = |name: &String| !SKIPPED.contains(&name.as_str());
    let top = project.directories("")?;
    all.extend(top.into_iter().filter(wanted).take(MOST_DIRECTORIES));
    let below_src = project.directories("src")?;
    let below_src = below_src.into_iter().filter(wanted).take(MOST_DIRECTORIES);
    all.extend(below_src.map(|name| below("src", &name)));
    Ok(all)
}

/// What a module calls its application.
#[derive(Debug, PartialEq, Eq)]
enum Object {
    Variable(String),
    Factory(&'static str),
}

/// `app = FastAPI(…)`, `app: Flask = create_app()`, else `def create_app(…)`.
fn object_in(text: &str, class: &str) -> Option<Object> {
    let variable = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name = name.split(':').next().unwrap_or(name).trim_end();
        let called = value.trim_start().split('(').next()?;
        let called = called.rsplit('.').next()?;
        let creates = value.contains('(') && (called == class || FACTORIES.contains(&called));
        (creates && Token::dotted(name).is_some() && !name.contains('.'))
            .then(|| Object::Variable(name.to_owned()))
    });
    variable.or_else(|| {
        let defined = |name: &&&str| {
            text.lines().any(|line| {
                line.strip_prefix("def ").is_some_and(|rest| {
                    rest.strip_prefix(**name)
                        .is_some_and(|rest| rest.starts_with('('))
                })
            })
        };
        FACTORIES
            .iter()
            .find(defined)
            .map(|name| Object::Factory(name))
    })
}

fn application(
    project: &Project,
    path: &str,
    object: &Object,
    class: &str,
    server: Server,
) -> Result<Option<App>, DetectError> {
    let below_src = path.starts_with("src/") && !project.has("src/__init__.py")?;
    let module = if below_src { &path[4..] } else { path };
    let module = module
        .trim_end_matches(".py")
        .trim_end_matches("/__init__")
        .replace('/', ".");
    let Some(module) = Token::dotted(&module) else {
        return Ok(None);
    };
    let (name, before, after) = match object {
        Object::Variable(name) => (name.as_str(), "", ""),
        Object::Factory(name) if server.package == "gunicorn" => (*name, "", "()"),
        Object::Factory(name) => (*name, "--factory", ""),
    };
    let Some(name) = Token::dotted(name) else {
        return Ok(None);
    };
    let object = Text::concat([module.into(), ":".into(), name.into(), after.into()]);
    let flag = (!before.is_empty()).then(|| before.into());
    let why = format!("{path} creates the {class} application");
    let mut app = App::served(server, flag.into_iter().chain([object]), why);
    app.below_src = below_src;
    Ok(Some(app))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications_are_found_by_what_creates_them() {
        let variable = |name: &str| Some(Object::Variable(name.to_owned()));
        for (text, found) in [
            ("app = FastAPI()", variable("app")),
            ("api: FastAPI = fastapi.FastAPI(title='x')", variable("api")),
            ("app = create_app()", variable("app")),
            (
                "def create_app(config=None):\n    app = FastAPI()",
                Some(Object::Factory("create_app")),
            ),
            ("    app = FastAPI()", None),
            ("app.x = FastAPI()", None),
            ("app == FastAPI()", None),
            ("$(id) = FastAPI()", None),
            ("app = FastAPIX()", None),
            ("# app = FastAPI()", None),
        ] {
            assert_eq!(object_in(text, "FastAPI"), found, "{text}");
        }
    }
}
