//! Dockerfiles that the classic builder does not understand, built by BuildKit through the docker CLI's `buildx`, where
//! that is installed. The engine has BuildKit in it, but talks to it in gRPC over a hijacked session, which is not worth
//! speaking here; `docker buildx` does. May use `exec`.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use super::build::BuildOptions;
use crate::exec::{ExecError, Exit, Invocation, Program, Stdin, Stream};
use crate::limits;
use crate::sys::process::random_bytes;

/// Where the CLI looks for plugins, besides its own configuration directory. docker/cli, `cli-plugins/manager`.
const PLUGIN_DIRECTORIES: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// What the docker CLI needs to build here.
#[derive(Clone)]
pub struct Buildx {
    /// The engine's socket.
    pub socket: PathBuf,
    /// The CLI's configuration directory, with its logins.
    pub configuration: PathBuf,
    /// Where the image's id is written for a moment: the state directory.
    pub scratch: PathBuf,
    /// What credential helpers find in their environment, `PATH` too.
    pub variables: Vec<(String, String)>,
}

/// The docker CLI, with the plugin.
#[derive(Debug)]
pub struct DockerWithBuildx(Program);

/// Writes the context's tar, in a thread of its own.
pub type Context<'c> = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'c>;

/// Why there is no image.
#[derive(Debug)]
pub enum BuildKitError {
    /// A build argument whose name means something to the docker CLI itself.
    Argument {
        /// Its name.
        name: String,
    },
    /// `buildx` ended with this exit code; what it printed tells why.
    Failed {
        /// How it ended.
        exit: Exit,
    },
    /// It took longer than [`limits::BUILDKIT_DEADLINE`].
    TooLong,
    /// The client went away.
    Abandoned,
    /// The one who takes the output failed.
    Taker(io::Error),
    /// The docker CLI could not be run, or not be given the context.
    NotRun(ExecError),
    /// It did not tell the image.
    NoId(io::Error),
}

/// Whether the classic builder's refusal `words` of a Dockerfile with this `text` (when it is known) mean that BuildKit
/// would build it. The engine has no code for it; these are its words from 20.10 to 28.
pub fn is_needed(words: &str, text: Option<&str>) -> bool {
    const FLAGS: [&str; 9] = [
        "link",
        "chmod",
        "checksum",
        "network",
        "security",
        "exclude",
        "parents",
        "mount",
        "keep-git-dir",
    ];
    let flag = words
        .split_once("Unknown flag: ")
        .or(words.split_once("unknown flag: "));
    let is_new_flag =
        flag.is_some_and(|(_, flag)| FLAGS.contains(&flag.trim_start_matches("--").trim()));
    let has = |sign: &str| text.is_none_or(|text| text.contains(sign));
    // The lines of a heredoc are instructions to who does not know it.
    let is_heredoc = words.contains("unknown instruction") && has("<<");
    // BuildKit sets BUILDPLATFORM and its like, for the classic builder they are empty.
    let is_platform = words.contains("failed to parse platform") && has("PLATFORM");
    let asks_for_frontend = words.contains("parse error")
        && text.is_some_and(|text| text.lines().any(is_syntax_directive));
    words.contains("requires BuildKit")
        || is_new_flag
        || is_heredoc
        || is_platform
        || asks_for_frontend
}

/// `# syntax=…`, as buildkit's parser reads it.
fn is_syntax_directive(line: &str) -> bool {
    let directive = line.trim_start().strip_prefix('#').unwrap_or_default();
    directive
        .split_once('=')
        .is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case("syntax"))
}

impl Buildx {
    /// The docker CLI, when it and its plugin are installed. Nothing is run to find out.
    pub fn find(&self) -> Option<DockerWithBuildx> {
        let own = self.configuration.join("cli-plugins");
        let directories = PLUGIN_DIRECTORIES
            .iter()
            .map(Path::new)
            .chain([own.as_path()]);
        let is_there = directories
            .into_iter()
            .any(|directory| directory.join("docker-buildx").is_file());
        if !is_there {
            return None;
        }
        let path = self.variables.iter().find(|(name, _)| name == "PATH");
        let found = match path {
            Some((_, path)) => Program::find_in("docker", path.as_ref()),
            None => Program::find("docker"),
        };
        found.ok().map(DockerWithBuildx)
    }

    /// Builds, and gives the output to `take` as it comes; the image's id.
    pub fn build(
        &self,
        docker: &DockerWithBuildx,
        options: &BuildOptions,
        context: Context<'_>,
        client: Option<BorrowedFd<'_>>,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<String, BuildKitError> {
        let id_file = IdFile::new(&self.scratch).map_err(BuildKitError::NoId)?;
        let mut invocation = Invocation::new(&docker.0, limits::BUILDKIT_DEADLINE);
        for (name, value) in &self.variables {
            invocation = invocation.variable(name, value);
        }
        for (name, value) in &options.arguments {
            refuse_own_variable(name)?;
            if let Some(value) = value {
                invocation = invocation.variable(name, value);
            }
        }
        let exit = invocation
            .arguments(self.arguments(options, &id_file.0))
            .stdin(Stdin::Producer(context))
            .watching(client)
            .stream(&mut |stream: Stream, bytes: &[u8]| match stream {
                // Progress goes to stderr; nothing is expected elsewhere.
                Stream::Stderr | Stream::Stdout => take(bytes),
            })
            .map_err(|error| match error {
                ExecError::Deadline { .. } => BuildKitError::TooLong,
                ExecError::Abandoned => BuildKitError::Abandoned,
                ExecError::Taker(error) => BuildKitError::Taker(error),
                error => BuildKitError::NotRun(error),
            })?;
        if !exit.is_success() {
            return Err(BuildKitError::Failed { exit });
        }
        id_file.read().map_err(BuildKitError::NoId)
    }

