//! `POST /files/write`: a file, from JSON or from the body itself. Readers see the old content or the new one, never
//! anything between, and the answer comes when the new one is on the disk.
#![forbid(unsafe_code)]

use std::io::Read;
use std::path::Path;

use serde::Serialize;

use super::content::{self, Body};
use super::mode::Mode;
use super::octal;
use super::text::{TextFailure, copy_text};
use crate::api::images::media_type;
use crate::api::query::Query;
use crate::api::upload_body::{CopyFailure, copy};
use crate::api::{ApiError, Context, Reply, Request};
use crate::limits;
use crate::store::jail::{Finding, Replacement};
use crate::wire::base64_body::{base64_error, decoded};

#[derive(Serialize)]
struct Answer<'a> {
    status: &'static str,
    path: &'a str,
    size: u64,
    mode: String,
    created: bool,
}

/// Writes it.
pub fn write<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let query = request.query()?;
    match form(request, &query)? {
        Form::Json => write_json(context, request),
        Form::Raw => write_raw(context, request, &query),
    }
}

enum Form {
    Json,
    Raw,
}

/// curl announces a form where nothing is said: whether the path stands in the query tells what is meant.
fn form(request: &Request<'_>, query: &Query) -> Result<Form, ApiError> {
    let given = media_type(request);
    match given.as_str() {
        "" | "application/x-www-form-urlencoded" if query.text("path").is_some() => Ok(Form::Raw),
        "" | "application/json" | "application/x-www-form-urlencoded" => Ok(Form::Json),
        other if other.ends_with("+json") => Ok(Form::Json),
        "multipart/form-data" => Err(ApiError::UnsupportedMediaType {
            given,
            expected: "application/json, or application/octet-stream with the path in the query",
        }),
        _ => Ok(Form::Raw),
    }
}

fn write_raw<'a>(
    context: &'a Context,
    request: &mut Request<'a>,
    query: &Query,
) -> Result<Reply<'a>, ApiError> {
    let path = super::path(query)?;
    let mode = query.text("mode").map(Mode::of_parameter).transpose()?;
    let length = request.head.framing().length();
    let mut body = request.limited(context.most_upload_bytes())?;
    let mut replacement = begin(context, &path, length)?;
    copy(&mut body, &mut replacement).map_err(|failure| match failure {
        CopyFailure::Source(error) => ApiError::from_body(error),
        CopyFailure::Sink(error) => ApiError::not_written(Path::new(&path), &error),
    })?;
    finish(replacement, &path, mode, &[])
}

fn write_json<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let mut body = content::read_body(context, request)?;
    let path = std::mem::take(&mut body.fields.path);
    let replacement = match body.fields.encoding.as_deref() {
        None | Some("" | "utf-8" | "utf8" | "UTF-8") => write_text(context, &path, &mut body)?,
        Some("base64") => write_base64(context, &path, &mut body)?,
        Some(_) => {
            let what = "must be `utf-8` or `base64`";
            return Err(ApiError::field("encoding", what));
        }
    };
    finish(replacement, &path, body.fields.mode, &body.warnings)
}

fn write_text(context: &Context, path: &str, body: &mut Body) -> Result<Replacement, ApiError> {
    if body.bytes > limits::FILE_JSON_BYTES {
        return Err(content::too_large());
    }
    let mut replacement = begin(context, path, Some(body.bytes))?;
    match copy_text(&mut body.text, &mut replacement) {
        Ok(_) => Ok(replacement),
        Err(TextFailure::NotText) => Err(ApiError::field(
            "content",
            "is not UTF-8, as JSON has to be; other bytes go in base64",
        )),
        Err(TextFailure::Source(error)) => Err(unreadable(&error)),
        Err(TextFailure::Sink(error)) => Err(ApiError::not_written(Path::new(path), &error)),
    }
}

fn write_base64(context: &Context, path: &str, body: &mut Body) -> Result<Replacement, ApiError> {
    let limit = limits::FILE_JSON_BYTES;
    // Four characters carry three bytes.
    let mut replacement = begin(context, path, Some((body.bytes / 4 * 3).min(limit)))?;
    let mut bytes = decoded(&mut body.text).take(limit + 1);
    let count = copy(&mut bytes, &mut replacement).map_err(|failure| match failure {
        CopyFailure::Source(error) => match base64_error(&error) {
            Some(error) => ApiError::field("content", &format!("cannot be decoded: {error}")),
            None => unreadable(&error),
        },
        CopyFailure::Sink(error) => ApiError::not_written(Path::new(path), &error),
    })?;
    if count > limit {
        return Err(content::too_large());
    }
    Ok(replacement)
}

fn unreadable(error: &std::io::Error) -> ApiError {
    ApiError::internal("the content that was spooled cannot be read", error)
}

fn begin(context: &Context, path: &str, expected: Option<u64>) -> Result<Replacement, ApiError> {
    let place = context.jail.place(path, Finding::TargetToWrite)?;
    let replacement = place.replace(expected, context.spool.reserve, &context.leftovers);
    replacement.map_err(ApiError::from)
}

fn finish<'a>(
    replacement: Replacement,
    path: &str,
    mode: Option<Mode>,
    warnings: &[String],
) -> Result<Reply<'a>, ApiError> {
    let written = replacement.finish(mode.map(|mode| mode.0))?;
    let answer = Answer {
        status: "written",
        path,
        size: written.size,
        mode: octal(written.mode),
        created: written.created,
    };
    Reply::json_warned(&answer, warnings)
}
