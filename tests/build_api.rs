//! `POST /docker/build` of a directory, on the real engine: what is asked for, what comes of it, what is refused.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::context::trees;
use crate::support::builds::{BUILD, Builds, Own, id_of, lines, printed, run};
use crate::support::docker;

#[test]
fn everything_that_is_asked_for_is_in_the_image() {
    let builds = Builds::new();
    let base = builds.docker.image();
    let dockerfile = format!(
        "FROM {base} AS first\nARG TEXT=default NUMBER FLAG NOTHING=kept\n\
         RUN echo \"$TEXT $NUMBER $FLAG $NOTHING\" > /said\nCOPY . /c\nFROM first AS second\nRUN exit 9\n"
    );
    builds.write("docker/app.Dockerfile", dockerfile);
    builds.write("hello", "");
    // The Dockerfile is sent all the same, but is no part of the context; the engine takes it out again.
    builds.write(".dockerignore", "docker\n.dockerignore\n");
    let tag = builds.tag("1");
    let more = json!({
        "dockerfile": "docker/app.Dockerfile", "tag": tag, "target": "first", "no_cache": true,
        "build_args": { "TEXT": "a b", "NUMBER": 5, "FLAG": true, "NOTHING": null },
        "labels": { "one": "1", "two": 2 }, "pul": true,
    });
    let built = builds.build(&more).expect(200).json();
    assert_eq!(built["status"], "built");
    assert_eq!(built["tag"], tag);
    assert_eq!(built["image_id"], id_of(&tag));
    assert_eq!(built["warnings"], json!(["unknown field: pul"]));
    let output: Vec<_> = built["output"].as_array().unwrap().iter().collect();
    let first = output[0].as_str().unwrap();
    assert!(
        first.starts_with("Step 1/") && first.ends_with("AS first"),
        "{first}"
    );
    assert_eq!(
        output.last().unwrap(),
        &&json!(format!("Successfully tagged {tag}"))
    );
    assert_eq!(built.as_object().unwrap().len(), 5, "{built}");
    let said = run(&tag, "busybox cat /said; busybox find /c | busybox sort");
    assert_eq!(said, "a b 5 true kept\n/c\n/c/docker\n/c/hello");
    let labels = docker::run(&["inspect", "--format={{json .Config.Labels}}", &tag]).unwrap();
    let labels: Value = serde_json::from_str(&labels).unwrap();
    assert_eq!((&labels["one"], &labels["two"]), (&json!("1"), &json!("2")));
    assert_eq!(builds.containers(), Vec::<String>::new());
}

#[test]
fn steps_are_used_again_unless_they_are_not_to_be() {
    let builds = Builds::new();
    // The CLI looks for it in this case, too.
    builds.write("dockerfile", builds.on_image("RUN echo > /new"));
    let build = |more: Value| builds.build(&more).expect(200).json();
    let first = build(json!({}));
    assert_eq!(first["tag"], Value::Null);
    assert_eq!(first.as_object().unwrap().len(), 4, "{first}");
    assert_eq!(build(json!({}))["image_id"], first["image_id"]);
    let anew = build(json!({ "no_cache": true, "tag": builds.tag("new").as_str() }));
    assert_ne!(anew["image_id"], first["image_id"]);
    // Without a tag of its own it is `latest`.
    let name = builds.tag("x").replace(":x", "");
    let latest = build(json!({ "tag": name }));
    assert_eq!(latest["tag"], builds.tag("latest"));
    assert_eq!(latest["image_id"], id_of(&builds.tag("latest")));
}

/// What the step that lists the context printed.
fn listing(text: &str) -> Vec<String> {
    let mut names: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("entry "))
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// Builds `dockerfile` in `context` with us and with the CLI; the listings, or nothing when both refuse. With an engine
/// of our own, because the machine's may take a second for each step.
fn listings(own: &Own, context: &Path, dockerfile: &Path) -> Option<(Vec<String>, Vec<String>)> {
    let list =
        "COPY . /c\nRUN busybox find /c -exec busybox stat -c 'entry %N %F %a %s %u:%g' {} +";
    let path = context.join(dockerfile);
    std::fs::write(&path, own.builds.on_image(list)).unwrap();
    let theirs = Command::new("docker")
        .args(["build", "--no-cache", "--force-rm", "--file"])
        .args([path.as_path(), context])
        .env("DOCKER_BUILDKIT", "0")
        .env(
            "DOCKER_HOST",
            format!("unix://{}", own.engine.socket().display()),
        )
        .output()
        .unwrap();
    let body = json!({ "context_path": context, "dockerfile": dockerfile, "no_cache": true });
    let answer = own.builds.agent.post(&format!("{BUILD}?stream=1"), &body);
    if !theirs.status.success() {
        answer.expect(400);
        return None;
    }
    let (lines, last) = lines(&answer.expect(200));
    assert_eq!(last["status"], "built", "{last}");
    let theirs = String::from_utf8_lossy(&theirs.stdout).into_owned();
    Some((listing(&printed(&lines)), listing(&theirs)))
}

