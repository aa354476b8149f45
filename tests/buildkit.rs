//! Dockerfiles that need BuildKit: refused where the docker CLI has no buildx, built by it where it has.
//!
//! The builder is that of an engine of our own, whose cache of steps goes with it. The plugin is fetched by
//! `tests/run.sh`.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::agent::{Agent, KEY, Setup};
use crate::support::builds::{BUILD, Builds, id_of, lines, printed};
use crate::support::docker;
use crate::support::dockerd::Dockerd;
use crate::support::{Client, eventually, process, upload};

/// What the classic builder does not know.
const CACHE: &str = "RUN --mount=type=cache,target=/cache echo cached > /cache/x && busybox cat /cache/x > /x\n\
                     COPY --chmod=705 hello /hello";
const HEREDOC: &str = "RUN <<EOF\necho there\nEOF";

const NEEDED: &str =
    "this Dockerfile needs BuildKit: install the docker CLI with its buildx plugin on this machine";

#[test]
fn without_the_plugin_it_is_501_and_says_what_to_install() {
    // Whatever this machine has: the agent finds no docker.
    let builds = Builds::of(Setup::new().env("PATH", "/nowhere"));
    builds.write("hello", "");
    for (instructions, words) in [
        (CACHE, "--mount option requires BuildKit"),
        (
            "COPY --chmod=705 hello /",
            "--chmod option requires BuildKit",
        ),
        (HEREDOC, heredoc_words()),
    ] {
        builds.dockerfile(instructions);
        let refused = builds.build(&json!({})).expect(501);
        assert_eq!(refused.error(), NEEDED);
        let details = refused.json()["details"].as_str().unwrap().to_owned();
        assert!(details.contains(words), "{details}");
    }
    builds.dockerfile(CACHE);
    let refused = builds.build_tar("", &builds.tar()).expect(501);
    assert_eq!(refused.error(), NEEDED);
    // What was printed before it came to that was printed.
    let (_, last) = builds.build_live(&json!({}));
    assert_eq!(last["error"], NEEDED);
    builds.dockerfile(HEREDOC);
    let refused = builds.build_tar("", &builds.tar());
    if knows_heredocs() {
        assert_eq!(refused.expect(501).error(), NEEDED);
    } else {
        // Of a tar's Dockerfile nobody knows whether this is a heredoc.
        let refused = refused.expect(400);
        assert!(refused.text().contains("unknown instruction: ECHO"));
        assert!(refused.error().contains("heredoc"), "{}", refused.text());
        assert_eq!(builds.made(), Vec::<String>::new());
    }
}

#[test]
fn a_name_stays_with_the_image_that_was_built_whole() {
    let builds = Builds::of(Setup::new().env("PATH", "/nowhere"));
    let tag = builds.tag("1");
    builds.dockerfile("RUN echo good > /x");
    let good = builds.build(&json!({ "tag": tag })).expect(200).json();
    // An engine that leaves the heredoc out may have built to the end before the build is ended.
    builds.dockerfile(HEREDOC);
    builds.build(&json!({ "tag": tag })).expect(501);
    let refused = builds.build_tar(&format!("tag={tag}"), &builds.tar());
    assert!(refused.status >= 400, "{}", refused.text());
    assert_eq!(good["image_id"], id_of(&tag));
}

/// Whether the engine's parser knows heredocs, which its classic builder then leaves out: from Docker 23 on.
fn knows_heredocs() -> bool {
    let version = docker::engine_get("/version")["ApiVersion"].clone();
    let minor = version.as_str().unwrap().split('.').nth(1).unwrap();
    minor.parse::<u32>().unwrap() >= 42
}

fn heredoc_words() -> &'static str {
    if knows_heredocs() {
        "the heredoc requires BuildKit"
    } else {
        "unknown instruction: ECHO"
    }
}

