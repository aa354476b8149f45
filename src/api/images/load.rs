//! `POST /images/load` and `/docker/load`: images from an archive in a form or in JSON, which is complete on the disk
//! before the engine sees any of it. `POST /docker/load/stream`: the archive itself, from socket to socket.
#![forbid(unsafe_code)]

use std::io::Read;

use serde::Serialize;

use super::media_type;
use crate::api::spooling::spool_upload;
use crate::api::upload_body::{CopyFailure, copy};
use crate::api::{ApiError, Context, Reply, Request};
use crate::engine::{EngineError, Upload};

#[derive(Serialize)]
struct Loaded {
    status: &'static str,
    images: Vec<String>,
    bytes: u64,
}

/// Loads the file part `image_tar` of a form, or the base64 field `image_tar_b64` of a JSON object.
pub fn load<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let spooled = spool_upload(context, request, "image_tar", "image_tar_b64")?;
    let length = spooled.bytes;
    check_room(context, Some(length))?;
    let mut upload = context.engine.load(Some(length), Some(request.client))?;
    let mut file = spooled.file;
    let bytes = send(&mut file, &mut upload)
        .map_err(|error| ApiError::internal("the spooled upload cannot be read", &error))?;
    // The engine has its own copy and unpacks it now. With ours gone, a load takes a third less of the disk at its peak.
    drop(file);
    reply(context, upload, bytes, &spooled.warnings)
}

/// Loads the body.
pub fn load_stream<'a>(
    context: &'a Context,
    request: &mut Request<'a>,
) -> Result<Reply<'a>, ApiError> {
    check_is_archive(request, ARCHIVES)?;
    let length = request.head.framing().length();
    let client = request.client;
    let mut body = request.upload(context)?;
    check_room(context, length)?;
    let mut upload = context.engine.load(length, Some(client))?;
    let bytes = send(&mut body, &mut upload).map_err(ApiError::from_body)?;
    reply(context, upload, bytes, &[])
}

pub(in crate::api) const ARCHIVES: &str =
    "application/x-tar, application/gzip or application/octet-stream";

/// Refuses what cannot be an archive; `expected` is told then. curl announces a form where nothing is said.
pub(in crate::api) fn check_is_archive(
    request: &Request<'_>,
    expected: &'static str,
) -> Result<(), ApiError> {
    let given = media_type(request);
    let known = [
        "",
        "application/octet-stream",
        "application/x-tar",
        "application/tar",
        "application/gzip",
        "application/x-gzip",
        "application/x-www-form-urlencoded",
    ];
    if known.contains(&given.as_str()) {
        return Ok(());
    }
    Err(ApiError::UnsupportedMediaType { given, expected })
}

/// Fails when the engine's own disk has no room for so many bytes.
pub(in crate::api) fn check_room(context: &Context, bytes: Option<u64>) -> Result<(), ApiError> {
    let Some(root) = context.engine.data_root()? else {
        return Ok(());
    };
    let reserve = context.spool.reserve;
    reserve
        .check(&root, bytes.unwrap_or_default())
        .map_err(ApiError::from)
}

/// Sends all of `source`, or as much as the engine takes; a failure is the source's. What stopped the engine is told
/// with its answer.
pub(in crate::api) fn send(
    source: &mut dyn Read,
    upload: &mut Upload<'_>,
) -> Result<u64, std::io::Error> {
    match copy(source, upload) {
        Ok(bytes) => Ok(bytes),
        Err(CopyFailure::Sink(_)) => Ok(0),
        Err(CopyFailure::Source(error)) => Err(error),
    }
}

fn reply<'a>(
    context: &Context,
    upload: Upload<'_>,
    bytes: u64,
    warnings: &[String],
) -> Result<Reply<'a>, ApiError> {
    let images = context.engine.loaded(upload).map_err(not_loaded)?;
    if images.is_empty() {
        return Err(ApiError::bad_request(
            "the archive has no image in it: it must be what `docker save` writes",
        ));
    }
    let status = "loaded";
    Reply::json_warned(
        &Loaded {
            status,
            images,
            bytes,
        },
        warnings,
    )
}

/// The engine reports everything inside its stream in the same way; but for a full disk it is the archive's fault.
fn not_loaded(error: EngineError) -> ApiError {
    if error.is_full_disk() {
        return ApiError::engine_disk_full(error.details());
    }
    match error {
        EngineError::InStream { message, .. } => {
            ApiError::bad_request("the engine could not load this archive").with_details(message)
        }
        error => error.into(),
    }
}
