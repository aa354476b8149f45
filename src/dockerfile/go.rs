//! Go modules: which package is the program, and whether it needs C.
#![forbid(unsafe_code)]

use super::Stack;
use super::error::DetectError;
use super::node::build::Assets;
use super::plan::{Plan, Verdict, bash_healthcheck, copy_asset_directories};
use super::project::{Project, below};
use super::text::Text;
use super::token::Token;
use super::versions::Version;
use super::versions::choice::Choice;
use super::versions::defaults::GO;

/// Modules that are bindings to C.
const NEEDS_C: &[&str] = &[
    "github.com/mattn/go-sqlite3",
    "github.com/confluentinc/confluent-kafka-go",
    "github.com/h2non/bimg",
    "github.com/davidbyttow/govips",
];

/// Web frameworks. Without one of them the program may not listen, and a check would call it ill.
const LISTENING: &[&str] = &[
    "github.com/gin-gonic/gin",
    "github.com/labstack/echo",
    "github.com/gofiber/fiber",
    "github.com/go-chi/chi",
    "github.com/gorilla/mux",
    "github.com/julienschmidt/httprouter",
    "github.com/beego/beego",
];

/// Names of the command that is the server, where there are several.
const SERVER_NAMES: &[&str] = &["server", "api", "app", "web", "main", "serve"];

const PORT: u16 = 8080;

/// The most files of a directory whose package clause is read.
const MOST_FILES: usize = 60;

/// What `go.mod` says.
struct Module {
    name: String,
    go: Choice,
    text: String,
}

/// `go.mod`, and a package `main` in the root or below `cmd/`.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let Some(text) = project.text("go.mod")? else {
        return Ok(Verdict::No);
    };
    let module = read(text);
    let Some((package, name)) = main_package(project, &module)? else {
        return Ok(Verdict::unfinished(
            "go.mod",
            "a package main in the root or below cmd/",
        ));
    };
    plan(project, &module, package.as_ref(), &name).map(Verdict::Match)
}

fn read(text: String) -> Module {
    let directive = |name: &str| {
        text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(name)).then(|| words.next()).flatten()
        })
    };
    let path = directive("module").unwrap_or_default().trim_matches('"');
    // `go 1.22.3` and `toolchain go1.23.4` are lower ends; the newest patch of the line has what they want.
    let named = directive("toolchain")
        .and_then(|toolchain| toolchain.strip_prefix("go"))
        .or_else(|| directive("go"))
        .and_then(Version::parse)
        .filter(|version| version.parts() >= 2);
    let go = named.map_or_else(
        || Choice::default(&GO),
        |version| Choice {
            version: version.cut(2),
            from: Some("go.mod"),
        },
    );
    let name = path
        .split('/')
        .rfind(|part| !is_major(part))
        .unwrap_or_default();
    Module {
        name: name.to_owned(),
        go,
        text,
    }
}

/// `v2` of `example.com/x/v2`.
fn is_major(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|digits| digits.parse::<u32>().is_ok())
}

/// The directory of the program (none is the root), and what to call the binary.
fn main_package(
    project: &Project,
    module: &Module,
) -> Result<Option<(Option<Token>, Token)>, DetectError> {
    if is_main(project, "")? {
        let name = Token::name(&module.name).or_else(|| Token::name("app"));
        return Ok(name.map(|name| (None, name)));
    }
    let mut commands = Vec::new();
    for name in project.directories("cmd")?.into_iter().take(MOST_FILES) {
        if let Some(name) = Token::name(&name)
            && is_main(project, &below("cmd", name.as_str()))?
        {
            commands.push(name);
        }
    }
    let mut wanted = [module.name.as_str()]
        .into_iter()
        .chain(SERVER_NAMES.iter().copied());
    let best = wanted
        .find_map(|wanted| commands.iter().find(|name| name.as_str() == wanted))
        .or_else(|| commands.first())
        .cloned();
    if best.is_none() && is_main(project, "cmd")? {
        let name = Token::name(&module.name).or_else(|| Token::name("app"));
        return Ok(Token::path("cmd")
            .zip(name)
            .map(|(path, name)| (Some(path), name)));
    }
    Ok(best.and_then(|name| Some((Some(Token::path(&below("cmd", name.as_str()))?), name))))
}

