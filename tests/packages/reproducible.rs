//! Two builds of the same sources are the same bytes, wherever they stand: the whole of it, std included, is built again.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::built::{at, run, script};

/// What a build reads.
const SOURCES: [&str; 5] = ["src", "packaging", "build.rs", "Cargo.toml", "Cargo.lock"];

const BUILT: &str = "target/dist/node-agent-x86_64-linux";

#[test]
fn a_build_in_another_directory_gives_the_same_bytes() {
    script("packaging/build-static.sh", &[]);
    // A path of another length, below which nothing is built yet.
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("a copy of the sources");
    fs::create_dir_all(copy.join("target")).unwrap();
    for name in SOURCES {
        run(Command::new("cp").arg("-r").arg(at(name)).arg(&copy));
    }
    // The compiler, where there is no rustup, is none of what is compared.
    if at("target/static-root").exists() {
        symlink(at("target/static-root"), copy.join("target/static-root")).unwrap();
    }
    run(&mut Command::new(copy.join("packaging/build-static.sh")));
    let (first, second) = (
        fs::read(at(BUILT)).unwrap(),
        fs::read(copy.join(BUILT)).unwrap(),
    );
    assert!(first == second, "they differ");
}