    /// Values of build arguments are often secrets: they go through the environment, where `--build-arg NAME` takes them.
    fn arguments(&self, options: &BuildOptions, id_file: &Path) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["--config".into(), self.configuration.clone().into()];
        let mut host = OsString::from("unix://");
        host.push(&self.socket);
        words.extend(["--host".into(), host]);
        words.extend(
            [
                "buildx",
                "build",
                "--builder=default",
                "--load",
                "--progress=plain",
            ]
            .map(OsString::from),
        );
        let mut add = |name: &str, value: &str| words.push(format!("--{name}={value}").into());
        add("file", &options.dockerfile);
        for (name, value) in [
            ("tag", &options.tag),
            ("target", &options.target),
            ("platform", &options.platform),
        ] {
            if let Some(value) = value {
                add(name, value);
            }
        }
        for (name, value) in &options.arguments {
            if value.is_some() {
                add("build-arg", name);
            }
        }
        for (name, value) in &options.labels {
            add("label", &format!("{name}={value}"));
        }
        for (name, is_set) in [("no-cache", options.no_cache), ("pull", options.pull)] {
            if is_set {
                words.push(format!("--{name}").into());
            }
        }
        let mut id = OsString::from("--iidfile=");
        id.push(id_file);
        words.extend([id, "-".into()]);
        words
    }
}

/// Names that would change what the CLI does instead of what is built.
fn refuse_own_variable(name: &str) -> Result<(), BuildKitError> {
    const NAMES: [&str; 7] = [
        "PATH",
        "HOME",
        "LANG",
        "TMPDIR",
        "GODEBUG",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ];
    const PREFIXES: [&str; 5] = ["DOCKER_", "BUILDX_", "BUILDKIT_", "LD_", "OTEL_"];
    if NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(BuildKitError::Argument {
            name: name.to_owned(),
        });
    }
    Ok(())
}

/// A file for the image's id; removed when dropped.
struct IdFile(PathBuf);

impl IdFile {
    fn new(directory: &Path) -> io::Result<Self> {
        let number = u64::from_ne_bytes(random_bytes()?);
        Ok(Self(
            directory.join(format!(".node-agent-build-{number:016x}")),
        ))
    }

    fn read(&self) -> io::Result<String> {
        let mut text = String::new();
        std::fs::File::open(&self.0)?
            .take(256)
            .read_to_string(&mut text)?;
        Ok(text.trim().to_owned())
    }
}

impl Drop for IdFile {
    fn drop(&mut self) {
        // It is not there when the build failed.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl fmt::Debug for Buildx {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variables stay out: they may hold keys.
        out.debug_struct("Buildx")
            .field("socket", &self.socket)
            .field("configuration", &self.configuration)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_builder_that_needs_buildkit() {
        let heredoc = Some("FROM a\nRUN <<EOF\necho\nEOF\n");
        let plain = Some("FROM a\nFOO\n");
        for (words, text, expected) in [
            (
                "the --mount option requires BuildKit. Refer to …",
                plain,
                true,
            ),
            (
                "dockerfile parse error line 2: Unknown flag: link",
                plain,
                true,
            ),
            (
                "dockerfile parse error line 2: unknown flag: --exclude",
                plain,
                true,
            ),
            (
                "dockerfile parse error line 2: Unknown flag: colour",
                plain,
                false,
            ),
            (
                "dockerfile parse error line 3: unknown instruction: ECHO",
                heredoc,
                true,
            ),
            (
                "dockerfile parse error line 3: unknown instruction: ECHO",
                None,
                true,
            ),
            (
                "dockerfile parse error line 2: unknown instruction: FOO",
                plain,
                false,
            ),
            (
                "dockerfile parse error line 2: x",
                Some("#  Syntax = docker/dockerfile:1\nFROM a"),
                true,
            ),
            (
                "failed to parse platform : \"\"",
                Some("FROM --platform=$BUILDPLATFORM a"),
                true,
            ),
            (
                "The command '/bin/sh -c false' returned a non-zero code: 1",
                heredoc,
                false,
            ),
        ] {
            assert_eq!(is_needed(words, text), expected, "{words} {text:?}");
        }
    }

    #[test]
    fn values_of_arguments_are_not_in_the_command_line() {
        let buildx = Buildx {
            socket: "/run/s".into(),
            configuration: "/c".into(),
            scratch: "/s".into(),
            variables: Vec::new(),
        };
        let options = BuildOptions {
            dockerfile: "-x".to_owned(),
            arguments: [
                ("TOKEN".to_owned(), Some("secret".to_owned())),
                ("NONE".to_owned(), None),
            ]
            .into(),
            tag: Some("a:1".to_owned()),
            no_cache: true,
            ..BuildOptions::default()
        };
        let words = buildx.arguments(&options, Path::new("/s/id"));
        let text: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        let line = text.join(" ");
        assert_eq!(
            line,
            "--config /c --host unix:///run/s buildx build --builder=default --load --progress=plain --file=-x --tag=a:1 \
             --build-arg=TOKEN --no-cache --iidfile=/s/id -"
        );
        for name in ["PATH", "DOCKER_HOST", "LD_PRELOAD"] {
            assert!(refuse_own_variable(name).is_err(), "{name}");
        }
        assert!(refuse_own_variable("HTTP_PROXY").is_ok());
    }
}