#[test]
fn what_reaches_the_engine_is_what_the_cli_sends() {
    let own = Own::new(None);
    let compared = |seed: u64| {
        let place = tempfile::tempdir().unwrap();
        let tree = trees::make(place.path(), &mut trees::Dice::new(seed));
        listings(&own, place.path(), &tree.dockerfile).map(|both| (seed, both))
    };
    // The generator also makes what both refuse; a handful of the others is enough, `context` compares hundreds.
    let trees: Vec<_> = (1000..1020).filter_map(compared).take(3).collect();
    for (seed, (ours, theirs)) in &trees {
        assert_eq!(ours, theirs, "seed {seed}");
    }
    let entries: usize = trees.iter().map(|(_, (ours, _))| ours.len()).sum();
    assert!(
        trees.len() == 3 && entries > 20,
        "{} trees, {entries} entries",
        trees.len()
    );
}

#[test]
fn an_ignore_file_of_a_hundred_rules_is_followed_as_the_cli_does() {
    let own = Own::new(None);
    let builds = &own.builds;
    let mut rules = String::new();
    for number in 0..25 {
        for name in ["keep.txt", "drop.log", "deep/er/drop.txt", "deep/keep.log"] {
            builds.write(&format!("d{number}/{name}"), name);
        }
        let odd = 2 * number;
        let four =
            format!("d{number}/*.log\n**/deep/**\n!d{number}/deep/keep.log\nd{odd}/k??p.[s-u]xt\n");
        rules.push_str(&four);
    }
    assert_eq!(rules.lines().count(), 100);
    builds.write(".dockerignore", rules);
    symlink("/etc/passwd", builds.path("d1/link")).unwrap();
    let (ours, theirs) = listings(&own, builds.context(), Path::new("Dockerfile")).unwrap();
    assert_eq!(ours, theirs);
    let is_there = |name: &str| ours.iter().any(|line| line.contains(name));
    assert!(is_there("link' -> '/etc/passwd"), "{ours:#?}");
    assert!(is_there("/c/d1/keep.txt") && !is_there("/c/d2/keep.txt"));
    assert!(is_there("/c/d24/deep/keep.log") && !is_there("drop.txt"));
}

#[test]
fn a_build_that_fails_says_why_and_leaves_nothing() {
    let builds = Builds::new();
    let gone = "127.0.0.1:1/nothing:1";
    let tag = builds.tag("half");
    for (dockerfile, sentence, details) in [
        (
            builds.on_image("RUN echo be''fore && exit 7\nRUN echo after"),
            "a step of the build failed with exit code 7",
            vec!["before\n", "returned a non-zero code: 7"],
        ),
        (
            builds.on_image("COPY nothing /"),
            "the build failed",
            vec!["Step 2/2", "COPY failed", "nothing"],
        ),
        (
            format!("FROM {gone}\n"),
            "base image `127.0.0.1:1/nothing:1` could not be had",
            vec!["connection refused"],
        ),
        (
            builds.on_image("FOO bar"),
            "the engine cannot build this",
            vec!["unknown instruction: FOO"],
        ),
    ] {
        builds.write("Dockerfile", &dockerfile);
        let answer = builds.build(&json!({ "tag": tag })).expect(400);
        assert_eq!(answer.error(), sentence, "{dockerfile}");
        let words = answer.json()["details"].as_str().unwrap().to_owned();
        for detail in details {
            assert!(words.contains(detail), "{detail}: {words}");
        }
        assert!(!words.contains("after"), "{words}");
    }
    builds.write("Dockerfile", "");
    let answer = builds.build(&json!({})).expect(400);
    assert!(
        answer.error().contains("no instruction"),
        "{}",
        answer.text()
    );
    assert_eq!(builds.made(), Vec::<String>::new());
    assert!(docker::run(&["inspect", &tag]).is_err());
    // What a step prints may be a secret; the engine's own words end the line.
    let log = builds.agent.log().join("\n");
    assert!(
        log.contains("exit code 7") && !log.contains("before"),
        "{log}"
    );
}