/// An engine of our own, and an agent whose docker CLI has the plugin.
struct Lab {
    engine: Dockerd,
    builds: Builds,
    _configuration: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/buildx/docker-buildx");
        assert!(
            plugin.is_file(),
            "tests/support/fetch-buildx.sh target/buildx fetches {}",
            plugin.display()
        );
        let configuration = tempfile::tempdir().unwrap();
        let plugins = configuration.path().join("cli-plugins");
        std::fs::create_dir(&plugins).unwrap();
        symlink(plugin, plugins.join("docker-buildx")).unwrap();
        let engine = Dockerd::start_bridged();
        let setup = Setup::new().engine(&engine.socket());
        let builds = Builds::of(setup.env("DOCKER_CONFIG", configuration.path()));
        engine.take_image(&builds.docker.image());
        builds.write("hello", "hello\n");
        Self {
            engine,
            builds,
            _configuration: configuration,
        }
    }

    fn run(&self, image: &str, script: &str) -> String {
        let command = ["run", "--rm", "--network=none", image, "sh", "-c", script];
        self.engine.docker(&command).unwrap()
    }

    fn id_of(&self, image: &str) -> String {
        self.engine
            .docker(&["inspect", "--format={{.Id}}", image])
            .unwrap()
    }
}

#[test]
fn with_the_plugin_a_directory_and_a_tar_are_built() {
    let lab = Lab::new();
    let builds = &lab.builds;
    let dockerfile = format!("ARG WHO\n{CACHE}\nRUN echo $WHO >> /x\nFROM nothing.invalid/x\n");
    let dockerfile = builds
        .on_image(&dockerfile)
        .replacen('\n', " AS first\n", 1);
    builds.write("sub/File", dockerfile);
    builds.write(".dockerignore", "sub\n");
    let look = "busybox cat /x /hello; busybox stat -c %a /hello";
    let tag = builds.tag("directory");
    let more = json!({
        "dockerfile": "sub/File", "tag": tag, "build_args": { "WHO": "me", "NOBODY": null },
        "labels": { "a": "b c" }, "target": "first", "what": 1,
    });
    let built = builds.build(&more).expect(200).json();
    assert_eq!(
        (&built["status"], &built["tag"]),
        (&json!("built"), &json!(tag))
    );
    assert_eq!(built["image_id"], lab.id_of(&tag));
    assert_eq!(built["warnings"], json!(["unknown field: what"]));
    let output = built["output"].to_string();
    assert!(
        output.contains("RUN --mount=type=cache") && output.contains("naming to"),
        "{output}"
    );
    assert_eq!(lab.run(&tag, look), "cached\nme\nhello\n705");
    let labels = ["inspect", "--format={{.Config.Labels.a}}", &tag];
    assert_eq!(lab.engine.docker(&labels).as_deref(), Ok("b c"));

    // The tar was kept while the classic builder looked at it.
    let tag = builds.tag("tar");
    let query = format!("dockerfile=sub/File&tag={tag}&target=first&build_args=%7B%22WHO%22:7%7D");
    let built = builds.build_tar(&query, &builds.tar()).expect(200).json();
    assert_eq!(built["image_id"], lab.id_of(&tag));
    assert_eq!(lab.run(&tag, look), "cached\n7\nhello\n705");
    let path = format!("{BUILD}?{query}&stream=true");
    let gzip = upload::gzipped(&builds.tar());
    let (steps, last) =
        lines(&upload::post(&builds.agent, &path, "application/gzip", &gzip).expect(200));
    assert!(printed(&steps).contains("#1 "), "{steps:?}");
    assert_eq!(last["image_id"], built["image_id"]);
    assert_eq!(builds.agent.state_files(), Vec::<String>::new());
}

