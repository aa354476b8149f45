//! What starts a Node server: its scripts, its framework's output, or its entry file.
#![forbid(unsafe_code)]

use super::super::error::DetectError;
use super::super::plan::{port, safe_words};
use super::super::project::Project;
use super::super::text::Text;
use super::super::token::Token;
use super::build::Build;
use super::manager::Kind;
use super::package::Package;

/// Programs of packages that serve in production, and the packages they come from.
const PROGRAMS: &[(&str, &str)] = &[
    ("next", "next"),
    ("nest", "@nestjs/cli"),
    ("tsx", "tsx"),
    ("ts-node", "ts-node"),
    ("remix-serve", "@remix-run/serve"),
    ("react-router-serve", "@react-router/serve"),
    ("fastify", "fastify-cli"),
    ("strapi", "@strapi/strapi"),
    ("pm2-runtime", "pm2"),
];

/// What frameworks with a server of their own build, where no script starts it.
const OUTPUTS: &[(&str, &str)] = &[
    ("nuxt", ".output/server/index.mjs"),
    ("@astrojs/node", "dist/server/entry.mjs"),
    ("@sveltejs/adapter-node", "build/index.js"),
];

/// Files that are the entry of a project that names none.
const ENTRIES: &[&str] = &[
    "server.js",
    "index.js",
    "app.js",
    "src/server.js",
    "src/index.js",
];

/// The same for Bun, which runs TypeScript as it is.
const BUN_ENTRIES: &[&str] = &["index.ts", "src/index.ts", "server.ts", "src/server.ts"];

/// How a server is started.
#[derive(Debug)]
pub(crate) struct Start {
    /// The command, in exec form.
    pub(crate) command: Text,
    /// The port that its arguments name.
    pub(crate) port: Option<u16>,
    /// Whether it needs a development dependency.
    pub(crate) needs_development: bool,
    /// Where it was found.
    pub(crate) why: String,
}

/// Whether the start script runs a server, and not the development server of a build tool.
pub(crate) fn starts_server(package: &Package) -> bool {
    let script = package.script("start").unwrap_or_default();
    let program = command_words(&script).first().copied().unwrap_or_default();
    ["node", "bun"].contains(&program) || PROGRAMS.iter().any(|(name, _)| *name == program)
}

/// The start of a project; `None` when nothing says how.
pub(crate) fn find(project: &Project, build: &Build) -> Result<Option<Start>, DetectError> {
    let package = &build.package;
    for name in ["start:prod", "start"] {
        if let Some(script) = package
            .script(name)
            .filter(|_| name == "start" || package.uses("@nestjs/core"))
        {
            return Ok(Some(from_script(build, name, &script)));
        }
    }
    if package.uses("next") {
        return Ok(Some(next_start()));
    }
    if let Some((framework, file)) = OUTPUTS
        .iter()
        .find(|(framework, _)| package.uses(framework))
    {
        return Ok(Some(from_file(
            build,
            (*file).into(),
            format!("package.json names {framework}"),
        )));
    }
    // Beside a page, an index.js is the page's.
    if project.has("index.html")? {
        return Ok(None);
    }
    from_entry(project, build)
}

fn next_start() -> Start {
    Start {
        command: Text::exec(["node_modules/.bin/next".into(), "start".into()]),
        port: None,
        needs_development: false,
        why: "no start script".to_owned(),
    }
}

fn from_script(build: &Build, name: &'static str, script: &str) -> Start {
    let words = command_words(script);
    let program = words.first().copied().unwrap_or_default();
    let from = PROGRAMS.iter().find(|(name, _)| *name == program);
    let direct = safe_words(script).and_then(|_| direct_command(&safe_words(&words.join(" "))?));
    let through = match (build.manager.kind, name) {
        (Kind::Bun, _) => Text::exec(["bun".into(), "run".into(), name.into()]),
        (_, "start") => Text::exec(["npm".into(), "start".into()]),
        _ => Text::exec(["npm".into(), "run".into(), name.into()]),
    };
    Start {
        command: direct.unwrap_or(through),
        port: port_in(script),
        needs_development: build
            .package
            .develops_with(from.map_or(program, |(_, package)| package)),
        why: format!("package.json has the script {name}"),
    }
}

