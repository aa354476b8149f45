//! A build that the classic builder refused, once more by BuildKit.
#![forbid(unsafe_code)]

use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::Job;
use super::outcome::{Built, Failed};
use super::source::Source;
use super::transcript::Transcript;
use crate::api::ApiError;
use crate::engine::buildkit::{BuildKitError, DockerWithBuildx, is_needed};

/// Said of a tar whose Dockerfile has a line that is no instruction: most likely it is just wrong.
const MAYBE_HEREDOC: &str = "the engine cannot build this; if it is a heredoc (`<<`) in the Dockerfile, that needs BuildKit: the docker CLI with its buildx plugin on this machine";

impl Job<'_> {
    /// The program that can do what the classic builder could not; or why that is the end of it.
    pub(super) fn second_builder(
        &self,
        failed: Failed,
        source: &Source,
    ) -> Result<DockerWithBuildx, ApiError> {
        let text = source.dockerfile_text();
        let words = failed.error.words().unwrap_or_default();
        if !is_needed(words, text) {
            return Err(failed.into());
        }
        let docker = self.context.buildx.find();
        match (docker, source) {
            (Some(docker), Source::Directory(_) | Source::Copy(_)) => Ok(docker),
            // Only the Dockerfile could tell, and it went by.
            _ if text.is_none() && words.contains("unknown instruction") => {
                Err(ApiError::bad_request(MAYBE_HEREDOC).with_details(words))
            }
            (Some(_), Source::Gone) => Err(ApiError::NoRoom {
                message: "this Dockerfile needs BuildKit, and the disk has no room for a copy of the archive".to_owned(),
                details: Some(words.to_owned()),
            }),
            _ => Err(ApiError::not_supported(
                "this Dockerfile needs BuildKit: install the docker CLI with its buildx plugin on this machine",
            )
            .with_details(words)),
        }
    }

    /// Builds it, and gives what is printed to `take`.
    pub(super) fn build_again(
        self,
        docker: &DockerWithBuildx,
        mut source: Source,
        take: &mut dyn FnMut(&str) -> Result<(), ApiError>,
    ) -> Result<Built, ApiError> {
        let mut transcript = Transcript::default();
        let mut decoder = Decoder::default();
        let mut client_error = None;
        let pack_error = Mutex::new(None);
        let result = self.context.buildx.build(
            docker,
            &self.options,
            Box::new(|out| {
                let mut failure = pack_error.lock().unwrap_or_else(PoisonError::into_inner);
                source.write_again(out, &mut failure)
            }),
            Some(self.client),
            &mut |bytes| {
                let text = decoder.take(bytes);
                transcript.take(&text);
                take(&text).map_err(|error| {
                    client_error = Some(error);
                    io::ErrorKind::Other.into()
                })
            },
        );
        let output = transcript.into_lines();
        let pack_error = pack_error
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match (result, client_error, pack_error) {
            (_, Some(error), _) => Err(error),
            (_, _, Some(error)) => Err(error.into()),
            (Ok(id), ..) => Ok(Built::new(id, self.options.tag, output, self.warnings)),
            // An engine that went away is no fault of the Dockerfile's; the CLI has one exit code for both.
            (Err(BuildKitError::Failed { .. }), ..) => match self.context.engine.check() {
                Ok(()) => Err(not_built(&output)),
                Err(error) => Err(error.into()),
            },
            (Err(error), ..) => Err(error.into()),
        }
    }
}

fn not_built(output: &[String]) -> ApiError {
    let is_full = |line: &&String| line.contains("no space left on device");
    if let Some(line) = output.iter().rev().find(is_full) {
        return ApiError::engine_disk_full(Some(line.clone()));
    }
    ApiError::Build {
        message: "the build failed".to_owned(),
        output: output.join("\n"),
    }
}

/// Makes text of bytes that come in pieces: the last character of a piece may be cut in two.
#[derive(Default)]
struct Decoder(Vec<u8>);

impl Decoder {
    /// The text up to the last whole character.
    fn take(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let last = self.0.utf8_chunks().last();
        let cut = last.map_or(&[][..], |chunk| chunk.invalid());
        let is_begun = std::str::from_utf8(cut).is_err_and(|error| error.error_len().is_none());
        let rest = self
            .0
            .split_off(self.0.len() - if is_begun { cut.len() } else { 0 });
        let whole = std::mem::replace(&mut self.0, rest);
        String::from_utf8_lossy(&whole).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_are_cut_in_two_are_put_together() {
        let text = "a\u{e9}\u{1f433}b".as_bytes();
        for size in 1..text.len() {
            let mut decoder = Decoder::default();
            let all: String = text.chunks(size).map(|piece| decoder.take(piece)).collect();
            assert_eq!(all.as_bytes(), text, "{size}");
        }
        let mut decoder = Decoder::default();
        assert_eq!(decoder.take(b"\xff\xc3"), "\u{fffd}");
        assert_eq!(decoder.take(b"x"), "\u{fffd}x");
    }
}
