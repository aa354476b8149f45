//! Uploads in a form or in a JSON object, taken apart while they arrive and written to the spool.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};

use super::form_part::FormPart;
use super::images::media_type;
use super::upload_body::{CopyFailure, UploadBody, copy};
use super::{ApiError, Context, Request};
use crate::store::spool::Spooled;
use crate::wire::base64_body::{self, base64_error};
use crate::wire::json_field::JsonField;
use crate::wire::multipart::{self, Multipart};

/// An upload that is complete.
pub(super) struct SpooledUpload {
    /// Its bytes, to be read from the start.
    pub(super) file: File,
    /// How many.
    pub(super) bytes: u64,
    /// A sentence for each field that nobody knows.
    pub(super) warnings: Vec<String>,
}

/// Spools the part `part` of a form, or the decoded field `field` of a JSON object.
pub(super) fn spool_upload(
    context: &Context,
    request: &mut Request<'_>,
    part: &'static str,
    field: &'static str,
) -> Result<SpooledUpload, ApiError> {
    let given = media_type(request);
    let content_type = request
        .head
        .text("Content-Type")
        .unwrap_or_default()
        .to_owned();
    let length = request.head.framing().length();
    match given.as_str() {
        "multipart/form-data" => {
            let boundary = multipart::boundary(content_type.as_bytes())?;
            let body = request.upload(context)?;
            let spooled = context
                .spool
                .open(length)
                .map_err(|error| not_spooled(&error))?;
            from_form(Multipart::new(body, &boundary), part, spooled)
        }
        "" | "application/json" | "application/x-www-form-urlencoded" => {
            let body = request.upload(context)?;
            // Four characters carry three bytes.
            let spooled = context.spool.open(length.map(|length| length / 4 * 3));
            from_json(body, field, spooled.map_err(|error| not_spooled(&error))?)
        }
        _ => Err(ApiError::UnsupportedMediaType {
            given: content_type,
            expected: "multipart/form-data or application/json (the archive alone goes to the path that ends in /stream)",
        }),
    }
}

fn from_form(
    form: Multipart<UploadBody<'_, '_>>,
    wanted: &'static str,
    mut spooled: Spooled<'_>,
) -> Result<SpooledUpload, ApiError> {
    let mut part = FormPart::new(form, wanted);
    copy_in(&mut part, &mut spooled)?;
    finished(spooled, part.warnings())
}

fn from_json(
    body: UploadBody<'_, '_>,
    wanted: &'static str,
    mut spooled: Spooled<'_>,
) -> Result<SpooledUpload, ApiError> {
    let mut field = JsonField::new(body, wanted);
    let copied = copy(&mut base64_body::decoded(&mut field), &mut spooled);
    copied.map_err(|failure| match failure {
        CopyFailure::Source(error) => match base64_error(&error) {
            Some(error) => ApiError::field(wanted, &format!("cannot be decoded: {error}")),
            None => ApiError::from_body(error),
        },
        CopyFailure::Sink(error) => not_spooled(&error),
    })?;
    let warnings = field
        .other_fields()
        .iter()
        .map(|name| format!("unknown field: {name}"));
    finished(spooled, warnings.collect())
}

fn copy_in(source: &mut dyn Read, spooled: &mut Spooled<'_>) -> Result<(), ApiError> {
    match copy(source, spooled) {
        Ok(_) => Ok(()),
        Err(CopyFailure::Source(error)) => Err(ApiError::from_body(error)),
        Err(CopyFailure::Sink(error)) => Err(not_spooled(&error)),
    }
}

fn finished(spooled: Spooled<'_>, warnings: Vec<String>) -> Result<SpooledUpload, ApiError> {
    let bytes = spooled.bytes();
    if bytes == 0 {
        return Err(ApiError::bad_request("the uploaded archive is empty"));
    }
    let file = spooled.into_file().map_err(|error| not_spooled(&error))?;
    Ok(SpooledUpload {
        file,
        bytes,
        warnings,
    })
}

fn not_spooled(error: &io::Error) -> ApiError {
    ApiError::from_disk("the upload cannot be written to the state directory", error)
}