#[test]
fn what_buildkit_cannot_build_is_told_with_its_words() {
    let lab = Lab::new();
    let builds = &lab.builds;
    builds.dockerfile(&format!("{CACHE}\nRUN echo be''fore && exit 7"));
    let tag = builds.tag("half");
    let failed = builds.build(&json!({ "tag": tag })).expect(400);
    assert_eq!(failed.error(), "the build failed");
    let details = failed.json()["details"].as_str().unwrap().to_owned();
    assert!(
        details.contains("before") && details.contains("exit code: 7"),
        "{details}"
    );
    assert!(lab.engine.docker(&["inspect", &tag]).is_err());
    let (steps, last) = builds.build_live(&json!({}));
    assert!(printed(&steps).contains("before"));
    assert_eq!(last["error"], "the build failed");
    // This engine's BuildKit is older than heredocs, and says so.
    builds.dockerfile(HEREDOC);
    let failed = builds.build(&json!({})).expect(400);
    let details = failed.json()["details"].as_str().unwrap().to_owned();
    assert!(
        details.contains("failed to solve") && details.contains("ECHO"),
        "{details}"
    );
    // The docker CLI would take it for itself.
    builds.dockerfile(CACHE);
    let error = builds
        .build(&json!({ "build_args": { "PATH": "/" } }))
        .expect(400)
        .error();
    assert!(error.contains("`build_args.PATH`"), "{error}");
    let log = builds.agent.log().join("\n");
    assert!(!log.contains("before"), "{log}");
    assert_eq!(builds.agent.state_files(), Vec::<String>::new());
}

/// A step that waits for somebody to end it. Dropped, it is ended: an engine that was killed leaves its steps behind.
struct Step(String);

impl Step {
    fn new(minutes: u32) -> Self {
        // A number of seconds that no other process sleeps.
        Self(format!("busybox sleep {minutes}{}", std::process::id()))
    }

    /// Its process.
    fn processes(&self) -> Vec<u32> {
        let is_its = |(_, line): &(u32, String)| line.trim_end() == self.0;
        let found = process::command_lines(&self.0).into_iter().filter(is_its);
        found.map(|(id, _)| id).collect()
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        for process in self.processes() {
            process::signal(process, "KILL");
        }
    }
}

/// Asks for a build, and waits until its step runs.
fn begin(agent: &Agent, body: &Value, step: &Step) -> Client {
    let headers = [("X-API-Key", KEY), ("Content-Type", "application/json")];
    let mut client = agent.connect();
    client.send(&Client::encode(
        "POST",
        BUILD,
        &headers,
        body.to_string().as_bytes(),
    ));
    eventually("the step to run", || step.processes().pop());
    client
}

#[test]
fn a_client_that_leaves_ends_buildx_which_never_told_a_secret() {
    let (lab, step) = (Lab::new(), Step::new(30));
    let builds = &lab.builds;
    builds.dockerfile(&format!(
        "ARG TOKEN\nRUN --mount=type=cache,target=/c {}",
        step.0
    ));
    let body = builds.body(&json!({ "build_args": { "TOKEN": "very-secret" } }));
    let socket = lab.engine.socket().display().to_string();
    let ours = || -> Vec<String> {
        let lines = process::command_lines(&socket)
            .into_iter()
            .map(|(_, line)| line);
        lines.filter(|line| line.contains("buildx build")).collect()
    };
    let client = begin(&builds.agent, &body, &step);
    let lines = ours();
    // The docker CLI and its plugin.
    assert!(lines.len() >= 2, "{lines:?}");
    for line in lines {
        let is_named = line.contains("--build-arg=TOKEN");
        assert!(is_named && !line.contains("very-secret"), "{line}");
    }
    drop(client);
    eventually("buildx to end", || ours().is_empty().then_some(()));
    eventually("the step to end", || {
        step.processes().is_empty().then_some(())
    });
    builds.agent.wait_for_log("status=499");
    assert!(!builds.agent.log().join("\n").contains("very-secret"));
    assert_eq!(builds.agent.state_files(), Vec::<String>::new());
    builds.dockerfile("");
    builds.build(&json!({})).expect(200);
}

#[test]
fn an_engine_that_goes_away_is_503_here_too() {
    let (mut lab, step) = (Lab::new(), Step::new(40));
    lab.builds
        .dockerfile(&format!("RUN --mount=type=cache,target=/c {}", step.0));
    let mut client = begin(&lab.builds.agent, &lab.builds.body(&json!({})), &step);
    lab.engine.kill();
    let error = client.response().expect(503).error();
    assert!(error.contains("cannot be reached"), "{error}");
}
