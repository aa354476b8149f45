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
            // Only the Dockerfile could tell; most likely it is just wrong.
            _ if text.is_none() && words.contains("unknown instruction") => Err(failed.into()),
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
                let text = String::from_utf8_lossy(bytes);
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
            (Err(BuildKitError::Failed { .. }), ..) => Err(not_built(&output)),
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