/// The words of a script without what the image says already: `NODE_ENV=production`, `cross-env`.
fn command_words(script: &str) -> Vec<&str> {
    script
        .split_whitespace()
        .skip_while(|word| ["NODE_ENV=production", "cross-env"].contains(word))
        .collect()
}

/// The command without a shell or package manager between, so that signals reach the program.
fn direct_command(words: &[Token]) -> Option<Text> {
    let program = words.first()?.as_str();
    let (name, _) = PROGRAMS
        .iter()
        .find(|(name, _)| *name == program)
        .copied()
        .unwrap_or_default();
    let first = match program {
        "node" => Text::from("node"),
        "bun" => Text::from("bun"),
        _ if !name.is_empty() => Text::concat([Text::from("node_modules/.bin/"), name.into()]),
        _ => return None,
    };
    Some(Text::exec(
        [first].into_iter().chain(words[1..].iter().map(Text::from)),
    ))
}

fn from_entry(project: &Project, build: &Build) -> Result<Option<Start>, DetectError> {
    if let Some(main) = build.package.main().as_deref().and_then(Token::path) {
        let made = build.package.script("build").is_some()
            && ["dist/", "build/", "lib/", "out/"]
                .iter()
                .any(|output| main.as_str().starts_with(output));
        if made || project.has(main.as_str())? {
            let why = format!("package.json has the main {}", main.as_str());
            return Ok(Some(from_file(build, main.into(), why)));
        }
    }
    let mut entry = project.first_of(ENTRIES)?;
    if entry.is_none() && build.manager.kind == Kind::Bun {
        entry = project.first_of(BUN_ENTRIES)?;
    }
    Ok(entry.map(|file| from_file(build, file.into(), format!("{file} beside package.json"))))
}

fn from_file(build: &Build, file: Text, why: String) -> Start {
    Start {
        command: Text::exec([build.manager.runtime().into(), file]),
        port: None,
        needs_development: false,
        why,
    }
}

/// The port in `PORT=8080 node x`, `next start -p 8080`, `--port=8080`.
fn port_in(script: &str) -> Option<u16> {
    let words: Vec<&str> = script.split_whitespace().collect();
    let joined = words.iter().find_map(|word| {
        let value = word
            .strip_prefix("PORT=")
            .or_else(|| word.strip_prefix("--port="));
        value.and_then(port)
    });
    joined.or_else(|| {
        words
            .windows(2)
            .find(|pair| ["-p", "--port"].contains(&pair[0]))
            .and_then(|pair| port(pair[1]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_in_scripts() {
        for (script, found) in [
            ("next start -p 4000", Some(4000)),
            ("next start --port=4000", Some(4000)),
            ("PORT=80 node x.js", Some(80)),
            ("node x.js --port", None),
            ("node x.js -p 0", None),
            ("node x.js -p 99999", None),
            ("node x.js -p 80;id", None),
        ] {
            assert_eq!(port_in(script), found, "{script}");
        }
    }

    #[test]
    fn only_plain_commands_are_run_directly() {
        let direct = |script: &str| {
            let words = command_words(script).join(" ");
            safe_words(script)
                .and_then(|_| direct_command(&safe_words(&words)?))
                .map(|text| text.as_str().to_owned())
        };
        assert_eq!(
            direct("node dist/x.js").as_deref(),
            Some("[\"node\", \"dist/x.js\"]")
        );
        assert_eq!(
            direct("cross-env NODE_ENV=production next start").as_deref(),
            Some("[\"node_modules/.bin/next\", \"start\"]")
        );
        for script in [
            "node a && node b",
            "node $X",
            "A=b node x",
            "sh -c x",
            "node \"x\"",
            "node `x`",
            "node a; b",
            "node a\nb",
            "",
        ] {
            assert_eq!(direct(script), None, "{script}");
        }
    }
}
