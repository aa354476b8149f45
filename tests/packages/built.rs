//! The packages, built once for all tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// The program that is packed: `NODE_AGENT_TEST_BINARY`, or the static one.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    if let Some(path) = std::env::var_os("NODE_AGENT_TEST_BINARY") {
        return std::fs::canonicalize(path).unwrap();
    }
    script("packaging/build-static.sh", &[]);
    at("target/dist/node-agent-x86_64-linux")
});

static DEB: LazyLock<PathBuf> = LazyLock::new(|| package("packaging/build-deb.sh"));

static TARBALL: LazyLock<PathBuf> = LazyLock::new(|| package("packaging/build-tarball.sh"));

/// A path of the project.
pub fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The program in the packages.
pub fn program() -> &'static Path {
    &PROGRAM
}

/// The Debian package.
pub fn deb() -> &'static Path {
    &DEB
}

/// The tarball.
pub fn tarball() -> &'static Path {
    &TARBALL
}

/// The commands that the README has under this heading.
pub fn readme(heading: &str) -> &'static str {
    let (_, section) = include_str!("../../README.md")
        .split_once(&format!("\n### {heading}\n"))
        .unwrap();
    let (_, block) = section.split_once("\n```sh\n").unwrap();
    block.split_once("\n```\n").unwrap().0
}

/// Runs a script of the project, which has to succeed; what it printed.
#[track_caller]
pub fn script(path: &str, arguments: &[&str]) -> String {
    run(Command::new(at(path)).args(arguments))
}

/// Runs a program, which has to succeed; what it printed.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What a script packs, which says where it is.
fn package(path: &str) -> PathBuf {
    at(&script(path, &[PROGRAM.to_str().unwrap()]))
}

#[test]
fn two_builds_of_a_package_are_the_same_bytes() {
    for (path, built) in [
        ("packaging/build-deb.sh", deb()),
        ("packaging/build-tarball.sh", tarball()),
    ] {
        let first = std::fs::read(built).unwrap();
        // Times differ from here on, if any gets into the package: they are in whole seconds.
        let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let begun = now().unwrap().as_secs();
        while now().unwrap().as_secs() == begun {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        // Elsewhere, with other times: a copy of what is packed.
        let copy = tempfile::tempdir().unwrap();
        let here = env!("CARGO_MANIFEST_DIR");
        for name in ["packaging", "README.md", "LICENSE", "Cargo.toml"] {
            run(Command::new("cp")
                .args(["-r", &format!("{here}/{name}")])
                .arg(copy.path()));
        }
        let epoch = run(Command::new("git").args(["-C", here, "log", "-1", "--format=%ct"]));
        let said = run(Command::new(copy.path().join(path))
            .arg(program())
            .env("SOURCE_DATE_EPOCH", epoch));
        let second = std::fs::read(copy.path().join(said)).unwrap();
        assert!(first == second, "{path}");
    }
}
