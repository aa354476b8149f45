//! Django: the project's settings module, its WSGI or ASGI module, and whether static files can be collected.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::project::Project;
use super::super::read::source::{Syntax, quoted, without_comments, words};
use super::super::text::Text;
use super::super::token::Token;
use super::app::{App, Server};

/// The application behind `manage.py`.
pub(crate) fn find(project: &Project) -> Result<Option<App>, DetectError> {
    let Some(text) = project.text("manage.py")? else {
        return Ok(None);
    };
    let text = without_comments(&text, Syntax::Hash);
    let Some(settings) = words(&text, "DJANGO_SETTINGS_MODULE").find_map(second_argument) else {
        return Ok(None);
    };
    let settings = Token::dotted(settings)
        .ok_or_else(|| DetectError::unusable("manage.py", "DJANGO_SETTINGS_MODULE", settings))?;
    let package = package_of(settings.as_str());
    let module = |interface: &str| below_package(package, interface);
    let exists =
        |interface: &str| project.has(&format!("{}.py", module(interface).replace('.', "/")));
    let asynchronous = !exists("wsgi")? && exists("asgi")?;
    let object = format!(
        "{}:application",
        module(if asynchronous { "asgi" } else { "wsgi" })
    );
    let object = Token::word(&object)
        .ok_or_else(|| DetectError::unusable("manage.py", "DJANGO_SETTINGS_MODULE", package))?;
    let server = if asynchronous {
        Server::UVICORN
    } else {
        Server::GUNICORN
    };
    let why = format!("manage.py names {}", settings.as_str());
    let mut app = App::served(server, [object.into()], why);
    app.collect = collect(project, &settings)?;
    Ok(Some(app))
}

/// `config` of `config.settings.production` and of `config.production`; nothing of `settings`.
fn package_of(settings: &str) -> &str {
    let parent = settings
        .split_once(".settings")
        .or_else(|| settings.rsplit_once('.'));
    parent.map_or("", |(package, _)| package)
}

fn below_package(package: &str, module: &str) -> String {
    if package.is_empty() {
        module.to_owned()
    } else {
        format!("{package}.{module}")
    }
}

/// `"mysite.settings"` of `DJANGO_SETTINGS_MODULE", "mysite.settings")` and of `… = "mysite.settings"`.
fn second_argument(after: &str) -> Option<&str> {
    let after = after
        .trim_start_matches(['"', '\''])
        .trim_start_matches(']')
        .trim_start();
    quoted(after.strip_prefix([',', '='])?.trim_start())
}

/// Collects static files while building, if the settings say where to and need nothing of the environment.
fn collect(project: &Project, settings: &Token) -> Result<Text, DetectError> {
    let module = settings.as_str().replace('.', "/");
    let mut all = String::new();
    for file in [
        format!("{module}.py"),
        format!("{module}/__init__.py"),
        base_of(&module),
    ] {
        all.push_str(&without_comments(
            &project.text(&file)?.unwrap_or_default(),
            Syntax::Hash,
        ));
    }
    if !all.contains("STATIC_ROOT") {
        return Ok(Text::default());
    }
    Ok(if all.contains("environ[") {
        "# Run \"python manage.py collectstatic\" when deploying: the settings need the environment for it."
    } else {
        "# The key is needed to load the settings, and signs nothing here.\n\
         RUN SECRET_KEY=collectstatic DJANGO_SECRET_KEY=collectstatic python manage.py collectstatic --noinput"
    }
    .into())
}

/// `config/settings/base.py` beside `config/settings/production`.
fn base_of(module: &str) -> String {
    let directory = module
        .rsplit_once('/')
        .map_or("", |(directory, _)| directory);
    format!("{directory}/base.py")
        .trim_start_matches('/')
        .to_owned()
}