/// Whether a file of the directory is of package `main` (and no test, and not left out of builds).
fn is_main(project: &Project, directory: &str) -> Result<bool, DetectError> {
    let mut files = project.files(directory)?;
    files.retain(|name| {
        let stem = name.strip_suffix(".go");
        stem.is_some_and(|stem| !stem.ends_with("_test"))
    });
    files.sort_by_key(|name| name != "main.go");
    for name in files.iter().take(MOST_FILES) {
        let text = project.source(&below(directory, name))?.unwrap_or_default();
        let ignored = text.lines().any(|line| line.trim() == "//go:build ignore");
        let main = text.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some("package") && words.next() == Some("main")
        });
        if main && !ignored {
            return Ok(true);
        }
    }
    Ok(false)
}

fn plan(
    project: &Project,
    module: &Module,
    package: Option<&Token>,
    name: &Token,
) -> Result<Plan, DetectError> {
    let needs_c = NEEDS_C.iter().any(|path| module.text.contains(path));
    let listens = LISTENING.iter().any(|path| module.text.contains(path));
    let assets = Assets::of(project, "COPY . .")?;
    let template = if needs_c {
        include_str!("templates/go-cgo.Dockerfile")
    } else {
        include_str!("templates/go.Dockerfile")
    };
    let dockerfile = Text::fill(
        template,
        &[
            (
                "sources",
                assets.or("COPY --from=assets /app ./", "COPY . ."),
            ),
            ("assets", assets.stage),
            ("go", module.go.version.into()),
            ("modules", modules(project)?),
            ("package", package_argument(package)),
            ("name", name.into()),
            ("directories", copy_asset_directories(project)?),
            ("port", PORT.into()),
            ("healthcheck", healthcheck(needs_c).only_if(listens)),
        ],
    );
    let place = package.map_or("the root", Token::as_str);
    let mut reasons = vec![
        format!("go.mod with package main in {place}"),
        module.go.reason("Go"),
    ];
    reasons.extend(assets.reason);
    Ok(Plan {
        stack: Stack::Go,
        dockerfile,
        reasons,
    })
}

/// `./cmd/server`, or `.` for the root.
fn package_argument(package: Option<&Token>) -> Text {
    package.map_or_else(
        || ".".into(),
        |path| Text::concat(["./".into(), path.into()]),
    )
}

/// By what the last stage has: Debian's bash or alpine's busybox.
fn healthcheck(debian: bool) -> Text {
    if debian {
        return bash_healthcheck(PORT);
    }
    Text::fill(
        include_str!("templates/healthcheck.busybox"),
        &[("port", PORT.into())],
    )
}

/// The lines that download what the module requires, before its sources are there.
fn modules(project: &Project) -> Result<Text, DetectError> {
    if project.has_directory("vendor")? || project.has("go.work")? {
        return Ok(Text::default());
    }
    let copy = if project.has("go.sum")? {
        "COPY go.mod go.sum ./"
    } else {
        "COPY go.mod ./"
    };
    Ok(Text::lines([copy.into(), "RUN go mod download".into()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_file_is_read() {
        for (text, name, go) in [
            ("module example.com/shop/v2\n\ngo 1.22.3\n", "shop", "1.22"),
            (
                "// c\r\nmodule \"shop\"\r\ngo 1.21\r\ntoolchain go1.23.4\r\n",
                "shop",
                "1.23",
            ),
            ("module x\ngo latest\n", "x", "1.25"),
            ("module x\ngo 1.22\"\n", "x", "1.25"),
            ("", "", "1.25"),
        ] {
            let module = read(text.to_owned());
            assert_eq!(
                (module.name.as_str(), module.go.version.to_string().as_str()),
                (name, go),
                "{text}"
            );
        }
    }
}
