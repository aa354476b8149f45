//! `POST /docker/dockerfile`: the Dockerfile of a project, or one made for it, to look at before a build. Writes nothing.
#![forbid(unsafe_code)]

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::project_files::Below;
use crate::api::{ApiError, Context, Reply, Request};
use crate::dockerfile::generate;
use crate::limits;
use crate::store::context;
use crate::store::jail::{Directory, JailError};

#[derive(Deserialize)]
struct DockerfileBody {
    context_path: String,
    generate: Option<bool>,
}

#[derive(Serialize)]
struct Answer {
    dockerfile: String,
    path: String,
    exists: bool,
    generated: bool,
    stack: Option<&'static str>,
    reason: Option<String>,
}

/// Answers with the one that is there; else, where `generate` is set, with one that is made.
pub fn dockerfile<'a>(
    context: &'a Context,
    request: &mut Request<'a>,
) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<DockerfileBody>()?;
    let path = &parsed.value.context_path;
    let directory = context.jail.directory(path)?;
    let answer = match context::dockerfile(&directory, None) {
        Ok(name) => existing(&directory, &name)?,
        Err(JailError::NotFound { .. }) if parsed.value.generate == Some(true) => {
            generated(&directory, path)?
        }
        Err(JailError::NotFound { .. }) => {
            let sentence =
                format!("there is no Dockerfile in {path}; with `\"generate\": true` one is made");
            return Err(ApiError::NotFound(sentence));
        }
        Err(error) => return Err(error.into()),
    };
    Reply::json_warned(&answer, &parsed.warnings)
}

fn existing(directory: &Directory, name: &Path) -> Result<Answer, ApiError> {
    let path = directory.path().join(name).display().to_string();
    let file = directory.open_file(name)?;
    let mut bytes = Vec::new();
    let limit = limits::DOCKERFILE_BYTES;
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| ApiError::internal("the Dockerfile cannot be read", &error))?;
    if bytes.len() as u64 > limit {
        let sentence = format!("{path} is larger than {limit} bytes");
        return Err(ApiError::bad_request(&sentence));
    }
    Ok(Answer {
        dockerfile: String::from_utf8_lossy(&bytes).into_owned(),
        path,
        exists: true,
        generated: false,
        stack: None,
        reason: None,
    })
}

fn generated(directory: &Directory, context_path: &str) -> Result<Answer, ApiError> {
    let made =
        generate(&Below(directory)).map_err(|error| ApiError::detection(context_path, &error))?;
    Ok(Answer {
        dockerfile: made.dockerfile,
        path: directory.path().join("Dockerfile").display().to_string(),
        exists: false,
        generated: true,
        stack: Some(made.stack.name()),
        reason: Some(made.reason),
    })
}