#[test]
fn a_build_can_be_watched() {
    let builds = Builds::new();
    builds.dockerfile("RUN echo one && echo two >&2");
    let tag = builds.tag("1");
    let (lines, last) = builds.build_live(&json!({ "tag": tag, "what": 1 }));
    let text = printed(&lines);
    for part in ["Step 2/2 : RUN", "one\n", "two\n", "Successfully tagged"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!lines.iter().any(|line| line.get("aux").is_some()));
    assert_eq!(last["image_id"], id_of(&tag));
    assert_eq!(
        (&last["status"], &last["tag"]),
        (&json!("built"), &json!(tag))
    );
    assert_eq!(last["warnings"], json!(["unknown field: what"]));
    assert!(last["output"].as_array().unwrap().len() >= 5, "{last}");

    builds.dockerfile("RUN echo three && exit 3");
    let (lines, last) = builds.build_live(&json!({ "tag": builds.tag("2") }));
    assert!(printed(&lines).contains("three\n"));
    assert_eq!(last["error"], "a step of the build failed with exit code 3");
    let details = last["details"].as_str().unwrap();
    assert!(
        details.contains("three") && details.contains("code: 3"),
        "{details}"
    );
    assert_eq!(last.as_object().unwrap().len(), 2, "{last}");
    assert_eq!(builds.containers(), Vec::<String>::new());

    // What fails before anything was said is a status.
    builds.dockerfile("FOO");
    let path = format!("{BUILD}?stream=true");
    let answer = builds
        .agent
        .post(&path, &builds.body(&json!({})))
        .expect(400);
    assert_eq!(answer.error(), "the engine cannot build this");
}

#[test]
fn nothing_outside_of_the_context_is_built_from() {
    let builds = Builds::new();
    builds.dockerfile("");
    builds.write("sub/x", "");
    symlink("/etc", builds.path("etc")).unwrap();
    symlink("/etc/passwd", builds.path("passwd")).unwrap();
    symlink("../../nowhere", builds.path("dangling")).unwrap();
    symlink("Dockerfile", builds.path("inside")).unwrap();
    let path = |name: &str| builds.path(name).display().to_string();
    let file = |dockerfile: &str| json!({ "context_path": path(""), "dockerfile": dockerfile });
    for (body, status, words) in [
        (json!({ "context_path": "/etc" }), 403, "outside"),
        (json!({ "context_path": path("etc") }), 403, "outside"),
        (json!({ "context_path": path("../../etc") }), 403, "outside"),
        (json!({ "context_path": "tmp" }), 400, "slash"),
        (json!({ "context_path": "" }), 400, "slash"),
        (json!({ "context_path": "/tmp/a\0b" }), 400, "NUL"),
        (json!({ "context_path": path("missing") }), 404, "missing"),
        (
            json!({ "context_path": path("Dockerfile") }),
            400,
            "directory",
        ),
        (json!({ "context_path": path("sub") }), 404, "Dockerfile"),
        (json!({ "context_path": 5 }), 400, "context_path"),
        (json!({}), 400, "context_path"),
        (file("../Dockerfile"), 403, "outside"),
        (file("sub/../../../etc/passwd"), 403, "outside"),
        (file(&path("Dockerfile")), 400, "field `dockerfile`"),
        (file("passwd"), 403, "outside"),
        (file("etc/passwd"), 403, "outside"),
        (file("dangling"), 403, "outside"),
        (file("missing"), 404, "missing"),
        (file("sub"), 400, "file"),
    ] {
        let answer = builds.agent.post(BUILD, &body);
        let (code, error) = (answer.status, answer.error());
        assert_eq!(code, status, "{body}: {error}");
        assert!(error.contains(words), "{body}: {error}");
    }
    builds.agent.post(BUILD, &file("inside")).expect(200);
}

#[test]
fn what_makes_no_sense_is_named() {
    let builds = Builds::new();
    builds.dockerfile("");
    for (more, words) in [
        (json!({ "tag": "Upper" }), "field `tag`"),
        (json!({ "build_args": { "A": [1] } }), "field `build_args"),
        (json!({ "build_args": ["A=1"] }), "field `build_args"),
        (json!({ "no_cache": "yes" }), "field `no_cache`"),
        (json!({ "labels": 5 }), "field `labels`"),
        (json!({ "target": "nothing" }), "cannot build this"),
    ] {
        let error = builds.build(&more).expect(400).error();
        assert!(error.contains(words), "{more}: {error}");
    }
    builds.write(".dockerignore", "[z-a");
    let error = builds.build(&json!({})).expect(400).error();
    assert!(error.contains(".dockerignore"), "{error}");
    let query = format!("{BUILD}?stream=perhaps");
    builds.agent.post(&query, &json!({})).expect(400);
}
