//! Deno: its start task, or a file with a usual name.
#![forbid(unsafe_code)]

use super::Stack;
use super::error::DetectError;
use super::plan::{Plan, Verdict, copy_existing, safe_words};
use super::project::Project;
use super::read::json::Json;
use super::text::Text;
use super::token::Token;
use super::versions::Version;
use super::versions::choice::{Choice, pin_file, tool_pin};
use super::versions::defaults::{DENO, DENO_LINE};

/// Lock files of npm's world: with one of them, Deno is only a tool.
const OTHER_LOCKS: &[&str] = &[
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
];

/// Files that are the program where no task names it.
const ENTRIES: &[&str] = &[
    "main.ts",
    "main.tsx",
    "server.ts",
    "app.ts",
    "mod.ts",
    "index.ts",
    "src/main.ts",
    "main.js",
];

const PORT: u16 = 8000;

/// What is started.
struct Program {
    command: Text,
    entry: Option<Token>,
    serves: bool,
    why: String,
}

/// `deno.json`, `deno.jsonc` or `deno.lock`.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let Some(file) = project.first_of(&["deno.json", "deno.jsonc", "deno.lock"])? else {
        return Ok(Verdict::No);
    };
    if project.first_of(OTHER_LOCKS)?.is_some() {
        return Ok(Verdict::No);
    }
    let config = if file == "deno.lock" {
        None
    } else {
        project.json(file, true)?
    };
    match program(project, file, config.as_ref())? {
        Some(program) => plan(project, config.as_ref(), program).map(Verdict::Match),
        None => Ok(Verdict::unfinished(
            "deno.json",
            "a start task or an entry file (main.ts, server.ts)",
        )),
    }
}

fn task(config: Option<&Json>, name: &str) -> Option<String> {
    let task = config?.at(&["tasks", name])?;
    task.string().or_else(|| task.string_at(&["command"]))
}

fn program(
    project: &Project,
    file: &str,
    config: Option<&Json>,
) -> Result<Option<Program>, DetectError> {
    if let Some(task) = task(config, "start") {
        let words = safe_words(&task).unwrap_or_default();
        let direct = matches!(words.as_slice(), [deno, how, ..] if deno.as_str() == "deno" && ["run", "serve"].contains(&how.as_str()));
        let entry = words
            .iter()
            .find(|word| is_source(word.as_str()))
            .and_then(|word| Token::path(word.as_str()));
        let serves = direct && words[1].as_str() == "serve";
        // A restart at every change is for development.
        let kept = words
            .iter()
            .filter(|word| !word.as_str().starts_with("--watch"));
        let command = if direct {
            Text::exec(kept.map(Text::from))
        } else {
            Text::exec(["deno".into(), "task".into(), "start".into()])
        };
        return Ok(Some(Program {
            serves: serves || listens(project, entry.as_ref())?,
            command,
            entry,
            why: format!("{file} has the task start"),
        }));
    }
    let Some(entry) = project.first_of(ENTRIES)?.and_then(Token::path) else {
        return Ok(None);
    };
    let words = ["deno", "run", "--allow-net", "--allow-env", "--allow-read"];
    Ok(Some(Program {
        command: Text::exec(words.map(Text::from).into_iter().chain([(&entry).into()])),
        serves: listens(project, Some(&entry))?,
        why: format!("{file} with {}", entry.as_str()),
        entry: Some(entry),
    }))
}

fn is_source(word: &str) -> bool {
    [".ts", ".tsx", ".js", ".mjs"]
        .iter()
        .any(|extension| word.ends_with(extension))
}

fn listens(project: &Project, entry: Option<&Token>) -> Result<bool, DetectError> {
    let Some(entry) = entry else { return Ok(false) };
    let text = project.source(entry.as_str())?.unwrap_or_default();
    Ok(text.contains("Deno.serve") || text.contains(".listen("))
}

fn plan(project: &Project, config: Option<&Json>, program: Program) -> Result<Plan, DetectError> {
    let deno = version(project)?;
    // What a build task makes cannot be fetched for before it is made.
    let cache = match &program.entry {
        Some(entry) if project.has(entry.as_str())? => {
            Text::words(["RUN deno cache".into(), entry.into()])
        }
        _ => Text::default(),
    };
    let build = if task(config, "build").is_some() {
        "RUN deno task build"
    } else {
        ""
    };
    let health = Text::fill(
        include_str!("templates/healthcheck.deno"),
        &[("port", PORT.into())],
    )
    .only_if(program.serves);
    Ok(Plan {
        stack: Stack::Deno,
        dockerfile: Text::fill(
            include_str!("templates/deno.Dockerfile"),
            &[
                ("deno", deno.version.into()),
                ("dependencies", dependencies(project, config, deno.version)?),
                ("cache", cache),
                ("build", build.into()),
                ("port", PORT.into()),
                ("healthcheck", health),
                ("command", program.command),
            ],
        ),
        reasons: vec![program.why, deno.reason("Deno")],
    })
}

/// A release in full: the image has no other tags.
fn version(project: &Project) -> Result<Choice, DetectError> {
    let pinned = match pin_file(project, ".dvmrc", "v", &DENO_LINE)? {
        Some(choice) => Some(choice),
        None => tool_pin(project, &["deno"], &DENO_LINE)?,
    };
    let whole = pinned.filter(|choice| choice.version.parts() == 3);
    Ok(whole.unwrap_or(Choice {
        version: DENO,
        from: None,
    }))
}

/// The lines that fetch what `deno.json` imports; Deno 1 cannot do it without the sources.
fn dependencies(
    project: &Project,
    config: Option<&Json>,
    deno: Version,
) -> Result<Text, DetectError> {
    let imports = config.is_some_and(|config| config.get("imports").is_some())
        || project.has("package.json")?;
    if !imports || !deno.at_least(2, 0) {
        return Ok(Text::default());
    }
    Ok(Text::lines([
        copy_existing(
            project,
            &["deno.json", "deno.jsonc", "deno.lock", "package.json"],
        )?,
        "RUN deno install".into(),
    ]))
}
