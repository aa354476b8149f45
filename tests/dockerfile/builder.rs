//! The classic builder itself reads every golden file, without a network and without a registry.
//!
//! It parses a whole file before its first step, so a stage of our own in front, built alone, is enough to have the
//! file parsed. With `NODE_AGENT_TEST_DOCKERFILE_BUILDS=1` every file is also built to its end (some twenty minutes on two shared cores): each base
//! image is then a stand-in made of busybox whose shell only checks the syntax of what it is given, and what one stage
//! takes from another is put there beforehand.
//!
//! Everything made here has a label with the number of this process, and is removed by it.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::path::Path;
use std::process::{self, Command, Output, Stdio};
use std::{env, fs};

use super::checker::instructions;
use super::{cases, golden_files};

const BUSYBOX: &str = "/bin/busybox";

/// The stand-in images of this process.
struct StandIn {
    label: String,
    image: String,
}

impl StandIn {
    /// An image of nothing but busybox and these empty files.
    fn new(name: &str, files: &[String]) -> Self {
        let label = format!("node-agent-test-dockerfile={}-{name}", process::id());
        let image = format!("node-agent-test-dockerfile-{name}:{}", process::id());
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("bin")).unwrap();
        fs::copy(BUSYBOX, root.path().join("bin/busybox"))
            .expect("these tests need /bin/busybox, linked statically");
        for file in files {
            let path = root.path().join(file.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let made = Self { label, image };
        made.import(root.path());
        made
    }

    fn import(&self, root: &Path) {
        let mut tar = Command::new("tar")
            .arg("-C")
            .arg(root)
            .args(["-c", "."])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let raw = format!("{}-raw", self.image);
        let imported = Command::new("docker")
            .args([
                "import",
                "--change",
                &format!("LABEL {}", self.label),
                "-",
                &raw,
            ])
            .stdin(tar.stdout.take().unwrap())
            .output()
            .expect("these tests need docker");
        assert!(
            tar.wait().unwrap().success() && imported.status.success(),
            "{imported:?}"
        );
        let shell = format!("FROM {raw}\nSHELL [\"{BUSYBOX}\", \"sh\", \"-n\", \"-c\"]\n");
        let built = build(&["--tag", &self.image, "-"], &shell);
        assert!(built.status.success(), "{built:?}");
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = docker(&["image", "rm", &self.image, &format!("{}-raw", self.image)]);
        let _ = docker(&[
            "image",
            "prune",
            "--force",
            "--filter",
            &format!("label={}", self.label),
        ]);
    }
}

fn docker(arguments: &[&str]) -> Output {
    Command::new("docker").args(arguments).output().unwrap()
}

/// The classic builder, with the Dockerfile on its standard input.
fn build(arguments: &[&str], dockerfile: &str) -> Output {
    let mut child = Command::new("docker")
        .args(["build", "--force-rm", "--quiet"])
        .args(arguments)
        .env("DOCKER_BUILDKIT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need docker");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(dockerfile.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_classic_builder_parses_every_golden_file() {
    let stand_in = StandIn::new("parse", &[]);
    let parse = |text: &str| {
        let text = format!("FROM {} AS nothing\n{text}", stand_in.image);
        build(&["--target", "nothing", "-"], &text)
    };
    for broken in [
        "FROM x:1\nRUNS y\n",
        "FROM x:1\nCOPY --colour a b\n",
        "FROM x:1\nEXPOSE\n",
    ] {
        assert!(
            !parse(broken).status.success(),
            "the builder takes {broken:?}"
        );
    }
    for (name, _, text) in golden_files() {
        let output = parse(&text);
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn the_classic_builder_builds_every_golden_file_on_stand_ins() {
    if env::var_os("NODE_AGENT_TEST_DOCKERFILE_BUILDS").is_none_or(|value| value.is_empty()) {
        return;
    }
    let last = StandIn::new("last", &[]);
    for (name, directory) in cases() {
        let Ok(text) = fs::read_to_string(directory.join("Dockerfile.expected")) else {
            continue;
        };
        let stage = StandIn::new(&name, &taken(&text));
        let context = directory.join("project");
        let file = on_stand_ins(&text, &stage.image, &last.image);
        let tag = format!("{}-built", stage.image);
        let output = build(
            &["--tag", &tag, "--file", "-", context.to_str().unwrap()],
            &file,
        );
        let _ = docker(&["image", "rm", &tag]);
        assert!(
            output.status.success(),
            "{name}: {}\n{file}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// What stages take from each other, each with a file in it.
fn taken(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for instruction in instructions(text).unwrap() {
        if instruction.name == "COPY" && instruction.rest.contains("--from=") {
            let words: Vec<&str> = instruction
                .rest
                .split(' ')
                .filter(|word| !word.starts_with("--"))
                .collect();
            all.extend(
                words[..words.len() - 1]
                    .iter()
                    .map(|path| format!("{}/stand-in", path.trim_end_matches('/'))),
            );
        }
    }
    all
}

/// The file with stand-ins for its base images: `stage` for those that are copied from, `last` for the last.
fn on_stand_ins(text: &str, stage: &str, last: &str) -> String {
    let line = |line: &str| match line
        .strip_prefix("FROM ")
        .map(|rest| rest.split_once(" AS "))
    {
        Some(Some((_, name))) => format!("FROM {stage} AS {name}\n"),
        Some(None) => format!("FROM {last}\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}
