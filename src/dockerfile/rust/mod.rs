//! Rust packages and workspaces with a binary.
#![forbid(unsafe_code)]

mod binary;
mod version;

use super::Stack;
use super::error::DetectError;
use super::node::build::Assets;
use super::plan::{
    Plan, Verdict, bash_healthcheck, copy_asset_directories, copy_existing, debian_packages,
};
use super::project::{Project, below};
use super::read::toml::Toml;
use super::text::Text;
use binary::Binary;
use version::rust_version;

/// Bindings to C and the Debian package that has the library, looked up in the lock file.
const LIBRARIES: &[(&str, &str)] = &[
    ("openssl-sys", "libssl3"),
    ("pq-sys", "libpq5"),
    ("mysqlclient-sys", "libmariadb3"),
];

/// Web frameworks and the variables that make them listen outside of loopback.
const LISTENING: &[(&str, &str)] = &[
    ("rocket", "ENV ROCKET_ADDRESS=0.0.0.0 ROCKET_PORT=8080"),
    ("axum", ""),
    ("actix-web", ""),
    ("warp", ""),
    ("poem", ""),
    ("salvo", ""),
    ("tide", ""),
];

/// Files that building dependencies reads.
const MANIFESTS: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "rust-toolchain",
];

const PORT: u16 = 8080;

/// `Cargo.toml`, of a package or workspace that makes a program.
pub(crate) fn detect(project: &Project) -> Result<Verdict, DetectError> {
    let Some(text) = project.text("Cargo.toml")? else {
        return Ok(Verdict::No);
    };
    let manifest = Toml(&text);
    match binary::find(project, manifest)? {
        Some(binary) => plan(project, manifest, &binary).map(Verdict::Match),
        None => Ok(Verdict::unfinished(
            "Cargo.toml",
            "a binary (src/main.rs, src/bin/ or [[bin]])",
        )),
    }
}

fn plan(project: &Project, manifest: Toml, binary: &Binary) -> Result<Plan, DetectError> {
    let rust = rust_version(project, manifest)?;
    let lock = project.lock("Cargo.lock")?;
    let locked = Text::when(lock.is_some(), " --locked");
    let assets = Assets::of(project, "COPY . .")?;
    let framework = framework(project, manifest, binary)?;
    let host = framework
        .map(|(_, env)| Text::from(*env))
        .unwrap_or_default();
    let dependencies = dependencies(project, manifest, binary, &locked)?;
    let touch = Text::when(
        !dependencies.is_empty(),
        "find src -name '*.rs' -exec touch {} + && ",
    );
    let dockerfile = Text::fill(
        include_str!("../templates/rust.Dockerfile"),
        &[
            (
                "sources",
                assets.or("COPY --from=assets /app ./", "COPY . ."),
            ),
            ("assets", assets.stage),
            ("rust", rust.version.into()),
            ("dependencies", dependencies),
            ("touch", touch),
            ("locked", locked),
            ("package", binary.package_argument()),
            ("name", (&binary.name).into()),
            ("libraries", libraries(lock.as_deref().unwrap_or_default())),
            ("host", host),
            ("directories", copy_asset_directories(project)?),
            ("port", PORT.into()),
            (
                "healthcheck",
                bash_healthcheck(PORT).only_if(framework.is_some()),
            ),
        ],
    );
    let mut reasons = vec![binary.why(), rust.reason("Rust")];
    reasons.extend(lock.map(|_| "Cargo.lock".to_owned()));
    reasons.extend(assets.reason);
    Ok(Plan {
        stack: Stack::Rust,
        dockerfile,
        reasons,
    })
}

/// The web framework among the dependencies of the binary's own package.
fn framework(
    project: &Project,
    root: Toml,
    binary: &Binary,
) -> Result<Option<&'static (&'static str, &'static str)>, DetectError> {
    let member = match &binary.member {
        Some((directory, _)) => project.text(&below(directory, "Cargo.toml"))?,
        None => None,
    };
    let own = member.as_deref().map_or(root, Toml);
    Ok(LISTENING.iter().find(|(name, _)| {
        own.keys("dependencies").any(|key| key == *name)
            || own.has_table(&format!("dependencies.{name}"))
    }))
}

/// Whether cargo finds the targets in their usual places, so that empty ones can stand in for them.
fn is_usual(project: &Project, manifest: Toml, binary: &Binary) -> Result<bool, DetectError> {
    let unusual = ["workspace", "bin", "lib", "bench", "example", "test"];
    Ok(binary.member.is_none()
        && !unusual.iter().any(|table| manifest.has_table(table))
        && manifest.value("package.build").is_none()
        && !has_path_dependency(manifest)
        && project.has("src/main.rs")?
        && !project.has("build.rs")?)
}

/// The lines that build the dependencies before the sources are there, where that is possible.
fn dependencies(
    project: &Project,
    manifest: Toml,
    binary: &Binary,
    locked: &Text,
) -> Result<Text, DetectError> {
    if !is_usual(project, manifest, binary)? {
        return Ok(Text::default());
    }
    let settings = project.has_directory(".cargo")?;
    let library = project.has("src/lib.rs")?;
    Ok(Text::fill(
        include_str!("../templates/rust-dependencies"),
        &[
            ("manifests", copy_existing(project, MANIFESTS)?),
            ("settings", Text::when(settings, "COPY .cargo ./.cargo")),
            ("locked", locked.clone()),
            ("library", Text::when(library, " && touch src/lib.rs")),
        ],
    ))
}

fn has_path_dependency(manifest: Toml) -> bool {
    manifest.0.lines().any(|line| {
        line.split_once("path")
            .is_some_and(|(_, rest)| rest.trim_start().starts_with('='))
    })
}

fn libraries(lock: &str) -> Text {
    // The vendored library is linked in.
    let vendored = lock.contains("name = \"openssl-src\"");
    let mut packages = vec!["ca-certificates"];
    for (name, package) in LIBRARIES {
        let linked =
            lock.contains(&format!("name = \"{name}\"")) && !(vendored && *package == "libssl3");
        if linked {
            packages.push(package);
        }
    }
    debian_packages(&packages)
}
